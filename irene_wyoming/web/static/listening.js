// Who listens now: one card for each satellite and each listener of the microphone, and the microphone itself.

import { decibel, find, h, joined, keyed, percent } from "./dom.js";

const QUIET_DB = -100;
const TOO_SOFT_DB = -50;
const LITTLE_SNR_DB = 8;

/** How much of a meter a level fills: -80 dB is nothing, 0 dB all of it. */
const share = (level) => Math.max(0, Math.min(1, (level + 80) / 80));

function make(item) {
  const bar = h("span");
  const meter = h("span", { class: "meter", role: "presentation" }, bar);
  const name = h("h3");
  const facts = h("p", { class: "facts" });
  const advice = h("p", { class: "advice" });
  const scores = h("ul", { class: "scores" });
  const card = h("article", { class: "card" }, name, meter, facts, scores, advice);
  card.parts = { bar, name, facts, advice, scores, clipped: item.clipped ?? 0, clippedAt: 0 };
  return card;
}

/** What a person should do about how a stream sounds; empty: nothing. */
function adviceFor(item, parts) {
  if (item.level_dbfs === undefined) return "No audio at the moment.";
  if (item.level_dbfs <= QUIET_DB) return "Digital silence: the microphone is muted, or sends nothing.";
  if ((item.clipped ?? 0) > parts.clipped) parts.clippedAt = Date.now();
  parts.clipped = item.clipped ?? 0;
  if (Date.now() - parts.clippedAt < 10000) return "Too loud: it clips. Turn the microphone's gain down.";
  if (item.snr_db > LITTLE_SNR_DB && item.level_dbfs < TOO_SOFT_DB) return "Speech is soft: come closer or turn the gain up.";
  return "";
}

function update(card, item) {
  const { bar, name, facts, advice, scores } = card.parts;
  const kind = item.kind === "listener" ? "hears this machine's microphone" : (item.words ?? []).join(", ");
  name.textContent = item.caller || "A listener";
  bar.style.transform = `scaleX(${item.level_dbfs === undefined ? 0 : share(item.level_dbfs)})`;
  facts.textContent = joined(kind, decibel(item.level_dbfs, "dBFS"), item.snr_db === undefined ? null : `SNR ${Math.round(item.snr_db)} dB`);
  advice.textContent = adviceFor(item, card.parts);
  const now = Object.entries(item.scores ?? {}).filter(([, score]) => score >= 0.05);
  scores.replaceChildren(...now.map(([word, score]) => h("li", {}, `${word} ${percent(score)}`)));
}

function makeMicrophone() {
  const card = h("article", { class: "card" }, h("h3"), h("p", { class: "facts" }), h("p", { class: "advice" }));
  return card;
}

function updateMicrophone(card, item) {
  const [name, facts, advice] = card.children;
  name.textContent = `Microphone: ${item.name}`;
  facts.textContent = joined(item.state, item.format, `${item.listeners} listening`);
  advice.textContent = item.trouble ?? "";
}

export function showListening(state) {
  const streams = [
    ...(state.satellites ?? []).map((each) => ({ ...each, kind: "satellite" })),
    ...(state.listeners ?? []).map((each) => ({ ...each, kind: "listener" })),
    ...(state.microphones ?? []).map((each) => ({ ...each, kind: "microphone" })),
  ];
  const wakeDown = (state.servers ?? []).some((server) => server.name === "wake" && !server.up);
  const isMicrophone = (item) => item.kind === "microphone";
  keyed(
    find("satellites"),
    streams,
    (item) => `${item.kind}-${item.id}`,
    (item) => (isMicrophone(item) ? makeMicrophone() : make(item)),
    (card, item) => (isMicrophone(item) ? updateMicrophone(card, item) : update(card, item)),
    wakeDown ? "The wake word server is not running, so no satellite is heard: Health tells more." : "No satellite is connected. Home Assistant connects when a wake word is waited for.",
  );
}

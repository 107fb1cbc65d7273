// What was heard: wake words with their scores, commands with what came of them, and warnings.

import { clock, decibel, find, h, joined, percent } from "./dom.js";

function wordRow(item) {
  const verdict = item.heard ? "heard" : "nearly heard";
  const limit = item.threshold ? `, heard from ${percent(item.threshold)}` : "";
  const look = (item.look ?? 0) < 0 ? "not found by the second look" : null;
  const sound = joined(decibel(item.level_dbfs, "dBFS"), item.snr_db === null ? null : `SNR ${Math.round(item.snr_db)} dB`);
  return h(
    "li",
    { class: item.heard ? "good" : "near" },
    h("p", {}, h("strong", {}, item.word), ` ${verdict} in `, h("span", {}, item.caller)),
    h("p", { class: "facts" }, clock(item.at), ` · peak ${percent(item.peak)}${limit} · ${joined(sound, look)}`),
  );
}

function commandRow(item) {
  const text = item.text ? h("strong", {}, item.text) : h("em", {}, item.reason || "nothing understood");
  const nearest = item.nearest && item.nearest !== item.text ? h("p", { class: "facts" }, `nearest: ${item.nearest} (${percent(item.nearest_confidence)})`) : null;
  const facts = joined(item.caller ? `from ${item.caller}` : null, item.kind, percent(item.confidence), item.provider, item.delay_s === null ? null : `${item.delay_s.toFixed(2)} s`, decibel(item.level_dbfs, "dBFS"));
  return h(
    "li",
    { class: item.text ? "good" : "near" },
    h("p", {}, text),
    h("p", { class: "facts" }, clock(item.at), facts ? ` · ${facts}` : ""),
    nearest,
  );
}

function warningRow(item) {
  return h("li", { class: item.level === "warning" ? "near" : "bad" }, h("p", {}, item.text), h("p", { class: "facts" }, clock(item.at), ` · ${item.server}`));
}

function show(id, items, row, empty) {
  const rows = items.length ? items.map(row) : [h("li", { class: "empty" }, empty)];
  find(id).replaceChildren(...rows);
}

let latest = null;

/** Tell a screen reader of the newest word or command, and of no older one. */
function announce(state) {
  const newest = [...(state.words ?? []).slice(0, 1), ...(state.commands ?? []).slice(0, 1)].sort((a, b) => b.at - a.at)[0];
  if (!newest) return;
  if (latest !== null && newest.at > latest) {
    find("latest").textContent = newest.word ? `${newest.word} ${newest.heard ? "heard" : "nearly heard"}` : newest.text || "nothing understood";
  }
  latest = newest.at;
}

export function showHeard(state, changed) {
  if (changed.words) show("words", state.words, wordRow, "No wake word yet. Say it.");
  if (changed.commands) show("commands", state.commands, commandRow, "No command yet.");
  if (changed.warnings) show("warnings", state.warnings, warningRow, "Nothing to worry about.");
  if (changed.words || changed.commands) announce(state);
}

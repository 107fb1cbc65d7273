// Servers, engines and models.

import { find, h, joined } from "./dom.js";

function serverRow(server) {
  const load = joined(server.memory_mb === null ? null : `${Math.round(server.memory_mb)} MB`, server.lag_ms === null ? null : `${server.lag_ms} ms late`);
  return h(
    "tr",
    { class: server.up ? "good" : "bad" },
    h("th", { scope: "row" }, server.name),
    h("td", {}, server.up ? "running" : "not running"),
    h("td", {}, String(server.clients)),
    h("td", {}, load),
    h("td", {}, String(server.restarts)),
  );
}

function engineCard(engine) {
  const models = (engine.models ?? engine.words ?? []).map((each) => each.phrase || each.name);
  const missing = (engine.models ?? []).filter((each) => !each.installed).map((each) => each.name);
  const shown = models.slice(0, 12).join(", ") + (models.length > 12 ? ` and ${models.length - 12} more` : "");
  return h(
    "article",
    { class: "card" },
    h("h4", {}, engine.name),
    h("p", { class: "facts" }, engine.role === "wake" ? "wake words" : "speech-to-text"),
    engine.trouble ? h("p", { class: "bad" }, engine.trouble) : null,
    engine.ready === false && !engine.trouble ? h("p", { class: "near" }, "Has failed of late, or is being loaded: others are asked meanwhile.") : null,
    engine.busy ? h("p", { class: "facts" }, engine.busy === 1 ? "1 command at hand" : `${engine.busy} commands at hand`) : null,
    shown ? h("p", {}, shown) : null,
    missing.length ? h("p", { class: "near" }, `not fetched: ${missing.join(", ")}`) : null,
  );
}

export function showHealth(state, changed) {
  if (changed.servers) {
    const head = h("tr", {}, ...["Server", "State", "Clients", "Load", "Restarts"].map((text) => h("th", { scope: "col" }, text)));
    find("servers").replaceChildren(h("table", {}, h("thead", {}, head), h("tbody", {}, ...state.servers.map(serverRow))));
  }
  if (changed.engines) {
    const cards = state.engines.map(engineCard);
    find("engines").replaceChildren(...(cards.length ? cards : [h("p", { class: "empty" }, "No engine tells of itself yet.")]));
  }
  if (changed.about) {
    const { version, hardware, language, front } = state.about;
    find("about").textContent = joined(`Irene Wyoming ${version}`, `settings for ${hardware}`, `language ${language}`, front ? `front address ${front}` : null);
  }
}

// How words are heard: a slider for each, with its last scores drawn behind it, for every satellite or for one.

import { find, h, keyed, percent } from "./dom.js";

const LEAST = 0.05;
const MOST = 0.99;

/** A dot for a score of a word, in one of three rows so that equal ones do not hide each other. */
function dot(each, index) {
  const element = h("span", { class: each.heard ? "good" : "near" });
  element.style.left = `${((each.peak - LEAST) / (MOST - LEAST)) * 100}%`;
  element.style.top = `${(index % 3) * 0.3}rem`;
  return element;
}

/** Set an input to a value, unless somebody is at it. */
function put(input, value) {
  if (document.activeElement !== input) input.value = value ?? "";
}

export class Tuning {
  constructor(live) {
    this.live = live;
    this.satellite = find("tuning-for");
    this.satellite.onchange = () => this.show(live.state);
    find("undo").onclick = () => this.change("undo");
  }

  async change(what, fields = {}) {
    const note = find("tuning-note");
    try {
      await this.live.ask(what, fields);
      note.textContent = what === "undo" ? "Taken back." : "Changed. It holds from now on.";
      note.className = "note";
    } catch (error) {
      note.textContent = error.message;
      note.className = "note bad";
    }
  }

  tune(word, setting, value) {
    return this.change("tune", { word, setting, value, satellite: this.satellite.value });
  }

  /** What was changed or configured of a word, for whom the page tunes now. */
  own(word, state) {
    const tuning = state.tuning ?? {};
    return (this.satellite.value ? tuning.satellites?.[this.satellite.value] : tuning.words)?.[word] ?? {};
  }

  /** The words that satellites listen for, or that were changed or heard; all that there are would be too many. */
  words(state) {
    const listed = new Map();
    for (const engine of state.engines ?? []) {
      if (engine.role !== "wake") continue;
      for (const word of engine.words) if (!listed.has(word.name)) listed.set(word.name, word);
    }
    const used = new Set([
      ...(state.satellites ?? []).flatMap((each) => each.words ?? []),
      ...(state.words ?? []).map((each) => each.word),
      ...Object.keys(state.tuning?.words ?? {}),
    ]);
    const found = [...listed.values()].filter((word) => used.has(word.name));
    return found.length ? found : [...listed.values()].slice(0, 1);
  }

  make(word) {
    const id = `threshold-${word.name}`;
    const dots = h("div", { class: "dots", "aria-hidden": "true" });
    const slider = h("input", { type: "range", id, min: LEAST, max: MOST, step: 0.01 });
    const value = h("output", { for: id });
    const reset = h("button", { type: "button", class: "small" }, "As configured");
    const facts = h("p", { class: "facts" });
    const steps = h("input", { type: "number", min: 1, max: 50, step: 1 });
    const softest = h("input", { type: "number", min: -100, max: 0, step: 1 });
    const look = h("select", {}, h("option", { value: "" }, "as configured"));
    const more = h(
      "details",
      {},
      h("summary", {}, "More"),
      h("label", {}, "Steps in a row that must count", steps),
      h("label", {}, "Softest that counts, dBFS", softest),
      h("label", {}, "Second look by a recogniser", look),
    );
    const label = h("label", { for: id }, h("strong", {}, word.phrase || word.name), " is heard from ");
    const card = h("article", { class: "card" }, h("p", {}, label, value), h("div", { class: "slider" }, dots, slider), facts, reset, more);
    const number = (input) => (input.value === "" ? null : Number(input.value));
    slider.oninput = () => (value.textContent = percent(slider.value));
    slider.onchange = () => this.tune(word.name, "threshold", Number(slider.value));
    reset.onclick = () => this.tune(word.name, "threshold", null);
    steps.onchange = () => this.tune(word.name, "trigger_level", number(steps));
    softest.onchange = () => this.tune(word.name, "min_level_dbfs", number(softest));
    look.onchange = () => this.tune(word.name, "verify", look.value || null);
    card.parts = { slider, value, dots, facts, reset, steps, softest, look };
    return card;
  }

  update(card, word, state) {
    const { slider, value, dots, facts, reset, steps, softest, look } = card.parts;
    const own = this.own(word.name, state);
    const everywhere = state.tuning?.words?.[word.name] ?? {};
    const readOnly = Boolean(state.about?.read_only) || !state.tuning?.kept;
    for (const input of [slider, steps, softest, look]) input.disabled = readOnly;
    reset.hidden = (own.threshold ?? null) === null || readOnly;
    const threshold = own.threshold ?? everywhere.threshold ?? word.threshold ?? 0.5;
    if (document.activeElement !== slider || card.shown !== threshold) slider.value = threshold;
    card.shown = threshold;
    value.textContent = percent(slider.value);
    if (look.options.length === 1) look.append(...(state.tuning?.looks ?? []).map((each) => h("option", { value: each }, each)));
    put(steps, own.trigger_level);
    steps.placeholder = everywhere.trigger_level ?? word.trigger_level ?? 1;
    put(softest, own.min_level_dbfs);
    softest.placeholder = everywhere.min_level_dbfs ?? "none";
    put(look, own.verify);
    const mine = (each) => each.word === word.name && (!this.satellite.value || each.caller === this.satellite.value);
    const heard = (state.words ?? []).filter(mine);
    const missed = heard.filter((each) => !each.heard).length;
    facts.textContent = heard.length
      ? `${heard.length - missed} heard and ${missed} nearly heard of late; the dots are how high they scored.`
      : "Not heard yet. Say it a few times: dots will show how high it scores.";
    dots.replaceChildren(...heard.filter((each) => each.peak >= LEAST).map(dot));
  }

  /** Every satellite that is there, was heard or has settings can be chosen. */
  showSatellites(state) {
    const names = new Set([
      ...(state.satellites ?? []).map((each) => each.caller),
      ...(state.words ?? []).map((each) => each.caller),
      ...Object.keys(state.tuning?.satellites ?? {}),
    ]);
    const known = new Set([...this.satellite.options].map((option) => option.value));
    for (const name of names) if (!known.has(name)) this.satellite.append(h("option", { value: name }, name));
  }

  show(state) {
    const note = find("tuning-note");
    if (!note.textContent) {
      note.textContent = state.about?.read_only
        ? "This page is read-only."
        : state.tuning?.kept
          ? "Lower: the word is heard more easily, and more often by mistake. Changes hold at once and are kept."
          : "Set data_dir in the configuration to change anything here.";
    }
    this.showSatellites(state);
    keyed(
      find("sliders"),
      this.words(state),
      (word) => word.name,
      (word) => this.make(word),
      (card, word) => this.update(card, word, state),
      "There is no wake word engine.",
    );
    find("undo").hidden = !state.tuning?.can_undo || Boolean(state.about?.read_only);
  }
}

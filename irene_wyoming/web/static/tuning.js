// How words are heard: sliders for each with its last scores drawn behind them, for every satellite or for one; and who
// answers where several satellites hear a word.

import { find, h, keyed, percent } from "./dom.js";
import { Slider } from "./slider.js";

const LOOKS = ["off", "auto", "on"];
const LOOK_TEXTS = ["never looked at twice", "looked at twice if its spelling is known", "always looked at twice"];

/** Margins of second looks, in natural logarithms, that are drawn from one end of the slider to the other. */
const LOOK_RANGE = 12;

/** Set an input to a value, unless somebody is at it. */
function put(input, value) {
  if (document.activeElement !== input) input.value = value ?? "";
}

const steps = (value) => (value === 1 ? "1 step" : `${value} steps in a row`);

export class Tuning {
  constructor(live) {
    this.live = live;
    this.satellite = find("tuning-for");
    this.satellite.onchange = () => this.show(live.state);
    find("undo").onclick = () => this.change("undo");
    this.window = new Slider("window", ["Wait for other satellites"], { min: 0, max: 500, step: 50 }, (value) => (value ? `${value} ms` : "not at all: all answer"), (value) =>
      this.change("arbitrate", { setting: "window_ms", value }),
    );
    this.always = h("input", { type: "checkbox" });
    this.always.onchange = () => this.change("arbitrate", { setting: "always", value: this.always.checked });
    this.together = h("p", { class: "facts" });
    find("arbitration").append(
      h("h3", {}, "When several satellites hear one word"),
      this.window.element,
      this.together,
      h("label", {}, this.always, " Also for words that only one satellite has heard today"),
    );
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
    const id = (what) => `${what}-${word.name}`;
    const name = word.phrase || word.name;
    const change = (setting) => (value) => this.tune(word.name, setting, value);
    const threshold = new Slider(id("threshold"), [h("strong", {}, name), " is heard from"], { min: 0.05, max: 0.99, step: 0.01 }, percent, change("threshold"));
    const level = new Slider(id("level"), ["It must score so for"], { min: 1, max: 20, step: 1 }, steps, change("trigger_level"));
    const look = new Slider(id("look"), ["A recogniser decides, too:"], { min: 0, max: 2, step: 1 }, (value) => LOOK_TEXTS[value], (value) =>
      this.tune(word.name, "verify", value === null ? null : LOOKS[value]),
    );
    const facts = h("p", { class: "facts" });
    const looked = h("p", { class: "facts" });
    const softest = h("input", { type: "number", min: -100, max: 0, step: 1 });
    softest.onchange = () => this.tune(word.name, "min_level_dbfs", softest.value === "" ? null : Number(softest.value));
    const more = h("details", {}, h("summary", {}, "More"), level.element, look.element, looked, h("label", {}, "Softest that counts, dBFS", softest));
    const card = h("article", { class: "card" }, threshold.element, facts, more);
    card.parts = { threshold, level, look, facts, looked, softest };
    return card;
  }

  update(card, word, state) {
    const { threshold, level, look, facts, looked, softest } = card.parts;
    const own = this.own(word.name, state);
    const everywhere = state.tuning?.words?.[word.name] ?? {};
    const usual = (setting, fallback) => own[setting] ?? everywhere[setting] ?? fallback;
    const disabled = this.locked(state);
    const isSet = (setting) => (own[setting] ?? null) !== null;
    threshold.show(usual("threshold", word.threshold ?? 0.5), { own: isSet("threshold"), disabled });
    level.show(usual("trigger_level", word.trigger_level ?? 1), { own: isSet("trigger_level"), disabled });
    look.show(LOOKS.indexOf(usual("verify", state.tuning?.verify ?? "auto")), { own: isSet("verify"), disabled });
    put(softest, own.min_level_dbfs);
    softest.placeholder = everywhere.min_level_dbfs ?? "none";
    softest.disabled = disabled;
    this.draw(card.parts, (state.words ?? []).filter((each) => each.word === word.name && (!this.satellite.value || each.caller === this.satellite.value)));
  }

  /** What was heard of a word of late, behind its sliders and in words. */
  draw({ threshold, level, look, facts, looked }, heard) {
    const missed = heard.filter((each) => !each.heard).length;
    facts.textContent = heard.length
      ? `${heard.length - missed} heard and ${missed} nearly heard of late; the dots are how high they scored.`
      : "Not heard yet. Say it a few times: dots will show how high it scores.";
    threshold.draw(heard.filter((each) => each.peak >= threshold.range.min).map((each) => ({ value: each.peak, good: each.heard })));
    level.draw(heard.filter((each) => each.steps).map((each) => ({ value: each.steps, good: each.heard })));
    const looks = heard.filter((each) => (each.look ?? null) !== null);
    look.draw(looks.map((each) => ({ value: 1 + each.look / LOOK_RANGE, good: each.look >= 0 })));
    looked.textContent = looks.length ? `${looks.filter((each) => each.look >= 0).length} of ${looks.length} looks found the word; dots to the right are the surest.` : "";
  }

  locked(state) {
    return Boolean(state.about?.read_only) || !state.tuning?.kept;
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

  /** Who answers; shown where there may be several. */
  showArbitration(state) {
    const settings = state.tuning?.arbitration;
    const together = state.together ?? [];
    const satellites = new Set([...(state.satellites ?? []), ...(state.words ?? [])].map((each) => each.caller));
    find("arbitration").hidden = !settings || Boolean(this.satellite.value) || (satellites.size < 2 && !settings.window_ms && !together.length);
    if (!settings) return;
    const disabled = this.locked(state);
    this.window.show(settings.window_ms, { own: false, disabled });
    this.window.draw(together.map((each) => ({ value: each.later_ms, good: each.later_ms <= settings.window_ms })));
    this.always.checked = settings.always;
    this.always.disabled = disabled || !settings.window_ms;
    this.together.textContent = together.length
      ? `${together.length} times of late a second satellite heard the same word; the dots are how much later. The nearest answers where the slider is to the right of them.`
      : "The nearest answers if it is waited for. Dots will show how much later a second satellite hears a word.";
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
    this.showArbitration(state);
    find("undo").hidden = !state.tuning?.can_undo || Boolean(state.about?.read_only);
  }
}

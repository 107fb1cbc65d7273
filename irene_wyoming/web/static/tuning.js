// How words are heard: a slider for each, with its last scores drawn behind it.

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

export class Tuning {
  constructor(live) {
    this.live = live;
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
    const label = h("label", { for: id }, h("strong", {}, word.phrase || word.name), " is heard from ");
    const card = h("article", { class: "card" }, h("p", {}, label, value), h("div", { class: "slider" }, dots, slider), facts, reset);
    slider.oninput = () => (value.textContent = percent(slider.value));
    slider.onchange = () => this.change("tune", { word: word.name, setting: "threshold", value: Number(slider.value) });
    reset.onclick = () => this.change("tune", { word: word.name, setting: "threshold", value: null });
    card.parts = { slider, value, dots, facts, reset };
    return card;
  }

  update(card, word, state) {
    const { slider, value, dots, facts, reset } = card.parts;
    const own = state.tuning?.words?.[word.name]?.threshold ?? null;
    const readOnly = state.about?.read_only || !state.tuning?.kept;
    slider.disabled = readOnly;
    reset.hidden = own === null || readOnly;
    if (document.activeElement !== slider || !card.shown) slider.value = own ?? word.threshold ?? 0.5;
    if (card.shown !== own) slider.value = own ?? word.threshold ?? 0.5;
    card.shown = own;
    value.textContent = percent(slider.value);
    const heard = (state.words ?? []).filter((each) => each.word === word.name);
    const missed = heard.filter((each) => !each.heard).length;
    facts.textContent = heard.length
      ? `${heard.length - missed} heard and ${missed} nearly heard of late; the dots are how high they scored.`
      : "Not heard yet. Say it a few times: dots will show how high it scores.";
    dots.replaceChildren(...heard.filter((each) => each.peak >= LEAST).map(dot));
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

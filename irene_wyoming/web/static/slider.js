// A slider with what happened of late drawn behind it, and a button that takes its value back.

import { h } from "./dom.js";

/** A dot at a share of the width, in one of three rows so that equal ones do not hide each other. */
function dot({ at, good }, index) {
  const element = h("span", { class: good ? "good" : "near" });
  element.style.left = `${Math.max(0, Math.min(1, at)) * 100}%`;
  element.style.top = `${(index % 3) * 0.3}rem`;
  return element;
}

export class Slider {
  /**
   * @param id of the input.
   * @param label its name: text or elements.
   * @param range min, max and step.
   * @param text says what a value means.
   * @param change is called with a value that somebody has chosen; null: as configured.
   */
  constructor(id, label, range, text, change) {
    this.text = text;
    this.range = range;
    this.input = h("input", { type: "range", id, ...range });
    this.value = h("output", { for: id });
    this.dots = h("div", { class: "dots", "aria-hidden": "true" });
    this.reset = h("button", { type: "button", class: "small" }, "As configured");
    this.element = h(
      "div",
      { class: "slider-row" },
      h("p", {}, h("label", { for: id }, ...label), " ", this.value, " ", this.reset),
      h("div", { class: "slider" }, this.dots, this.input),
    );
    this.input.oninput = () => this.say();
    this.input.onchange = () => change(Number(this.input.value));
    this.reset.onclick = () => change(null);
  }

  say() {
    const text = this.text(Number(this.input.value));
    this.value.textContent = text;
    this.input.setAttribute("aria-valuetext", text);
  }

  /** Show a value, unless somebody is at it and it has not changed meanwhile. */
  show(value, { own, disabled }) {
    if (document.activeElement !== this.input || this.shown !== value) this.input.value = value;
    this.shown = value;
    this.input.disabled = disabled;
    this.reset.hidden = !own || disabled;
    this.say();
  }

  /** Draw what happened: values on the slider's own scale, and whether each was well. */
  draw(happened) {
    const { min, max } = this.range;
    const dots = happened.map(({ value, good }) => ({ at: (value - min) / (max - min), good }));
    this.dots.replaceChildren(...dots.map(dot));
  }
}

// Models that can be fetched by name, and how far that is.

import { find, h, joined } from "./dom.js";

export class Models {
  constructor(live) {
    this.live = live;
    this.all = [];
    this.rows = new Map();
    find("models-show").onclick = () => this.load();
  }

  tell(text, bad = false) {
    find("models-note").textContent = text;
    find("models-note").className = bad ? "bad" : "note";
  }

  async load() {
    try {
      this.all = (await this.live.ask("models")).models;
      this.rows.clear();
      find("models").replaceChildren(...this.all.map((model) => this.row(model)));
      find("models").hidden = false;
      this.show(this.live.state);
    } catch (error) {
      this.tell(error.message, true);
    }
  }

  row(model) {
    const bar = h("span");
    const meter = h("span", { class: "meter", role: "presentation", hidden: "" }, bar);
    const said = h("p", { class: "facts" });
    const fetch = h("button", { type: "button", class: "small", "aria-label": `Fetch ${model.name}` }, "Fetch");
    fetch.onclick = () => this.fetch(model.name);
    fetch.disabled = model.here;
    said.textContent = model.here ? "is here" : "";
    this.rows.set(model.name, { bar, meter, said, fetch });
    const facts = joined(model.engine, model.languages.join(", "), `${model.mb} MB`, model.licence);
    return h("li", {}, h("p", {}, h("strong", {}, model.name), " ", fetch), h("p", { class: "facts" }, facts), meter, said);
  }

  async fetch(name) {
    try {
      await this.live.ask("fetch", { name });
      this.tell(`${name} is being fetched.`);
    } catch (error) {
      this.tell(error.message, true);
    }
  }

  show(state) {
    for (const [name, { bar, meter, said, fetch }] of this.rows) {
      const told = state.fetching?.[name];
      if (!told) continue;
      meter.hidden = told.done;
      bar.style.transform = `scaleX(${told.share ?? 0})`;
      said.textContent = told.trouble || told.text;
      said.className = told.trouble ? "bad" : "facts";
      fetch.disabled = !told.done || !told.trouble;
    }
  }
}

// The names of the home: how many there are, how each is said, which cannot be said.

import { find, h } from "./dom.js";

export class Names {
  constructor(live) {
    this.live = live;
    this.all = [];
    find("names-show").onclick = () => this.load();
    find("names-reload").onclick = () => this.reload();
    find("names-find").oninput = () => this.table();
  }

  show(state) {
    const names = state.names;
    const summary = find("names-summary");
    find("names-show").disabled = find("names-reload").disabled = !names;
    if (!names) {
      summary.textContent = "No names are read from Home Assistant. Set home.url and home.token_file, or run this as an add-on.";
      return;
    }
    const from = names.version ? `Home Assistant ${names.version} tells ${names.counted}.` : `Known: ${names.counted}.`;
    summary.textContent = names.trouble ? `${from} Not current: ${names.trouble}` : from;
    summary.className = names.trouble ? "near" : "";
    find("names-left-out").replaceChildren(...names.left_out.map((line) => h("li", { class: "near" }, line)));
  }

  async load() {
    try {
      const answer = await this.live.ask("names");
      this.all = answer.names;
      find("names-find").hidden = false;
      this.table(answer.of);
    } catch (error) {
      find("names-table").replaceChildren(h("p", { class: "bad" }, error.message));
    }
  }

  async reload() {
    try {
      await this.live.ask("reload-names");
      if (this.all.length) setTimeout(() => this.load(), 1000);
    } catch (error) {
      find("names-table").replaceChildren(h("p", { class: "bad" }, error.message));
    }
  }

  table(of = this.all.length) {
    const sought = find("names-find").value.toLowerCase();
    const found = this.all.filter((name) => [name.written, ...name.said].some((text) => text.toLowerCase().includes(sought)));
    const rows = found.map((name) =>
      h("tr", {}, h("th", { scope: "row" }, name.written), h("td", {}, name.kind), name.why ? h("td", { class: "bad" }, `cannot be said: ${name.why}`) : h("td", {}, name.said.slice(0, 3).join(", "))),
    );
    const head = h("tr", {}, ...["Name", "Kind", "Is said"].map((text) => h("th", { scope: "col" }, text)));
    const more = of > this.all.length ? h("p", { class: "facts" }, `The first ${this.all.length} of ${of}.`) : null;
    find("names-table").replaceChildren(h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Names" }, h("table", {}, h("thead", {}, head), h("tbody", {}, ...rows))), ...(more ? [more] : []));
  }
}

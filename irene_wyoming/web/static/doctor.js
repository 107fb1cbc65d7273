// Has the doctor look at everything, and shows what it found.

import { find, h } from "./dom.js";

const CLASSES = { ok: "good", warning: "near", error: "bad" };
const WORDS = { ok: "good", warning: "doubtful", error: "broken" };

function row(link) {
  const cure = link.cure ? h("p", { class: "facts" }, link.cure) : null;
  return h("li", { class: CLASSES[link.level] }, h("p", {}, h("strong", {}, link.name), ` ${WORDS[link.level]}: ${link.text}`), cure);
}

export class Doctor {
  constructor(live) {
    this.live = live;
    find("examine").onclick = () => this.examine();
  }

  async examine() {
    const diagnosis = find("diagnosis");
    find("examine").disabled = true;
    diagnosis.textContent = "Looking \u2026";
    diagnosis.className = "note";
    try {
      const { links, first } = await this.live.ask("doctor");
      find("links").replaceChildren(...links.map(row));
      diagnosis.textContent = first ? `First: ${first.name}: ${first.text}. What to do: ${first.cure}.` : "Everything works.";
      diagnosis.className = first ? CLASSES[first.level] : "good-text";
    } catch (error) {
      diagnosis.textContent = error.message;
      diagnosis.className = "bad";
    }
    find("examine").disabled = false;
  }
}

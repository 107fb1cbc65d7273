// Recordings of wake words: switched on for each word, listened to, labelled; words are tuned and learned from them.

import { decibel, find, h, joined, keyed, percent } from "./dom.js";
import { showJob } from "./job.js";

const NEGATIVE = "negative";
/** A second look may still have refused what reached its threshold. */
const KINDS = { activation: "reached its threshold", "near-miss": "came close" };

/** "20260102T030405.000000Z" as a date. */
function date(time) {
  const [, year, month, day, hour, minute, second] = time.match(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)/);
  return new Date(Date.UTC(year, month - 1, day, hour, minute, second));
}

const said = (label) => (label === NEGATIVE ? "no wake word" : label);

export class Recordings {
  constructor(live, tuning) {
    this.live = live;
    this.tuning = tuning;
    this.loaded = false;
    this.newest = null;
    this.listed = { recordings: [], of: 0, labels: {} };
    find("recordings-show").onclick = () => this.load();
    find("recordings-which").onchange = () => this.list();
    find("job-stop").onclick = () => this.ask("stop");
  }

  /** Have something done; what goes wrong is told. Whether it went well. */
  async ask(what, fields = {}) {
    const note = find("recordings-note");
    try {
      const answer = await this.live.ask(what, fields);
      note.textContent = "";
      return answer;
    } catch (error) {
      note.textContent = error.message;
      note.className = "bad";
      return null;
    }
  }

  async load() {
    const answer = await this.ask("recordings");
    if (!answer) return;
    this.loaded = true;
    this.listed = answer;
    find("recordings-list").hidden = find("recordings-choice").hidden = false;
    find("recordings-show").textContent = "Look again";
    this.list();
  }

  /** Do something with a recording, and show how things are then. */
  async alter(what, fields) {
    if (await this.ask(what, fields)) await this.load();
  }

  words(state) {
    return this.tuning.words(state);
  }

  locked() {
    return Boolean(this.live.state.about?.read_only);
  }

  list() {
    const which = find("recordings-which").value;
    const wanted = this.listed.recordings.filter((each) => which === "all" || (which === "new") === !each.label);
    keyed(
      find("recordings-list"),
      wanted,
      (each) => each.name,
      (each) => this.row(each),
      (row, each) => this.updateRow(row, each),
      which === "new" ? "Nothing is waiting for a label." : "There are no recordings.",
    );
    const { recordings, of } = this.listed;
    find("recordings-more").textContent = of > recordings.length ? `The newest ${recordings.length} of ${of}.` : "";
    this.showLabels();
  }

  row(each) {
    const when = date(each.time);
    const name = `${each.word} of ${when.toLocaleString()}`;
    const verdict = h("strong");
    const audio = h("audio", { controls: "", preload: "none", src: `recordings/${encodeURIComponent(each.name)}`, "aria-label": `Recording of ${name}` });
    const button = (text, action) => {
      const element = h("button", { type: "button", class: "small", "aria-label": `${text}: ${name}` }, text);
      element.onclick = action;
      return element;
    };
    const label = (value) => this.alter("label", { name: each.name, label: value });
    const other = h("select", { "aria-label": `Another word: ${name}` });
    other.onchange = () => label(other.value);
    const buttons = h(
      "div",
      { class: "row tight" },
      button("The word", () => label(each.word)),
      button("No wake word", () => label(NEGATIVE)),
      other,
      button("Not sure", () => label("")),
      button("Remove", () => this.alter("remove", { name: each.name })),
    );
    const facts = joined(percent(each.score), decibel(each.level_dbfs, "dBFS"), `${each.seconds} s`);
    const row = h(
      "li",
      {},
      h("p", {}, verdict, ` ${each.word} ${KINDS[each.kind]}`),
      h("p", { class: "facts" }, h("time", { datetime: when.toISOString() }, when.toLocaleString()), ` · ${facts}`),
      audio,
      buttons,
    );
    row.parts = { verdict, buttons, other };
    return row;
  }

  updateRow(row, each) {
    const { verdict, buttons, other } = row.parts;
    verdict.textContent = each.label ? `${said(each.label)}:` : "";
    row.className = each.label ? (each.label === NEGATIVE ? "near" : "good") : "";
    buttons.hidden = this.locked();
    const names = this.known().filter((name) => name !== each.word);
    other.replaceChildren(h("option", { value: "" }, "Another word"), ...names.map((name) => h("option", { value: name }, name)));
    other.value = names.includes(each.label) ? each.label : "";
  }

  /** Every word that a recording may be of. */
  known() {
    const engines = (this.live.state.engines ?? []).filter((engine) => engine.role === "wake");
    return [...new Set(engines.flatMap((engine) => engine.words.map((word) => word.name)))].sort();
  }

  /** How many recordings there are of each label, and what can be made of them. */
  showLabels() {
    const labels = this.listed.labels;
    const negatives = labels[NEGATIVE] ?? 0;
    const words = Object.keys(labels).filter((label) => label !== NEGATIVE).sort();
    keyed(
      find("labels"),
      words,
      (word) => word,
      (word) => this.labelCard(word),
      (card, word) => {
        card.parts.counted.textContent = `${labels[word]} labelled as the word, ${negatives} as no wake word.`;
        card.parts.buttons.hidden = this.locked();
      },
      "Label some recordings: words are tuned from two and learned from five.",
    );
  }

  labelCard(word) {
    const counted = h("p", { class: "facts" });
    const tune = h("button", { type: "button" }, "Find its best settings");
    tune.onclick = () => this.ask("tune-wake", { word });
    const name = h("input", { type: "text", value: `my_${word}`, maxlength: 64 });
    const learn = h("button", { type: "button" }, "Learn it");
    const phrase = this.words(this.live.state).find((each) => each.name === word)?.phrase || word.replaceAll("_", " ");
    learn.onclick = () => this.ask("learn-wake", { word, name: name.value.trim(), phrase });
    const buttons = h("div", {}, h("div", { class: "row tight" }, tune), h("div", { class: "row tight" }, h("label", {}, "A word of your own, called ", name), learn));
    const card = h("article", { class: "card" }, h("h4", {}, word), counted, buttons);
    card.parts = { counted, buttons };
    return card;
  }

  showSwitches(state) {
    const recording = state.tuning?.recording;
    const every = Boolean(recording?.on) && !recording.words;
    keyed(
      find("recording-words"),
      this.words(state),
      (word) => word.name,
      (word) => {
        const box = h("input", { type: "checkbox" });
        box.onchange = async () => {
          const answer = await this.ask("record", { word: word.name, on: box.checked });
          if (!answer) this.showSwitches(this.live.state);
        };
        const row = h("li", {}, h("label", {}, box, ` Record ${word.phrase || word.name}`));
        row.parts = { box };
        return row;
      },
      (row, word) => {
        row.parts.box.checked = every || Boolean(recording?.on && recording.words.includes(word.name));
        row.parts.box.disabled = every || this.locked() || !recording?.folder || !state.tuning?.kept;
      },
      "There is no wake word engine.",
    );
    find("recording-folder").textContent = !recording?.folder
      ? "Set data_dir in the configuration to record anything."
      : every
        ? `Every word is recorded, as the configuration says, in ${recording.folder}.`
        : `Nothing is recorded unless it is ticked. Recordings stay on this machine, in ${recording.folder}; everybody in the room should know.`;
  }

  show(state, changed) {
    if (changed.tuning || changed.engines || changed.about || changed.words || changed.satellites) this.showSwitches(state);
    if ("job" in changed) showJob(this, state.job, this.locked());
    const newest = state.recorded?.[0]?.at ?? null;
    if (this.loaded && newest !== this.newest) this.load();
    this.newest = newest;
  }
}

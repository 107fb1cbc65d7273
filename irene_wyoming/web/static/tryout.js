// Tries a command or a wake word that is spoken into the browser, or is in a file.

import { find, h, joined, percent } from "./dom.js";

const RATE = 16000;
const PIECE = 1600;
const MOST_S = 30;

function pcm(floats) {
  const samples = new Int16Array(floats.length);
  for (let i = 0; i < floats.length; i++) samples[i] = Math.max(-1, Math.min(1, floats[i])) * 32767;
  return samples;
}

export class Tryout {
  constructor(live) {
    this.live = live;
    this.recording = null;
    this.latest = 0; // the number of the newest attempt: only its answer is shown
    find("speak").onclick = () => (this.recording ? this.stop() : this.start());
    find("file").onchange = (event) => this.play(event.target);
  }

  what() {
    return document.querySelector('input[name="what"]:checked').value;
  }

  say(...content) {
    find("tried").replaceChildren(...content);
  }

  trouble(error) {
    this.release();
    this.say(h("span", { class: "bad" }, error.message));
  }

  async start() {
    if (!navigator.mediaDevices) {
      this.say("The browser gives no microphone to a page without https. Open it through Home Assistant, or choose a recording.");
      return;
    }
    this.latest++;
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, echoCancellation: false } });
      const context = new AudioContext({ sampleRate: RATE });
      await context.audioWorklet.addModule(new URL("static/recorder.js", document.baseURI));
      const node = new AudioWorkletNode(context, "recorder");
      context.createMediaStreamSource(stream).connect(node);
      this.recording = { stream, context };
      this.live.begin(this.what(), (error) => this.trouble(error));
      node.port.onmessage = (event) => this.take(event.data);
      find("speak").textContent = "That was it";
      find("speak").setAttribute("aria-pressed", "true");
      this.recording.heard = 0;
      this.say("Listening: speak now.");
      this.recording.limit = setTimeout(() => this.stop(), MOST_S * 1000 - 1000);
    } catch (error) {
      this.trouble(error.name === "NotAllowedError" ? new Error("The browser does not allow the microphone to this page.") : error);
    }
  }

  take(floats) {
    if (!this.recording) return;
    this.live.send(pcm(floats));
    const before = Math.floor(this.recording.heard / RATE);
    this.recording.heard += floats.length;
    const seconds = Math.floor(this.recording.heard / RATE);
    if (seconds > before) this.say(`Listening: speak now. ${seconds} s`);
    const loudest = floats.reduce((most, each) => Math.max(most, Math.abs(each)), 0);
    find("speak-level").firstElementChild.style.transform = `scaleX(${Math.min(1, loudest * 2)})`;
  }

  release() {
    if (this.recording) {
      clearTimeout(this.recording.limit);
      this.recording.stream.getTracks().forEach((track) => track.stop());
      this.recording.context.close();
      this.recording = null;
    }
    find("speak").textContent = "Speak";
    find("speak").setAttribute("aria-pressed", "false");
    find("speak-level").firstElementChild.style.transform = "scaleX(0)";
  }

  async stop() {
    this.release();
    await this.result();
  }

  async play(input) {
    const [file] = input.files;
    input.value = "";
    if (!file) return;
    const mine = ++this.latest;
    this.say(`Reading ${file.name}`);
    try {
      const decoder = new OfflineAudioContext(1, 1, RATE);
      const audio = await decoder.decodeAudioData(await file.arrayBuffer());
      if (mine !== this.latest) return;
      if (audio.duration > MOST_S) throw new Error(`That is longer than ${MOST_S} s.`);
      const samples = pcm(audio.getChannelData(0));
      this.live.begin(this.what(), (error) => this.trouble(error));
      for (let at = 0; at < samples.length; at += PIECE) this.live.send(samples.slice(at, at + PIECE));
      await this.result();
    } catch (error) {
      if (mine !== this.latest) return;
      this.trouble(error.name === "EncodingError" ? new Error(`${file.name} holds no audio that the browser can read.`) : error);
    }
  }

  async result() {
    const mine = this.latest;
    this.say("Understanding it …");
    try {
      const answer = await this.live.ask("heard");
      if (mine !== this.latest) return;
      if (answer.why) this.showWhy(answer);
      else if (answer.words) this.showWords(answer);
      else this.say(h("strong", {}, answer.text || "Nothing was understood."), ` ${joined(`${answer.seconds} s of audio`, `${answer.delay_s} s to understand`)}`);
    } catch (error) {
      if (mine === this.latest) this.trouble(error);
    }
  }

  /** Nothing was heard: the first link that failed, and what to do. */
  showWhy({ words, why }) {
    this.say(
      h("strong", {}, words ? "No wake word was heard." : "Nothing was understood."),
      h("span", { class: why.level === "error" ? "bad" : "near" }, ` ${why.name}: ${why.text}.`),
      ` What to do: ${why.cure}.`,
    );
  }

  showWords({ words, closest, seconds }) {
    if (words.length) this.say(h("strong", {}, words.map((each) => `${each.word} (${percent(each.score)})`).join(", ")), ` in ${seconds} s of audio`);
    else this.say("No wake word was heard.", closest ? ` Closest: ${closest.word}, ${percent(closest.score)}.` : "");
  }
}

// What is being tuned or learned, and what came of it.

import { find, h, percent } from "./dom.js";

/** What tune-wake has found, and what stands in the way of a recommendation. */
function tuned(page, result, locked) {
  const best = result.best;
  if (!result.enough) return [h("p", { class: "near" }, "These are too few recordings to recommend anything: label at least two of the word, and ten seconds of others.")];
  if (!best) return [h("p", { class: "near" }, "No setting tells these recordings of the word from the others.")];
  const missed = result.missed.length ? ` It misses ${result.missed.length}.` : "";
  const use = h("button", { type: "button", class: "primary" }, "Use it");
  use.disabled = locked;
  use.onclick = () => page.ask("use", { word: result.word, threshold: best.threshold, trigger_level: best.trigger_level });
  return [
    h(
      "p",
      {},
      `${result.word} is best heard from ${percent(best.threshold)}, for ${best.trigger_level === 1 ? "1 step" : `${best.trigger_level} steps in a row`}: `,
      `so ${percent(best.recall)} of ${result.positives} recordings are heard, and ${best.false_accepts} of the others.${missed}`,
    ),
    use,
  ];
}

/** What learn-wake has made. */
function learned(result) {
  return [
    h("p", {}, h("strong", {}, result.word), " is learned. Satellites can listen for it now: choose it in Home Assistant."),
    h(
      "p",
      { class: "facts" },
      `Of ${result.held_out} of ${result.examples} recordings that it was not learned from, in other rooms and noise, it hears ${percent(result.heard)}. `,
      `In ${Math.round(result.hours * 60)} minutes of other speech it was heard ${result.false_accepts} times by mistake without a second look.`,
    ),
  ];
}

export function showJob(page, job, locked) {
  const section = find("job");
  section.hidden = !job;
  if (!job) return;
  find("job-title").textContent = job.what === "tune" ? `The best settings of ${job.word}` : `Learning ${job.word}`;
  find("job-meter").hidden = find("job-stop").hidden = job.done;
  find("job-stop").disabled = locked;
  find("job-meter").firstElementChild.style.transform = `scaleX(${job.share ?? 0})`;
  find("job-text").textContent = job.done ? "" : job.text;
  const [result] = job.what === "tune" ? (job.result ?? []) : [job.result];
  const shown = job.trouble ? [h("p", { class: "bad" }, job.trouble)] : result ? (job.what === "tune" ? tuned(page, result, locked) : learned(result)) : [];
  find("job-result").replaceChildren(...shown);
}

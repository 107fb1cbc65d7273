// The page: shows what the servers tell, as it changes.

import { find } from "./dom.js";
import { Doctor } from "./doctor.js";
import { showHealth } from "./health.js";
import { showHeard } from "./heard.js";
import { showListening } from "./listening.js";
import { Live } from "./live.js";
import { Models } from "./models.js";
import { Names } from "./names.js";
import { Recordings } from "./recordings.js";
import { Tryout } from "./tryout.js";
import { Tuning } from "./tuning.js";

const live = new Live(onState, onConnection);
const names = new Names(live);
const models = new Models(live);
const tuning = new Tuning(live);
const recordings = new Recordings(live, tuning);
new Tryout(live);
new Doctor(live);

function onConnection(connected) {
  const pill = find("connection");
  pill.textContent = connected ? "live" : "no connection, trying again";
  pill.className = connected ? "pill good" : "pill bad";
}

function onState(state, changed) {
  if (changed.satellites || changed.listeners || changed.microphones) showListening(state);
  showHeard(state, changed);
  showHealth(state, changed);
  if ("names" in changed) names.show(state);
  if (changed.fetching) models.show(state);
  if (changed.tuning || changed.engines || changed.words || changed.satellites || changed.about || changed.together) tuning.show(state);
  recordings.show(state, changed);
}

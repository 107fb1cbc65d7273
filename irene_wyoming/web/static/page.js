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

function showPill(text, good) {
  const pill = find("connection");
  if (pill.textContent !== text) pill.textContent = text;
  pill.className = good ? "pill good" : "pill bad";
}

function onConnection(connected) {
  showPill(connected ? "live" : "no connection, trying again", connected);
}

/** Whoever opens the page sees at its top that a server is missing. */
function showDown(servers) {
  const down = servers.filter((server) => !server.up).map((server) => server.name);
  showPill(down.length ? `not running: ${down.join(", ")}` : "live", !down.length);
}

function onState(state, changed) {
  if (changed.servers) showDown(state.servers);
  if (changed.satellites || changed.listeners || changed.microphones || changed.servers) showListening(state);
  showHeard(state, changed);
  showHealth(state, changed);
  if ("names" in changed) names.show(state);
  if (changed.fetching) models.show(state);
  if (changed.tuning || changed.engines || changed.words || changed.satellites || changed.about || changed.together) tuning.show(state);
  recordings.show(state, changed);
}

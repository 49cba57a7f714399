// The page of a live run: what it shows comes from /api/events, /api/stats and /api/state; what it
// changes goes to the others, with the token that came behind the '#' of its address.
"use strict";

const floorDb = -60; // of the meters
const mostRows = 16; // of meters, each way

let state = null; // the newest /api/state
let stats = null; // the newest /api/stats
let moment = null; // the newest event
let before = null; // the choice that A / B goes back to
let held = []; // peaks of the output's spectrum, which fall slowly
let changingBackend = false; // from the choice until the answer
let gainUntil = 0; // while the slider is moved, what the run tells of the gain is old

// ---- what is asked of the run ------------------------------------------------------------------

async function control(what, body) {
  const fresh = await change(what, body);
  if (fresh) takeState(fresh);
}

function choose(number) {
  if (state && number >= 1 && number <= state.filters.length) control("choice", { choice: number });
}

function setGain(gain) {
  const bounded = Math.min(60, Math.max(-120, gain));
  gainUntil = performance.now() + 400;
  showGain(bounded);
  control("gain", { gain_db: bounded });
}

// ---- words -------------------------------------------------------------------------------------

const decibels = (amplitude) => (amplitude > 1e-5 ? 20 * Math.log10(amplitude) : -Infinity);
const levelText = (db) => (db === -Infinity ? "silent" : db.toFixed(1).replace("-", "\u2212") + " dB");

const kinds = {
  "input-overflow": "input lost",
  "input-underflow": "input missing",
  "output-underflow": "output missing",
  "output-overflow": "output lost",
  "late-call": "block too late",
  "late-answer": "answer too late",
  gap: "device was away",
};

// Which stage took the time, and how much too long.
function reason(event) {
  if (event.kind === "gap") return `, for ${event.excess_seconds.toFixed(1)} s`;
  const ms = (1000 * event.excess_seconds).toFixed(1) + " ms";
  const stages = {
    wait: `: called ${ms} late`,
    compute: `: the filters took ${ms} too long`,
    device: `: ${ms} of the GPU's answers were not there`,
    card: ": in the sound card or its driver",
  };
  return stages[event.stage] || "";
}

// ---- the controls ------------------------------------------------------------------------------

function showGain(gain) {
  element("gain-text").textContent = (gain > 0 ? "+" : "") + gain.toFixed(1).replace("-", "\u2212") + " dB";
  if (document.activeElement !== element("gain") || performance.now() > gainUntil) element("gain").value = gain;
}

function showControls(from) {
  element("bypass").setAttribute("aria-pressed", from.bypass);
  element("limiter").setAttribute("aria-pressed", from.limiter);
  if (performance.now() > gainUntil) showGain(from.gain_db);
  const select = element("choice");
  if (select.options.length > 0 && Number(select.value) !== from.choice && document.activeElement !== select) {
    select.value = from.choice;
  }
}

function takeState(fresh) {
  const old = state;
  state = fresh;
  if (old && old.choice !== fresh.choice) before = old.choice;
  if (!old || old.filters.join("\n") !== fresh.filters.join("\n")) {
    element("choice").replaceChildren(
      ...fresh.filters.map((name, i) => new Option(`${i + 1}  ${name}`, i + 1)));
    before = null;
  }
  element("choice").value = fresh.choice;
  element("ab").disabled = fresh.filters.length < 2;
  if (!old || old.backends.join("\n") !== fresh.backends.join("\n")) {
    element("backend").replaceChildren(...fresh.backends.map((name) => new Option(name, name)));
  }
  element("backend").disabled = fresh.backends.length < 2 || changingBackend;
  if (!changingBackend && document.activeElement !== element("backend")) {
    element("backend").value = fresh.backend;
  }
  showControls(fresh);
  const channels = `${fresh.channels_in} in, ${fresh.channels_out} out, ${fresh.sample_rate_hz / 1000} kHz`;
  element("stream").textContent = `${fresh.output_device}: ${channels}`;
  const block = fresh.device_block_frames;
  const ms = (frames) => ((1000 * frames) / fresh.sample_rate_hz).toFixed(1) + " ms";
  const facts = {
    Filter: fresh.filter,
    Input: fresh.input_device,
    Output: fresh.output_device + (fresh.device_is_there ? "" : " (away)"),
    Latency: (fresh.latency_frames ? `${fresh.latency_frames} frames (${ms(fresh.latency_frames)})` : "none") +
      ` in the filters, blocks of ${block} frames (${ms(block)})`,
    Plan: fresh.plan,
    Backend: fresh.backend,
    Version: fresh.version,
  };
  showFacts(facts);
}

element("choice").addEventListener("change", (event) => {
  choose(Number(event.target.value));
  // Who chose with a mouse wants the keys to work again; who chose with keys, to stay there.
  if (!event.target.matches(":focus-visible")) event.target.blur();
});
element("backend").addEventListener("change", changeBackend);
element("bypass").addEventListener("click", () => moment && control("bypass", { bypass: !moment.bypass }));
element("limiter").addEventListener("click", () => moment && control("limiter", { limiter: !moment.limiter }));
element("ab").addEventListener("click", toggleFilters);
element("gain").addEventListener("input", (event) => setGain(Number(event.target.value)));

// The new backend has to make its spectra and to hear the past before it answers.
async function changeBackend() {
  const select = element("backend");
  const wanted = select.value;
  select.blur();
  changingBackend = true;
  select.disabled = true;
  await control("backend", { backend: wanted });
  changingBackend = false;
  refreshOnce();
}

function toggleFilters() {
  if (!state || state.filters.length < 2) return;
  choose(before || (state.choice % state.filters.length) + 1);
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !state || !moment) return;
  if (event.target.matches("input[type=password], select")) return;
  const count = state.filters.length;
  const actions = {
    b: () => element("bypass").click(),
    l: () => element("limiter").click(),
    x: toggleFilters,
    n: () => choose((state.choice % count) + 1),
    p: () => choose(((state.choice + count - 2) % count) + 1),
    "+": () => setGain(Number(element("gain").value) + 1),
    "=": () => setGain(Number(element("gain").value) + 1),
    "-": () => setGain(Number(element("gain").value) - 1),
  };
  if (actions[event.key]) actions[event.key]();
  else if (event.key >= "1" && event.key <= "9") choose(Number(event.key));
});

// ---- meters ------------------------------------------------------------------------------------

function makeMeter(way, number) {
  const meter = document.createElement("div");
  meter.className = `meter ${way}`;
  const part = (name, parent) => {
    const one = document.createElement("div");
    one.className = name;
    parent.append(one);
    return one;
  };
  part("name", meter).textContent = `${way === "in" ? "In" : "Out"} ${number}`;
  const bar = part("bar", meter);
  meter.parts = { peak: part("peak", bar), rms: part("rms", bar), highest: part("highest", bar) };
  meter.parts.value = part("value", meter);
  meter.parts.clips = part("clips", meter);
  return meter;
}

const place = (db) => Math.min(100, Math.max(0, 100 * (1 - db / floorDb))) + "%";

function showMeter(meter, level) {
  const peak = decibels(level.peak);
  meter.parts.peak.style.width = place(peak);
  meter.parts.rms.style.width = place(Math.min(decibels(level.rms), peak));
  meter.parts.highest.style.left = `calc(${place(decibels(level.highest))} - 2px)`;
  meter.parts.highest.hidden = level.highest < 1e-3;
  meter.parts.value.textContent = levelText(peak);
  meter.parts.clips.hidden = level.clips === 0;
  meter.parts.clips.textContent = counted(level.clips, "sample") + " clipped";
  meter.classList.toggle("clipped", level.clips > 0);
}

function showMeters() {
  const box = element("meters");
  const inputs = moment.inputs.slice(0, mostRows);
  const outputs = moment.outputs.slice(0, mostRows);
  if (box.meters !== inputs.length + outputs.length) {
    box.meters = inputs.length + outputs.length;
    box.replaceChildren(...inputs.map((_, i) => makeMeter("in", i + 1)),
      ...outputs.map((_, i) => makeMeter("out", i + 1)));
    const more = moment.inputs.length + moment.outputs.length - box.meters;
    if (more > 0) box.append(`and ${counted(more, "channel")} more`);
  }
  [...inputs, ...outputs].forEach((level, i) => showMeter(box.children[i], level));
}

// ---- drawing -----------------------------------------------------------------------------------

function drawSpectrum() {
  const { pen, width, height } = sheet("spectrum");
  const bands = state.bands_hz;
  if (bands.length < 2) return;
  const left = 34, right = width - 6, top = 8, bottom = height - 22;
  const lowDb = -100, highDb = 6;
  const octaves = Math.log2(bands[bands.length - 1] / bands[0]);
  const x = (hz) => left + ((right - left) * Math.log2(hz / bands[0])) / octaves;
  const y = (db) => top + ((bottom - top) * (highDb - Math.max(lowDb, Math.min(highDb, db)))) / (highDb - lowDb);

  pen.lineWidth = 1;
  pen.strokeStyle = colour("--line");
  pen.fillStyle = colour("--quiet");
  pen.textBaseline = "middle";
  pen.textAlign = "right";
  for (let db = 0; db >= lowDb; db -= 20) {
    pen.beginPath();
    pen.moveTo(left, y(db));
    pen.lineTo(right, y(db));
    pen.stroke();
    pen.fillText(String(db).replace("-", "\u2212"), left - 5, y(db));
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  for (const hz of [31.5, 63, 125, 250, 500, 1000, 2000, 4000, 8000, 16000]) {
    if (x(hz) < left + 8 || x(hz) > right - 10) continue;
    pen.beginPath();
    pen.moveTo(x(hz), top);
    pen.lineTo(x(hz), bottom);
    pen.stroke();
    pen.fillText(hz >= 1000 ? hz / 1000 + "k" : String(Math.floor(hz)), x(hz), bottom + 6);
  }

  const trace = (levels) => {
    pen.beginPath();
    levels.forEach((db, i) => (i ? pen.lineTo(x(bands[i]), y(db)) : pen.moveTo(x(bands[i]), y(db))));
  };
  const area = (levels, name, strength) => {
    trace(levels);
    pen.lineTo(right, bottom);
    pen.lineTo(left, bottom);
    pen.closePath();
    pen.globalAlpha = strength;
    pen.fillStyle = colour(name);
    pen.fill();
    pen.globalAlpha = 1;
    trace(levels);
    pen.strokeStyle = colour(name);
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    pen.stroke();
  };
  area(moment.input_db, "--in", 0.22);
  area(moment.output_db, "--out", 0.18);
  held = moment.output_db.map((db, i) => Math.max(db, (held[i] ?? -200) - 0.7));
  trace(held);
  pen.globalAlpha = 0.55;
  pen.lineWidth = 1;
  pen.stroke();
  pen.globalAlpha = 1;
}

function drawLoad() {
  const { pen, width, height } = sheet("load");
  const counts = stats.load.histogram;
  const left = 6, right = width - 6, top = 6, bottom = height - 20;
  // As far as anything was, and at least a little beyond the deadline.
  let last = counts.length - 1;
  while (last > 0 && counts[last] === 0) last -= 1;
  const most = Math.min(counts.length, Math.max(112, last + 4));
  const highest = Math.log1p(Math.max(...counts));
  const x = (percents) => left + ((right - left) * percents) / most;
  counts.forEach((count, i) => {
    if (count === 0) return;
    // Counts of very different size: a late block among a million has to be seen.
    const tall = Math.max(3, ((bottom - top) * Math.log1p(count)) / highest);
    pen.fillStyle = colour(i >= 100 ? "--bad" : i >= 70 ? "--out" : "--good");
    pen.fillRect(x(i) + 0.5, bottom - tall, Math.max(1.5, x(1) - x(0) - 1), tall);
  });
  pen.strokeStyle = colour("--line");
  pen.fillStyle = colour("--quiet");
  pen.beginPath();
  pen.moveTo(left, bottom);
  pen.lineTo(right, bottom);
  pen.stroke();
  pen.textBaseline = "top";
  const deadline = 1000 * stats.deadline_seconds;
  for (let at = 0; at <= most - 8; at += 25) {
    pen.textAlign = at === 0 ? "left" : "center";
    const text = deadline > 0 ? ((deadline * at) / 100).toFixed(2) + " ms" : at + " %";
    pen.fillText(at === 0 ? "0" : text, x(at), bottom + 5);
  }
  pen.strokeStyle = colour("--bad");
  pen.fillStyle = colour("--bad");
  pen.setLineDash([4, 3]);
  pen.beginPath();
  pen.moveTo(x(100), top);
  pen.lineTo(x(100), bottom);
  pen.stroke();
  pen.setLineDash([]);
  pen.textAlign = "right";
  pen.fillText("deadline", x(100) - 5, top);
}

function showStats() {
  const { load } = stats;
  element("load-facts").textContent =
    `${counted(load.calls, "block")}: mean ${percent(load.mean)}, 99 % below ${percent(load.p99)}, ` +
    `largest ${percent(load.largest)}; ${counted(load.late_calls, "late block")}. Counts are logarithmic.`;
  const parts = [counted(stats.xruns, "xrun")];
  for (const [stage, count] of Object.entries(stats.dropouts)) {
    if (count) parts.push(`${stage} ${count}`);
  }
  if (stats.gaps) parts.push(`${counted(stats.gaps, "gap")} of ${stats.gap_seconds.toFixed(1)} s`);
  element("xruns").textContent = parts.join(", ");
  showList("events", stats.events.slice(-30).reverse().map((event) => [
    time(event.seconds), (kinds[event.kind] || event.kind) + reason(event)]), "None so far.");
}

// ---- the way here ------------------------------------------------------------------------------

let frameWanted = false;

function draw() {
  frameWanted = false;
  if (!state || !moment) return;
  showMeters();
  showControls(moment);
  element("load-text").textContent = `now ${percent(moment.load)}`;
  drawSpectrum();
  if (stats) drawLoad();
}

function takeMoment(fresh) {
  moment = fresh;
  showLink(moment.device_is_there ? "live" : "device away", moment.device_is_there ? "good" : "bad");
  if (state && (moment.choice !== state.choice || moment.backend !== state.backend)) refreshOnce();
  if (frameWanted) return;
  frameWanted = true;
  requestAnimationFrame(draw);
}

async function refresh() {
  const [freshState, freshStats] = await Promise.all([read("/api/state"), read("/api/stats")]);
  takeState(freshState);
  stats = freshStats;
  showStats();
}

window.addEventListener("resize", draw);
const refreshOnce = keepFresh(refresh);
refreshOnce().then(() => listen("/api/events", takeMoment));

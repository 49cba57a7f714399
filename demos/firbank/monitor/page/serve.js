// The page of firbank serve: moments bring samples, events and losses as they come, for the channels
// that are seen; /api/stats and /api/state the rest.
"use strict";

const trailSeconds = 60; // of the rate and of the latency
const lossesKept = 1000;

let state = null; // the newest /api/state
let stats = null; // the newest /api/stats
let moment = null; // the newest event
let first = 0; // of the channels that are seen
let count = 16;
let seconds = 1; // of traces
let unitsPerRow = null; // of the traces; of the signal's loudness, until somebody chooses
let rms = null;
let bins = new BinStore(count);
let clock = new ScrollClock();
let events = new EventStore();
let losses = []; // [first frame, frames] of the stream, oldest first
let rates = []; // [seconds of the run, frames a second]
let latencies = []; // [seconds of the run, median, worst], in ms

// ---- words -------------------------------------------------------------------------------------

const grouped = (n) => Math.round(n).toLocaleString("en");
const milliseconds = (ms) => (ms < 10 ? ms.toFixed(1) : Math.round(ms)) + " ms";
const channelNumber = (text) => (/^\d+$/.test(text) ? Number(text) : text);

function linkText() {
  if (moment.stream === 0) return ["waiting for a sender", "quiet"];
  if (moment.silent_seconds > 2) return [`no packets for ${Math.floor(moment.silent_seconds)} s`, "bad"];
  return ["live", "good"];
}

// ---- which channels ----------------------------------------------------------------------------

function watch(from, many) {
  const channels = state.output_channels.length;
  count = Math.min(many, channels);
  first = Math.max(0, Math.min(from, channels - count));
  bins = new BinStore(count);
  element("shown").textContent = count === 1 ? state.output_channels[first]
    : `${state.output_channels[first]} to ${state.output_channels[first + count - 1]}`;
  element("earlier").disabled = first === 0;
  element("later").disabled = first + count >= channels;
  listen(`/api/events?first=${first}&count=${count}`, takeMoment);
}

function scaleBy(factor) {
  if (unitsPerRow) unitsPerRow *= factor;
}

element("earlier").addEventListener("click", () => watch(first - count, count));
element("later").addEventListener("click", () => watch(first + count, count));
element("count").addEventListener("change", (event) => watch(first, Number(event.target.value)));
element("span").addEventListener("change", (event) => { seconds = Number(event.target.value); });
element("smaller").addEventListener("click", () => scaleBy(1.5));
element("larger").addEventListener("click", () => scaleBy(1 / 1.5));

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !state) return;
  if (event.target.matches("input, select")) return;
  const actions = {
    PageUp: () => element("earlier").click(),
    PageDown: () => element("later").click(),
    "+": () => scaleBy(1 / 1.5),
    "=": () => scaleBy(1 / 1.5),
    "-": () => scaleBy(1.5),
  };
  if (!actions[event.key]) return;
  event.preventDefault();
  actions[event.key]();
});

// ---- bad channels ------------------------------------------------------------------------------

async function markBad(channel, bad) {
  const fresh = await change("bad", { channel, bad });
  if (fresh) takeState(fresh);
}

element("bad-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = element("bad-channel").value.trim();
  if (text === "") return;
  element("bad-channel").value = "";
  const named = state.input_channels.indexOf(text);
  markBad(named >= 0 ? named : channelNumber(text), true);
});

// A button that is replaced while it is pressed is never clicked, so only a change is shown.
function showBad() {
  const shown = state.bad_channels.map((channel) => `${channel} ${state.input_channels[channel]}`).join("\n");
  if (element("bad").dataset.shown === shown) return;
  element("bad").dataset.shown = shown;
  const chips = state.bad_channels.map((channel) => {
    const chip = document.createElement("button");
    chip.textContent = `${state.input_channels[channel]} \u00d7`;
    chip.title = "Good again";
    chip.addEventListener("click", () => markBad(channel, false));
    return chip;
  });
  element("bad").replaceChildren(...chips);
  element("bad-text").textContent = chips.length === 0 ? "none" : `${chips.length} of ${state.input_channels.length}`;
}

// ---- what comes --------------------------------------------------------------------------------

function takeState(fresh) {
  const channels = state ? state.output_channels.length : 0;
  const names = state ? state.input_channels.join("\n") : "";
  state = fresh;
  const rate = `${state.sample_rate_hz / 1000} kHz`;
  element("stream").textContent = `${state.input}: ${counted(state.input_channels.length, "channel")}, ${rate}`;
  if (names !== state.input_channels.join("\n")) {
    element("channel-names").replaceChildren(...state.input_channels.map((name) => new Option(name, name)));
  }
  showBad();
  const delay = state.delay_frames[0];
  const facts = {
    Input: state.input,
    Reference: state.reference || "none",
    Envelope: state.envelope || "none",
    Events: state.detection || "none",
    Delay: `${delay} frames (${milliseconds((1000 * delay) / state.sample_rate_hz)}), taken off where events are told`,
    Decimation: state.decimation > 1 ? `every ${state.decimation}th frame` : "none",
    Blocks: `${state.block_frames} frames (${milliseconds((1000 * state.block_frames) / state.sample_rate_hz)})`,
    Plan: state.plan,
    Backend: state.backend,
    Version: state.version,
  };
  if (!state.envelope) delete facts.Envelope;
  showFacts(facts);
  if (channels !== state.output_channels.length) watch(0, Number(element("count").value));
}

function takeMoment(fresh) {
  const isOther = moment && fresh.seconds < moment.seconds; // another run, at the same address
  if (moment && (isOther || fresh.stream !== moment.stream)) forget(isOther);
  if (moment && (isOther || fresh.stream !== moment.stream || fresh.backend !== moment.backend)) refresh();
  // After a change of channels all losses come once more.
  const known = losses.length ? losses[losses.length - 1][0] : -Infinity;
  losses.push(...fresh.losses.filter(([at]) => at > known));
  losses.splice(0, losses.length - lossesKept);
  moment = fresh;
  bins.take(moment.bins);
  events.take(moment.events);
  if (moment.rms) rms = moment.rms;
  clock.take((bins.newest + 1) * state.bin_frames - state.delay_frames[first], state.sample_rate_hz);
  if (!unitsPerRow && rms) chooseScale();
  remember();
  showLink(...linkText());
}

// What was of another stream; of another run its numbers of events and its trails as well.
function forget(isOtherRun) {
  bins = new BinStore(count);
  clock = new ScrollClock();
  losses = [];
  events.forget();
  if (!isOtherRun) return;
  events = new EventStore();
  rates = [];
  latencies = [];
}

// So that noise fills some of a row, and most of what stands out of it stays within.
function chooseScale() {
  const loud = rms.filter((one) => one > 0).sort((a, b) => a - b);
  if (loud.length > 0) unitsPerRow = 9 * loud[loud.length >> 1];
}

// One point a second.
function remember() {
  const newest = rates.length ? rates[rates.length - 1][0] : -Infinity;
  if (moment.seconds - newest < 1) return;
  rates.push([moment.seconds, moment.rate_hz]);
  const { events: found, median, max } = moment.recent_latency_ms;
  latencies.push([moment.seconds, found ? median : null, found ? max : null]);
  const isOld = ([at]) => at < moment.seconds - trailSeconds - 2;
  rates = rates.filter((point) => !isOld(point));
  latencies = latencies.filter((point) => !isOld(point));
}

// ---- figures -----------------------------------------------------------------------------------

function showInput() {
  const { input } = stats;
  const off = input.declared_rate_hz > 0 && input.rate_hz > 0 ? input.rate_hz / input.declared_rate_hz - 1 : null;
  const rate = input.rate_hz > 0 ? `${grouped(input.rate_hz)} frames a second` : "";
  element("input-text").textContent = rate;
  const parts = [`${grouped(input.declared_rate_hz || state.sample_rate_hz)} Hz declared`];
  if (off !== null && Math.abs(off) >= 5e-5) {
    parts.push(`${off > 0 ? "+" : "\u2212"}${(100 * Math.abs(off)).toFixed(2)} %`);
  }
  parts.push(counted(input.packets, "packet"), counted(input.frames, "frame"));
  if (input.streams > 1) parts.push(counted(input.streams, "stream"));
  if (input.broken_senders) parts.push(`${counted(input.broken_senders, "sender")} let go of`);
  if (input.last_error) parts.push(input.last_error);
  element("input-facts").textContent = parts.join(", ");
}

function showLatency() {
  const { events: found, median, p99, max } = stats.latency_ms;
  element("latency-facts").textContent = found === 0 ? "No events so far."
    : `Since the beginning: median ${milliseconds(median)}, 99 % within ${milliseconds(p99)}, worst ${milliseconds(max)}`;
}

function showLosses() {
  const { input, losses: newest, losses_before: before } = stats;
  element("losses-text").textContent = input.gaps === 0 ? "nothing"
    : `${counted(input.gap_frames, "frame")} in ${counted(input.gaps, "gap")}`;
  const rows = newest.slice(-30).reverse().map((loss) => [
    time(loss.first_frame / state.sample_rate_hz),
    `${counted(loss.frames, "frame")} from ${grouped(loss.first_frame)}` +
      (stats.stream > 1 ? ` of stream ${loss.stream}` : "")]);
  showList("losses", rows, "Nothing so far.");
  if (before + newest.length > rows.length && rows.length > 0) {
    const more = document.createElement("li");
    more.textContent = `and ${grouped(before + newest.length - rows.length)} before`;
    element("losses").append(more);
  }
}

function outputRow(output) {
  const row = document.createElement("li");
  const part = (name, text) => {
    const one = document.createElement("span");
    one.className = name;
    one.textContent = text;
    row.append(one, " ");
  };
  part("kind", output.kind);
  const receivers = output.receivers_now === undefined ? "" : `, ${counted(output.receivers_now, "receiver")}`;
  part("", counted(output.frames, output.kind === "events" ? "row" : "frame") + receivers);
  const dropped = output.dropped_frames || output.dropped_receiver_frames || 0;
  if (dropped) part("failed", `${grouped(dropped)} dropped`);
  part("to", "to " + output.to);
  if (output.failure) part("failed", `stopped: ${output.failure}`);
  return row;
}

function showStats() {
  showInput();
  showLatency();
  showLosses();
  element("outputs").replaceChildren(...stats.outputs.map(outputRow));
  const { found, lost } = stats.events;
  const secondly = stats.recent_latency_ms.events;
  element("events-text").textContent = `${grouped(found)} found, ${grouped(secondly)} in the last second` +
    (lost ? `, ${grouped(lost)} lost` : "");
}

// ---- drawing -----------------------------------------------------------------------------------

// Lines over the last minute: `lines` of [colour, index into a point], from 0 or `low` to `high`.
function drawTrail(id, points, lines, low, high, labels) {
  const { pen, width, height } = sheet(id);
  const left = 52, right = width - 4, top = 8, bottom = height - 8;
  const end = moment.seconds;
  const x = (at) => right - ((right - left) * (end - at)) / trailSeconds;
  const y = (value) => bottom - ((bottom - top) * (Math.min(high, Math.max(low, value)) - low)) / (high - low);
  pen.fillStyle = colour("--quiet");
  pen.strokeStyle = colour("--line");
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  for (const [value, text] of labels) {
    pen.beginPath();
    pen.moveTo(left, y(value));
    pen.lineTo(right, y(value));
    pen.stroke();
    pen.fillText(text, left - 6, y(value));
  }
  pen.lineWidth = 1.5;
  for (const [name, index] of lines) {
    pen.strokeStyle = colour(name);
    pen.beginPath();
    let drawing = false;
    for (const point of points) {
      const value = point[index];
      if (value === null || x(point[0]) < left) {
        drawing = false;
        continue;
      }
      if (drawing) pen.lineTo(x(point[0]), y(value));
      else pen.moveTo(x(point[0]), y(value));
      drawing = true;
    }
    pen.stroke();
  }
}

function drawTrails() {
  const declared = moment.declared_rate_hz || state.sample_rate_hz;
  const known = rates.map(([at, rate]) => [at, rate > 0 ? rate : null]);
  const off = known.reduce((most, [, rate]) => Math.max(most, rate === null ? 0 : Math.abs(rate / declared - 1)), 0);
  // At least a hundredth to each side, so that clocks that differ by little look steady.
  const span = declared * Math.min(1, Math.max(0.01, 1.3 * off));
  drawTrail("rate", known, [["--in", 1]], declared - span, declared + span,
    [[declared + span, grouped(declared + span)], [declared, grouped(declared)], [declared - span, grouped(declared - span)]]);
  const worst = latencies.reduce((most, [, , max]) => Math.max(most, max ?? 0), 0);
  const ceiling = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000].find((one) => one >= worst) || worst;
  drawTrail("latency", latencies, [["--out", 2], ["--in", 1]], 0, ceiling,
    [[ceiling, `${grouped(ceiling)} ms`], [ceiling / 2, `${ceiling / 2} ms`], [0, "0"]]);
}

let channelAt = () => 0; // of a height in the raster
let drawn = 0; // frames of the screen

function draw() {
  requestAnimationFrame(draw);
  drawn += 1;
  // 30 a second are enough for traces; the rest changes more slowly.
  if (!state || !moment || document.hidden || drawn % 2 === 0) return;
  const look = { bins, events, losses, rms, state, first, count, seconds, unitsPerRow: unitsPerRow || 1,
    end: clock.end(state.sample_rate_hz) };
  drawTraces(look);
  if (drawn % 6 === 1) channelAt = drawRaster(look);
  if (drawn % 30 === 1) drawTrails();
  const shown = unitsPerRow ? `${Number(unitsPerRow.toPrecision(2))} ${state.unit} a row` : "";
  if (element("scale").textContent !== shown) element("scale").textContent = shown;
}

element("raster").addEventListener("click", (event) => {
  if (state) watch(channelAt(event.offsetY) - (count >> 1), count);
});

element("traces").addEventListener("click", (event) => {
  if (!state || !state.is_in_rows || event.offsetX > gutter) return;
  const row = Math.floor((count * event.offsetY) / (element("traces").clientHeight - 24));
  element("bad-channel").value = state.input_channels[Math.min(first + row, first + count - 1)];
  element("bad-channel").focus();
});

// ---- the way here ------------------------------------------------------------------------------

const refresh = keepFresh(async () => {
  const [freshState, freshStats] = await Promise.all([read("/api/state"), read("/api/stats")]);
  takeState(freshState);
  stats = freshStats;
  showStats();
});

refresh();
requestAnimationFrame(draw);

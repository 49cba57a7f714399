// What there is to see of samples and events: traces of some channels that scroll by, and a raster of
// the events of all. All times are frames of the input: samples that come the filters' delay later are
// drawn where what caused them was.
"use strict";

const rasterSeconds = 10;
const gutter = 58; // of channels' names

// Lowest and highest samples of the newest bins, for each of the channels that are seen.
class BinStore {
  static size = 4096;

  constructor(channels) {
    const floats = () => Array.from({ length: channels }, () => new Float32Array(BinStore.size));
    this.low = floats();
    this.high = floats();
    this.numbers = new Float64Array(BinStore.size).fill(-Infinity); // of the bin in each place
    this.newest = -Infinity;
  }

  place(bin) {
    return ((bin % BinStore.size) + BinStore.size) % BinStore.size;
  }

  take(bins) {
    for (let i = 0; i < bins.count; ++i) {
      const at = this.place(bins.first + i);
      this.numbers[at] = bins.first + i;
      for (let c = 0; c < this.low.length; ++c) {
        this.low[c][at] = bins.low[c][i] * bins.step;
        this.high[c][at] = bins.high[c][i] * bins.step;
      }
    }
    if (bins.count > 0) this.newest = bins.first + bins.count - 1;
  }
}

// The newest events of all channels. They are numbered, so that none is taken twice.
class EventStore {
  static size = 1 << 18;

  constructor() {
    this.frames = new Float64Array(EventStore.size);
    this.channels = new Uint32Array(EventStore.size);
    this.seen = 0; // of the run
    this.kept = 0;
  }

  take(events) {
    for (let i = Math.max(0, this.seen - events.before); i < events.frames.length; ++i) {
      this.frames[this.kept % EventStore.size] = events.frames[i];
      this.channels[this.kept % EventStore.size] = events.channels[i];
      ++this.kept;
    }
    this.seen = Math.max(this.seen, events.before + events.frames.length);
  }

  forget() {
    this.kept = 0;
  }

  // The newest first, until `use` says that it is enough.
  backwards(use) {
    const oldest = Math.max(0, this.kept - EventStore.size);
    for (let i = this.kept - 1; i >= oldest; --i) {
      const at = i % EventStore.size;
      if (use(this.frames[at], this.channels[at]) === false) return;
    }
  }
}

// Which frame stands at the right edge now: moments come in bursts, time does not.
class ScrollClock {
  constructor() {
    this.offset = null; // of the stream's time behind the page's, in ms
    this.newest = -Infinity;
  }

  take(newest, rate) {
    if (newest === this.newest) return;
    this.newest = newest;
    const behind = performance.now() - (1000 * newest) / rate;
    if (this.offset === null || Math.abs(behind - this.offset) > 1000) this.offset = behind;
    this.offset += 0.05 * (behind - this.offset);
  }

  end(rate) {
    const reserve = 100; // ms, so that what is drawn has come
    const frame = ((performance.now() - this.offset - reserve) * rate) / 1000;
    return Math.min(frame, this.newest);
  }
}

// ---- what both have ----------------------------------------------------------------------------

// "12.5", from the stream's beginning on, along the lower edge.
function drawTimeAxis(pen, end, seconds, rate, x, bottom, right, step) {
  pen.fillStyle = colour("--quiet");
  pen.strokeStyle = colour("--line");
  pen.lineWidth = 1;
  pen.textAlign = "center";
  pen.textBaseline = "top";
  const last = end / rate;
  for (let at = Math.ceil((last - seconds) / step) * step; at < last; at += step) {
    if (at < 0 || x(at * rate) < gutter + 12 || x(at * rate) > right - 16) continue;
    pen.beginPath();
    pen.moveTo(x(at * rate), bottom);
    pen.lineTo(x(at * rate), bottom + 4);
    pen.stroke();
    pen.fillText(`${at.toFixed(step < 0.1 ? 3 : step < 0.5 ? 2 : step < 1 ? 1 : 0)} s`, x(at * rate), bottom + 6);
  }
}

function shadeLosses(pen, losses, x, left, right, top, bottom) {
  pen.fillStyle = colour("--bad");
  pen.globalAlpha = 0.35;
  for (const [first, frames] of losses) {
    const from = Math.max(left, x(first));
    const to = Math.min(right, Math.max(x(first + frames), x(first) + 2));
    if (to > from) pen.fillRect(from, top, to - from, bottom - top);
  }
  pen.globalAlpha = 1;
}

// ---- traces ------------------------------------------------------------------------------------

// `look`: bins, events, losses, state, first, count, seconds, unitsPerRow, end.
function drawTraces(look) {
  const { pen, width, height } = sheet("traces");
  const { bins, state, first, count, end } = look;
  const rate = state.sample_rate_hz;
  const left = gutter, right = width - 4, top = 4, bottom = height - 24;
  const row = (bottom - top) / count;
  const perFrame = (right - left) / (look.seconds * rate);
  const x = (frame) => right - (end - frame) * perFrame;
  shadeLosses(pen, look.losses, x, left, right, top, bottom);
  drawNames(pen, look, top, row);
  if (end === -Infinity || bins.newest === -Infinity) return;

  pen.save();
  pen.beginPath();
  pen.rect(left, top, right - left, bottom - top);
  pen.clip();
  pen.strokeStyle = colour("--in");
  pen.lineWidth = 1;
  pen.lineJoin = "bevel";
  const step = Math.max(1, Math.floor(1 / (perFrame * state.bin_frames))); // bins a pixel
  for (let c = 0; c < count; ++c) {
    const delay = state.delay_frames[first + c];
    const middle = top + (c + 0.5) * row;
    const scale = row / look.unitsPerRow;
    const oldest = Math.floor((end - look.seconds * rate + delay) / state.bin_frames);
    drawTrace(pen, bins, c, oldest, step, (bin) => x((bin + step / 2) * state.bin_frames - delay),
      (value) => middle - value * scale);
  }
  pen.fillStyle = colour("--out");
  look.events.backwards((frame, channel) => {
    if (x(frame) < left) return x(frame) > left - 50; // they come nearly in order
    const c = channel - first;
    if (c >= 0 && c < count) pen.fillRect(x(frame) - 1.5, top + (c + 0.5) * row + row * 0.28, 3, 3);
    return true;
  });
  pen.restore();
  drawTimeAxis(pen, end, look.seconds, rate, x, bottom, right, look.seconds / 4);
}

// From bin `oldest` on, with holes where nothing came. `step` bins are one stroke.
function drawTrace(pen, bins, c, oldest, step, x, y) {
  const { low, high, numbers, newest } = bins;
  const from = Math.max(oldest, newest - BinStore.size + 1);
  let drawing = false;
  pen.beginPath();
  for (let bin = Math.floor(from / step) * step; bin <= newest; bin += step) {
    let lowest = Infinity, highest = -Infinity;
    for (let i = 0; i < step; ++i) {
      const at = bins.place(bin + i);
      if (numbers[at] !== bin + i) continue;
      lowest = Math.min(lowest, low[c][at]);
      highest = Math.max(highest, high[c][at]);
    }
    if (lowest > highest) {
      drawing = false;
      continue;
    }
    if (drawing) pen.lineTo(x(bin), y(highest));
    else pen.moveTo(x(bin), y(highest));
    pen.lineTo(x(bin), y(lowest) + 0.5);
    drawing = true;
  }
  pen.stroke();
}

function drawNames(pen, look, top, row) {
  const every = Math.max(1, Math.ceil(13 / row));
  pen.textAlign = "left";
  pen.textBaseline = "middle";
  for (let c = 0; c < look.count; c += every) {
    const channel = look.first + c;
    const bad = look.state.is_in_rows && look.state.bad_channels.includes(channel);
    pen.fillStyle = colour(bad ? "--bad" : "--quiet");
    pen.fillText(look.state.output_channels[channel], 0, top + (c + 0.5) * row, gutter - 6);
  }
}

// ---- raster ------------------------------------------------------------------------------------

// `look` as above, and rms. Returns which channel a height stands for.
function drawRaster(look) {
  const { pen, width, height } = sheet("raster", { willReadFrequently: true });
  const { state, end } = look;
  const rate = state.sample_rate_hz;
  const channels = state.output_channels.length;
  const strip = Math.min(90, width / 6);
  const left = gutter, right = width - strip - 10, top = 4, bottom = height - 24;
  const x = (frame) => right - ((end - frame) * (right - left)) / (rasterSeconds * rate);
  const y = (channel) => top + ((bottom - top) * channel) / channels;
  if (end !== -Infinity) {
    shadeLosses(pen, look.losses, x, left, right, top, bottom);
    putDots(pen, look.events, left, right, top, bottom, x, y);
    drawTimeAxis(pen, end, rasterSeconds, rate, x, bottom, right, 2);
  }
  pen.strokeStyle = colour("--in");
  pen.strokeRect(left - 3.5, y(look.first), right - left + 5, y(look.first + look.count) - y(look.first));
  pen.fillStyle = colour("--quiet");
  pen.textAlign = "left";
  pen.textBaseline = "top";
  pen.fillText(state.output_channels[0], 0, top, gutter - 8);
  pen.textBaseline = "bottom";
  pen.fillText(state.output_channels[channels - 1], 0, bottom, gutter - 8);
  if (look.rms) drawStrip(pen, look, right + 10, width - 2, y, bottom);
  return (at) => Math.floor((channels * (at - top)) / (bottom - top));
}

// Straight into the picture: there may be a hundred thousand. Where many are they grow stronger.
function putDots(pen, events, left, right, top, bottom, x, y) {
  const ratio = pen.getTransform().a;
  const across = Math.max(1, Math.round((right - left) * ratio));
  const down = Math.max(1, Math.round((bottom - top) * ratio));
  const picture = pen.getImageData(Math.round(left * ratio), Math.round(top * ratio), across, down);
  const bytes = picture.data;
  const ink = [...colour("--text").match(/[0-9a-f]{2}/g).map((two) => parseInt(two, 16)), 255];
  const tall = Math.max(1, Math.floor((y(1) - y(0)) * ratio));
  const wide = Math.max(1, Math.round(ratio));
  events.backwards((frame, channel) => {
    const column = Math.round((x(frame) - left) * ratio);
    if (column < 0) return column > -50; // they come nearly in order
    const row = Math.floor((y(channel) - top) * ratio);
    for (let i = row; i < Math.min(down, row + tall); ++i) {
      for (let j = column; j < Math.min(across, column + wide); ++j) {
        const at = 4 * (i * across + j);
        for (let k = 0; k < 4; ++k) bytes[at + k] += 0.6 * (ink[k] - bytes[at + k]);
      }
    }
    return true;
  });
  pen.putImageData(picture, Math.round(left * ratio), Math.round(top * ratio));
}

// RMS by channel, beside the raster's rows.
function drawStrip(pen, look, left, right, y, bottom) {
  const most = 1.1 * look.rms.reduce((a, b) => Math.max(a, b), 1e-30);
  const rows = Math.max(1, Math.floor(bottom - y(0))); // of pixels
  const perRow = look.rms.length / rows;
  pen.fillStyle = colour("--good");
  for (let row = 0; row < Math.min(rows, look.rms.length); ++row) {
    // Of several channels in a row of pixels the loudest.
    const from = perRow > 1 ? Math.floor(row * perRow) : row;
    const to = perRow > 1 ? Math.max(from + 1, Math.floor((row + 1) * perRow)) : row + 1;
    let rms = 0;
    for (let c = from; c < to; ++c) rms = Math.max(rms, look.rms[c]);
    const above = Math.round(y(from)); // whole pixels, so that no rows shine through
    pen.fillRect(left, above, ((right - left) * rms) / most, Math.round(y(to)) - above);
  }
  pen.fillStyle = colour("--quiet");
  pen.textAlign = "right";
  pen.textBaseline = "top";
  const text = `${most < 10 ? most.toPrecision(2) : Math.round(most)} ${look.state.unit} RMS`;
  pen.fillText(text, right, bottom + 6);
}

// Scales take values to places on an axis, and choose where an axis is marked.

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// Ticks are {value, words}, or {value} alone for a line without a word. `room` is how many words fit.

// 1, 10, 100 and so on, with 2 and 5 between where there is room.
function logTicks(low, high, room, inWords) {
  const first = Math.floor(Math.log10(low) + 1e-9);
  const last = Math.ceil(Math.log10(high) - 1e-9);
  const decades = Math.max(1, last - first);
  const every = Math.max(1, Math.ceil(decades / Math.max(1, room)));
  const between = room >= 3 * decades ? [1, 2, 5] : [1];
  const ticks = [];
  for (let exponent = first; exponent <= last; exponent += 1) {
    for (let figure = 1; figure <= 9; figure += 1) {
      const value = figure * 10 ** exponent;
      if (value < low * 0.999 || value > high * 1.001) continue;
      const named = between.includes(figure) && (exponent - first) % every === 0;
      if (named) ticks.push({ value, words: inWords(value) });
      else if (decades <= 5 || figure === 1) ticks.push({ value });
    }
  }
  return ticks;
}

function logScale(low, high, from, to, inWords = (value) => plain(value)) {
  const least = Math.max(low, 1e-300);
  const most = Math.max(high, least * 1.0001);
  const octaves = Math.log(most / least);
  return {
    low: least,
    high: most,
    place: (value) => from + ((to - from) * Math.log(clamp(value, least, most) / least)) / octaves,
    ticks: (room) => logTicks(least, most, room, inWords),
  };
}

function linearScale(low, high, from, to, inWords = null) {
  const most = high > low ? high : low + 1;
  const stepFor = (room) => {
    const raw = (most - low) / Math.max(1, room);
    const decade = 10 ** Math.floor(Math.log10(raw));
    return decade * [1, 2, 5, 10].find((figure) => figure * decade >= raw * 0.999);
  };
  return {
    low,
    high: most,
    place: (value) => from + ((to - from) * (clamp(value, low, most) - low)) / (most - low),
    ticks: (room) => {
      const step = stepFor(room);
      const decimals = clamp(-Math.floor(Math.log10(step) + 1e-9), 0, 12);
      const even = (value) => fixed(value, decimals);
      const ticks = [];
      for (let n = Math.ceil(low / step - 1e-9); n * step <= most + step * 1e-9; n += 1) {
        const value = n === 0 ? 0 : n * step;
        ticks.push({ value, words: (inWords || even)(value) });
      }
      return ticks;
    },
  };
}

// A logarithmic scale that is marked at some values alone, such as block sizes.
function scaleOf(values, from, to, inWords) {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  const scale = logScale(sorted[0] / 1.25, sorted.at(-1) * 1.25, from, to);
  scale.ticks = (room) => {
    const every = Math.max(1, Math.ceil(sorted.length / Math.max(1, room)));
    return sorted.map((value, n) => (n % every ? { value } : { value, words: inWords(value) }));
  };
  return scale;
}

// The decades that hold all of the values.
function decadesOf(values) {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  return [10 ** Math.floor(Math.log10(least) + 1e-9), 10 ** Math.ceil(Math.log10(most) - 1e-9)];
}

// Somewhat more than what all of the values take on a logarithmic scale.
function roomFor(values, share = 0.06) {
  const least = values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const more = Math.max((most / least) ** share, 1.1);
  return [least / more, most * more];
}

// What a report holds, whatever it holds, and its figures in words. A value that is missing, or of
// another type than it should be, is null, and never a 0.
"use strict";

// ---- values ------------------------------------------------------------------------------------

const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const object = (value) => (isObject(value) ? value : {});
const list = (value) => (Array.isArray(value) ? value : []);
const largest = 1e30; // of any figure; beyond it a figure is no measured one, nor can it be drawn
const number = (value) => (typeof value === "number" && Math.abs(value) <= largest ? value : null);
const positive = (value) => (number(value) >= 1 / largest ? value : null);
const text = (value) => (typeof value === "string" && value !== "" ? value : null);

// Lists that are too long to be drawn are cut, and the page says so.
const cuts = new Set();

function upTo(most, values, what) {
  if (values.length > most) {
    cuts.add(`Of ${count(values.length)} ${what} the first ${count(most)} are shown.`);
  }
  return values.slice(0, most);
}

// What ends a part of the page that cannot be shown: it names what the report has not.
class Missing extends Error {}

function need(value, what) {
  if (value === null || (Array.isArray(value) && value.length === 0)) throw new Missing(what);
  return value;
}

// ---- figures -----------------------------------------------------------------------------------

const nothing = "\u2013";
const superscripts = "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079";

function powerOfTen(exponent) {
  const figures = String(Math.abs(exponent)).replace(/./g, (figure) => superscripts[figure]);
  return "10" + (exponent < 0 ? "\u207b" : "") + figures;
}

// With no more digits than a measured figure has.
function digits(value, most = 3) {
  if (number(value) === null) return nothing;
  if (value === 0) return "0";
  const rounded = Number(value.toPrecision(most));
  const exponent = Math.floor(Math.log10(Math.abs(rounded)));
  if (exponent >= 12 || exponent < -9) {
    const mantissa = digits(rounded / 10 ** exponent, most);
    return `${mantissa} \u00d7 ${powerOfTen(exponent)}`;
  }
  const decimals = Math.max(0, most - 1 - exponent);
  return fixed(rounded, decimals);
}

// A value that is round in itself, such as that of a mark on an axis: without zeros at its end.
function plain(value, most = 6) {
  if (number(value) === null) return nothing;
  const rounded = Number(value.toPrecision(most));
  const size = Math.abs(rounded);
  if (size !== 0 && (size >= 1e12 || size < 1e-6)) return digits(rounded, 1);
  return rounded.toLocaleString("en-US", { maximumFractionDigits: 12 }).replace("-", "\u2212");
}

// With so many decimals, as what stands in one column has.
function fixed(value, decimals) {
  if (number(value) === null) return nothing;
  if (Math.abs(value) >= 1e12) return digits(value);
  const options = { minimumFractionDigits: decimals, maximumFractionDigits: decimals };
  return value.toLocaleString("en-US", options).replace("-", "\u2212");
}

// A count, which is exact.
function count(value) {
  if (number(value) === null) return nothing;
  if (!Number.isInteger(value) || Math.abs(value) >= 1e15) return digits(value);
  return value.toLocaleString("en-US").replace("-", "\u2212");
}

const counted = (value, thing) => `${count(value)} ${thing}${value === 1 ? "" : "s"}`;

// With a sign in front, also where it is a plus.
const signed = (value, most = 3) => (value > 0 ? "+" : "") + digits(value, most);

function percent(share, most = 3) {
  return number(share) === null ? nothing : `${digits(100 * share, most)}\u00a0%`;
}

const steps = [[1e12, "T"], [1e9, "G"], [1e6, "M"], [1e3, "k"], [1, ""]];

// 1.23e9 of "flop/s" is "1.23 Gflop/s".
function prefixed(value, unit, inWords = digits) {
  if (number(value) === null) return nothing;
  const [size, prefix] = steps.find(([size]) => Math.abs(value) >= 0.9995 * size) || steps.at(-1);
  return `${inWords(value / size)}\u00a0${prefix}${unit}`.trim();
}

const timeSteps = [[1e9, "s"], [1e6, "ms"], [1e3, "\u00b5s"], [1, "ns"]];

function time(ns, inWords = digits) {
  if (number(ns) === null) return nothing;
  const [size, unit] = timeSteps.find(([size]) => Math.abs(ns) >= 0.9995 * size) || timeSteps.at(-1);
  return `${inWords(ns / size)}\u00a0${unit}`;
}

// On axes.
const timeMark = (ns) => (ns === 0 ? "0" : time(ns, (value) => plain(value)));
const amountMark = (value) => prefixed(value, "", (rest) => plain(rest));
const secondsMark = (seconds) => `${plain(seconds)}\u00a0s`;

function bytes(value) {
  if (number(value) === null) return nothing;
  const units = ["bytes", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (Math.abs(value) >= 1023.5 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${Number.isInteger(value) ? count(value) : digits(value)}\u00a0${units[unit]}`;
}

const scaled = (value, scale) => (number(value) === null ? null : value * scale);
const micros = (us) => time(scaled(us, 1e3));
const seconds = (s) => (s === 0 ? "0\u00a0s" : time(scaled(s, 1e9)));
const decibels = (db) => (number(db) === null ? nothing : `${digits(db)}\u00a0dB`);

const asTime = new Map([["ns", 1], ["us", 1e3], ["ms", 1e6], ["s", 1e9]]);

// A value with a unit by its name in reports: "ns", "frames", "flops/s" and so on.
function quantity(value, unit) {
  if (number(value) === null) return nothing;
  if (asTime.has(unit)) return time(value * asTime.get(unit));
  if (unit === "bytes") return bytes(value);
  if (unit === "1/s") return prefixed(value, "/s");
  const figure = Number.isInteger(value) ? count(value) : digits(value, 4);
  if (unit === "ratio" || !text(unit)) return figure;
  return `${figure}\u00a0${unit === "x" ? "\u00d7" : unit}`;
}

// ---- percentiles -------------------------------------------------------------------------------

function quantileName(quantile) {
  const value = number(quantile);
  return value === null || value <= 0 || value >= 1 ? null : `p${Number((100 * value).toFixed(4))}`;
}

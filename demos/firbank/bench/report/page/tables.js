// The page's words and tables: elements are made, and text is only ever put into them as text.

function make(name, className, ...children) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...children);
  return made;
}

// ---- parts of the page ---------------------------------------------------------------------------

// A part under a title; `build` returns what is in it. What the report has not is said in its place.
function section(title, build) {
  const part = make("section", "", make("h2", "", title));
  try {
    part.append(...build().filter((one) => one !== null));
  } catch (problem) {
    if (!(problem instanceof Missing)) throw problem;
    part.append(lacking(problem));
  }
  return part;
}

function lacking(problem) {
  const words = `This report does not have ${problem.message}, or not in a form that can be shown.`;
  return make("p", "missing", words);
}

// One thing of a part, which may be missing without the rest.
function part(build) {
  try {
    return build();
  } catch (problem) {
    if (!(problem instanceof Missing)) throw problem;
    return lacking(problem);
  }
}

const paragraph = (words, className = "") => make("p", className, words);
const note = (words) => paragraph(words, "note");

// ---- tables --------------------------------------------------------------------------------------

const mostRows = 400;

// Columns are {title, words, wrap} where `words` is true for text, which is on the left, and `wrap` for
// titles that may be long. Rows are lists of
// cells, or {cells, className}; a cell is a text or {text, className, span}; {group} is a heading within.
// With `most` rows in one, what follows them stands beside them, under the same heads.
function table({ caption, columns, rows, wide = true, most = mostRows }) {
  const shown = rows.slice(0, mostRows);
  const pieces = Math.max(1, Math.ceil(shown.length / most));
  const each = Math.ceil(shown.length / pieces);
  const tables = Array.from({ length: pieces }, (_, n) =>
    tableOf(columns, shown.slice(n * each, (n + 1) * each), wide && pieces === 1));
  const box = make("div", "scroll", pieces > 1 ? make("div", "beside", ...tables) : tables[0]);
  const parts = caption ? [paragraph(caption, "caption"), box] : [box];
  if (rows.length > mostRows) {
    parts.push(note(`And ${count(rows.length - mostRows)} more rows, which are in the JSON.`));
  }
  return make("div", each <= 16 ? "short" : "", ...parts);
}

function tableOf(columns, rows, wide) {
  const head = make("tr", "");
  for (const column of columns) {
    const cell = make("th", column.words ? "words" : column.wrap ? "wrap" : "", column.title);
    cell.scope = "col";
    head.append(cell);
  }
  const body = make("tbody", "", ...rows.map((row) => tableRow(row, columns)));
  return make("table", wide ? "wide" : "", make("thead", "", head), body);
}

function tableRow(row, columns) {
  if (row.group) {
    const cell = make("td", "", row.group);
    cell.colSpan = columns.length;
    return make("tr", "group", cell);
  }
  const cells = (row.cells || row).map((cell, n) => {
    const words = String(cell.text ?? cell);
    const way = columns[n]?.words ? (/\S{25}/.test(words) ? "words long" : "words") : "";
    const made = make("td", `${way} ${cell.className || ""}`, words);
    if (cell.span) made.colSpan = cell.span;
    return made;
  });
  return make("tr", row.className || "", ...cells);
}

// ---- names and values ----------------------------------------------------------------------------

const units = [
  ["_ns", (value) => time(value)],
  ["_us", micros],
  ["_s", seconds],
  ["_seconds", seconds],
  ["_percent", (value) => `${digits(value)}\u00a0%`],
  ["_hz", (value) => `${count(value)}\u00a0Hz`],
  ["_bytes", bytes],
  ["_frames", (value) => counted(value, "frame")],
  ["_blocks", (value) => counted(value, "block")],
  ["_dbfs", (value) => `${digits(value)}\u00a0dBFS`],
  ["_db", decibels],
];

const longestFact = 400;

// A name as a report's key has it, and its value, in words; of objects all that is in them. `none` is
// what a null means.
function factsOf(values, none, prefix = "") {
  return Object.entries(object(values)).flatMap(([key, value]) => {
    if (isObject(value)) return factsOf(value, none, `${prefix}${key} `);
    const [ending, inWords] = units.find(([ending]) => key.endsWith(ending)) || ["", plainFact];
    const isFigure = number(value) !== null;
    const bare = isFigure ? key.slice(0, key.length - ending.length) : key;
    const name = (prefix + bare).replaceAll("_", " ");
    return [[name, isFigure ? inWords(value) : plainFact(value, none)]];
  });
}

function plainFact(value, none = nothing) {
  if (value === null || value === undefined || value === "") return none;
  if (value === true) return "yes";
  if (value === false) return "no";
  if (typeof value === "number") return plain(value, Number.isInteger(value) ? 15 : 4);
  const items = Array.isArray(value) ? value.slice(0, longestFact) : [value];
  const words = items.map(itemOf).join(items.some(isObject) ? "; " : ", ") || "none";
  return words.length > longestFact ? `${words.slice(0, longestFact)}\u2026` : words;
}

// "cpu-neon, not available, not part of this build": what an object in a list holds, on one line.
function itemOf(value) {
  if (!isObject(value)) return typeof value === "object" ? JSON.stringify(value) : String(value);
  return Object.entries(value).filter(([, held]) => held !== null).map(([key, held]) => {
    if (typeof held === "boolean") return `${held ? "" : "not "}${key.replaceAll("_", " ")}`;
    return typeof held === "object" ? `${key}: ${JSON.stringify(held)}` : String(held);
  }).join(", ");
}

function facts(values, what, none = nothing) {
  const pairs = need(factsOf(values, none), what);
  const shown = pairs.slice(0, mostRows);
  return make("dl", "facts", ...shown.map(([name, value]) =>
    make("div", "", make("dt", "", name), make("dd", "", value))));
}

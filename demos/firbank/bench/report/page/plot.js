// A chart: axes, curves, marks and labels in an SVG of so many pixels. It is drawn anew for every
// width, so that words keep their size on a phone, on a wide screen and on paper.

const seriesNames = ["one", "two", "three", "four", "five", "six"];
const seriesShapes = ["circle", "square", "triangle", "diamond", "point-down", "plus"];
const seriesClass = (n) => seriesNames[n % seriesNames.length];
const seriesShape = (n) => seriesShapes[n % seriesShapes.length];

// Marks round (0, 0), some 4 pixels large; as paths, so that all can be counted as one kind.
const shapes = {
  circle: "M-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z",
  square: "M-3.2-3.2h6.4v6.4h-6.4z",
  triangle: "M0-4.2L4 3.2H-4z",
  diamond: "M0-4.6L4 0L0 4.6L-4 0z",
  "point-down": "M0 4.2L4-3.2H-4z",
  plus: "M0-4.4V4.4M-4.4 0H4.4",
  cross: "M-3.4-3.4L3.4 3.4M-3.4 3.4L3.4-3.4",
  dot: "M-1.7 0a1.7 1.7 0 1 0 3.4 0a1.7 1.7 0 1 0-3.4 0z",
  "small-cross": "M-2.6-2.6L2.6 2.6M-2.6 2.6L2.6-2.6",
};
const lineShapes = ["plus", "cross", "small-cross"];

const textWidth = (() => {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = "12px system-ui, sans-serif";
  return (words) => pen.measureText(words).width;
})();

function svgNode(name, attributes, words) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (words !== undefined) node.textContent = words;
  return node;
}

// Cut where it is wider than there is room.
function fitting(words, room) {
  if (textWidth(words) <= room) return words;
  let kept = words.slice(0, Math.ceil(room / 3));
  while (kept.length > 1 && textWidth(kept + "\u2026") > room) kept = kept.slice(0, -1);
  return kept + "\u2026";
}

const short = (value) => value.toFixed(2).replace(/\.?0+$/, "");

let onPaper = false;

class Plot {
  // A chart that is `flexible` is flatter on paper, so that more of them share a page.
  constructor(width, height, { left = 56, right = 14, top = 26, bottom = 42, flexible = true } = {}) {
    if (onPaper && flexible) height = Math.round(0.72 * height);
    this.width = width;
    this.height = height;
    this.left = left;
    this.right = width - right;
    this.top = top;
    this.bottom = height - bottom;
    this.taken = []; // by words: boxes that others keep clear of
    this.svg = svgNode("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" });
  }

  add(name, attributes, words) {
    const node = svgNode(name, attributes, words);
    this.svg.append(node);
    return node;
  }

  line(x1, y1, x2, y2, className) {
    const [from, to] = [`${short(x1)} ${short(y1)}`, `${short(x2)} ${short(y2)}`];
    return this.add("path", { d: `M${from}L${to}`, class: className });
  }

  // ---- axes ----------------------------------------------------------------------------------------

  axes(x, y, xTitle, yTitle) {
    this.x = x;
    this.y = y;
    for (const tick of y.ticks(Math.max(2, Math.floor((this.bottom - this.top) / 32)))) {
      const at = y.place(tick.value);
      this.line(this.left, at, this.right, at, tick.words === undefined ? "grid minor" : "grid");
      if (tick.words !== undefined) this.words(tick.words, this.left - 7, at + 4, "end");
    }
    this.xAxis(x, xTitle);
    this.words(yTitle, 0, this.top - 12, "start", "strong");
  }

  xAxis(x, title, top = this.top) {
    this.x = x;
    let free = -Infinity; // the next word begins behind this
    for (const tick of x.ticks(Math.max(2, Math.floor((this.right - this.left) / 62)))) {
      const at = x.place(tick.value);
      this.line(at, top, at, this.bottom, tick.words === undefined ? "grid minor" : "grid");
      if (tick.words === undefined) continue;
      const half = textWidth(tick.words) / 2;
      const centre = clamp(at, half, this.width - half);
      if (centre - half < free) continue;
      this.words(tick.words, centre, this.bottom + 17, "middle");
      free = centre + half + 8;
    }
    this.line(this.left, this.bottom, this.right, this.bottom, "axis");
    this.words(title, this.right, this.bottom + 35, "end", "strong");
  }

  // ---- words ---------------------------------------------------------------------------------------

  words(whole, x, y, anchor = "start", className = "") {
    const words = fitting(whole, this.width - 4);
    const wide = textWidth(words);
    const left = anchor === "end" ? x - wide : anchor === "middle" ? x - wide / 2 : x;
    this.taken.push({ left, right: left + wide, top: y - 10, bottom: y + 3 });
    const place = { x: short(x), y: short(y), "text-anchor": anchor };
    return this.add("text", { ...place, class: className }, words);
  }

  // At the first of the places, [x, y, anchor], where it hides no other words; false where none is.
  label(words, places, className = "strong") {
    const wide = textWidth(words);
    for (const [x, y, anchor] of places) {
      const left = anchor === "end" ? x - wide : anchor === "middle" ? x - wide / 2 : x;
      const box = { left: left - 2, right: left + wide + 2, top: y - 11, bottom: y + 4 };
      const inside = box.left >= 0 && box.right <= this.width + 2 && box.top >= 0 &&
        box.bottom <= this.height;
      const hides = this.taken.some((other) => box.left < other.right && other.left < box.right &&
        box.top < other.bottom && other.top < box.bottom);
      if (inside && !hides) {
        this.words(words, x, y, anchor, className);
        return true;
      }
    }
    return false;
  }

  // Round a point, on the side where there is room.
  labelPoint(words, x, y, className = "strong") {
    return this.label(words, [[x + 8, y + 4, "start"], [x - 8, y + 4, "end"], [x, y - 9, "middle"],
      [x, y + 18, "middle"], [x + 7, y - 7, "start"], [x - 7, y - 7, "end"], [x + 7, y + 15, "start"],
      [x - 7, y + 15, "end"]], className);
  }

  keepClear(x, y, far = 5) {
    this.taken.push({ left: x - far, right: x + far, top: y - far, bottom: y + far });
  }

  // ---- what is drawn -------------------------------------------------------------------------------

  // `points` are places, [x, y]; null begins a new piece.
  curve(points, className) {
    let path = "";
    let pen = "M";
    for (const point of points) {
      if (point) path += `${pen}${short(point[0])} ${short(point[1])}`;
      pen = point ? "L" : "M";
    }
    if (path) this.add("path", { d: path, class: `curve ${className}` });
  }

  area(points, className) {
    const path = points.map(([x, y]) => `${short(x)} ${short(y)}`).join("L");
    if (path) this.add("path", { d: `M${path}Z`, class: `area ${className}` });
  }

  // A bar along x, from a value to another; a gap tells it from the next one.
  bar(from, to, top, tall, className, tip) {
    const left = this.x.place(from);
    const wide = Math.max(0.5, this.x.place(to) - left - 1);
    const node = this.add("rect", { x: short(left), y: short(top), width: short(wide), height: tall,
      class: `mark bar ${className}` });
    if (tip) node.append(svgNode("title", {}, tip));
  }

  mark(shape, x, y, className, tip) {
    const cross = lineShapes.includes(shape) ? " cross" : "";
    const node = this.add("path", { d: shapes[shape], class: `mark ${className}${cross}`,
      transform: `translate(${short(x)} ${short(y)})` });
    if (tip) node.append(svgNode("title", {}, tip));
  }

  // A line across at a value of y.
  level(value, className) {
    const at = this.y.place(value);
    this.line(this.left, at, this.right, at, className);
  }

  // A line from top to bottom at a value of x, with words beside it.
  upright(value, words, className) {
    const at = this.x.place(value);
    this.line(at, this.top, at, this.bottom, className);
    const places = [11, 25, 39, 53].flatMap((down) =>
      [[at + 5, this.top + down, "start"], [at - 5, this.top + down, "end"]]);
    if (words) this.label(words, places);
  }
}

// ---- figures -----------------------------------------------------------------------------------

const charts = []; // that are drawn again

// A figure whose `draw` takes a width and returns a Plot. `half` charts stand two beside each other.
function chart({ title, caption, keys = [], half = false, draw }) {
  draw(600); // so that what is missing is told before anything of it is on the page
  const sheet = make("div", "sheet");
  const figure = make("figure", "", make("figcaption", "", make("b", "", title), caption), sheet);
  if (keys.length > 0) figure.append(make("ul", "keys", ...keys.map(keyOf)));
  charts.push({ sheet, half, draw, title });
  return figure;
}

// What a line or a mark stands for. `line` is true for a curve of this class, or a class of its own.
function keyOf({ words, className, line = false, shape = null, open = false }) {
  const plot = svgNode("svg", { viewBox: "0 0 26 12", "aria-hidden": "true" });
  const put = (attributes) => plot.append(svgNode("path", attributes));
  if (line) put({ d: "M0 6H26", class: line === true ? `curve ${className}` : line });
  if (shape) {
    const ways = [lineShapes.includes(shape) ? "cross" : "", open ? "open" : ""].join(" ");
    put({ d: shapes[shape], class: `mark ${ways} ${className}`, transform: "translate(13 6)" });
  }
  return make("li", "", plot, words);
}

const paperWidth = 680; // of A4 and Letter between their margins, in CSS pixels

function drawCharts(paper) {
  onPaper = paper;
  for (const { sheet, half, draw, title } of charts) {
    const onSheet = sheet.clientWidth || paperWidth;
    const plot = draw(onPaper ? (half ? 330 : paperWidth) : Math.max(260, Math.round(onSheet)));
    plot.svg.setAttribute("aria-label", title);
    sheet.replaceChildren(plot.svg);
  }
}

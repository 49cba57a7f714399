// How the times of blocks are distributed: histograms on a logarithmic axis, and percentiles.

// [[upper_ns, count], ...] in order, without what is no such pair.
function binsOf(times) {
  return upTo(20000, list(object(times).histogram), "bins of a histogram")
    .filter((bin) => Array.isArray(bin) && number(bin[0]) !== null && bin[0] >= 0 && positive(bin[1]))
    .map(([upper, n]) => [Math.max(1, upper), n])
    .sort((a, b) => a[0] - b[0]);
}

const binsADecade = 24;

// Bins that are equally wide on a logarithmic axis: [low, high, share of all]. The report's own, which
// are finer, come into that which holds them.
function evenBins(bins) {
  const all = bins.reduce((sum, [, n]) => sum + n, 0);
  const counts = new Map();
  for (const [upper, n] of bins) {
    const place = Math.floor(Math.log10(upper * 0.9999) * binsADecade);
    counts.set(place, (counts.get(place) || 0) + n);
  }
  const edge = (place) => 10 ** (place / binsADecade);
  return [...counts].sort((a, b) => a[0] - b[0])
    .map(([place, n]) => [edge(place), edge(place + 1), n / all]);
}

const blocksIn = (bins) => bins.reduce((sum, [, n]) => sum + n, 0);

// The outline of bins as places; down to `floor` where there is a gap.
function outline(bins, x, y, floor) {
  const points = [];
  let end = null;
  for (const [low, high, share] of bins) {
    if (end !== null && low > end * 1.001) points.push([x.place(end), floor]);
    if (end === null || low > end * 1.001) points.push([x.place(low), floor]);
    points.push([x.place(low), y(share)], [x.place(high), y(share)]);
    end = high;
  }
  if (end !== null) points.push([x.place(end), floor]);
  return points;
}

const shareMark = (share) => `${plain(100 * share)}\u00a0%`;

// The times of a run by name, and what stands under them.
function timesOf(report, run, name) {
  return object(object(object(object(report.runs)[run]).times)[name]);
}

function timeRange(sets, deadline) {
  const ends = sets.flatMap((bins) => (bins.length ? [bins[0][0], bins.at(-1)[0]] : []));
  return roomFor(deadline ? [...ends, deadline] : ends, 0.04);
}

function runKeys(hasEmpty, deadline) {
  const keys = [{ words: "engine", className: "one", line: true }];
  if (hasEmpty) {
    keys.push({ words: "empty loop: the machine's own part", className: "two", line: true });
  }
  if (deadline) {
    keys.push({ words: `deadline ${time(deadline)}`, className: "", line: "deadline" });
  }
  return keys;
}

// The engine's outline, filled, and the empty loop's over it.
function outlines(plot, engine, empty, y, floor, className = "") {
  const own = outline(engine, plot.x, y, floor);
  plot.area(own, "one");
  plot.curve(own, `one ${className}`);
  plot.curve(outline(empty, plot.x, y, floor), `two ${className}`);
}

// ---- end to end ----------------------------------------------------------------------------------

// Of the engine and of the empty loop, which may have none.
function endToEndBins(report) {
  const [engine, empty] = ["engine", "empty"].map((run) => binsOf(timesOf(report, run, "end_to_end")));
  return [need(engine, "a histogram of the times end to end"), empty];
}

function histogramChart(report, deadline) {
  const [engine, empty] = endToEndBins(report);
  const draw = (width) => {
    const plot = new Plot(width, 300, { top: 76 });
    const fewest = 0.5 / Math.max(blocksIn(engine), blocksIn(empty));
    plot.axes(logScale(...timeRange([engine, empty], deadline), plot.left, plot.right, timeMark),
      logScale(fewest, 1, plot.bottom, plot.top, shareMark), "end to end", "share of blocks");
    outlines(plot, evenBins(engine), evenBins(empty), (share) => plot.y.place(share), plot.bottom);
    if (deadline) plot.upright(deadline, "", "deadline");
    quantileMarks(plot, timesOf(report, "engine", "end_to_end"));
    return plot;
  };
  return chart({
    title: "How late the output is",
    caption: "From when a block's last sample is there until its output is. Both axes are " +
      "logarithmic, so that one block among many is seen.",
    keys: runKeys(empty.length > 0, deadline),
    half: true,
    draw,
  });
}

const quantiles = [["p50_ns", "p50"], ["p99_ns", "p99"], ["p99_9_ns", "p99.9"], ["max_ns", "max"]];

// Above the chart, each in a row of its own where they come close to each other.
function quantileMarks(plot, times) {
  const rows = [8, 22, 36, 50].map((up) => plot.top - up);
  for (const [key, name] of quantiles) {
    const value = positive(times[key]);
    if (value === null) continue;
    const at = plot.x.place(value);
    plot.line(at, plot.top - 4, at, plot.top + 8, "axis");
    const places = ["middle", "start", "end"].flatMap((side) => rows.map((y) => [at, y, side]));
    plot.label(`${name} ${time(value)}`, places);
  }
}

// ---- percentiles ---------------------------------------------------------------------------------

// Steps of [1 / (1 - p), time], after HdrHistogram's plot. The last block, whose p is 1, ends at the
// number of blocks.
function percentileSteps(bins) {
  const all = blocksIn(bins);
  const points = [];
  let before = 0;
  for (const [upper, n] of bins) {
    points.push([1 / (1 - before / all), upper]);
    before += n;
    points.push([before >= all ? all : 1 / (1 - before / all), upper]);
  }
  return points;
}

function percentileScale(most, from, to) {
  const scale = logScale(1, Math.max(most, 10), from, to);
  scale.ticks = () => {
    const ticks = [{ value: 1, words: "0" }, { value: 2, words: "50" }];
    for (let odds = 10; odds <= scale.high * 1.001; odds *= 10) {
      ticks.push({ value: odds, words: plain(100 * (1 - 1 / odds), 15) });
    }
    return ticks;
  };
  return scale;
}

function percentileChart(report, deadline) {
  const [engine, empty] = endToEndBins(report);
  const [low, high] = timeRange([engine, empty], deadline);
  const most = Math.max(blocksIn(engine), blocksIn(empty));
  const draw = (width) => {
    const plot = new Plot(width, 300, { top: 76 });
    plot.axes(percentileScale(most, plot.left, plot.right),
      logScale(low, high, plot.bottom, plot.top, timeMark), "percentile", "end to end, at most");
    const place = ([odds, ns]) => [plot.x.place(odds), plot.y.place(ns)];
    if (deadline) plot.level(deadline, "deadline");
    plot.curve(percentileSteps(empty).map(place), "two");
    plot.curve(percentileSteps(engine).map(place), "one");
    return plot;
  };
  return chart({
    title: "How often it is how late",
    caption: "That share of all blocks was out within the time. The axis gives each further nine " +
      "the same room; it ends with the latest block.",
    keys: runKeys(empty.length > 0, deadline),
    half: true,
    draw,
  });
}

// ---- stages --------------------------------------------------------------------------------------

const rowTall = 58;

// A row each for the stages, above each other on one axis.
function stagesChart(report, deadline) {
  const rows = stageNames.map(([key, name]) => {
    const [times, other] = ["engine", "empty"].map((run) => timesOf(report, run, key));
    return { name, times, engine: binsOf(times), empty: binsOf(other) };
  }).filter((row) => row.engine.length || row.empty.length);
  need(rows, "histograms of the stages");
  const [low, high] = timeRange(rows.flatMap((row) => [row.engine, row.empty]), deadline);
  const draw = (width) => {
    const tall = 58 + rowTall * rows.length;
    const plot = new Plot(width, tall, { left: 2, top: 14, flexible: false });
    plot.xAxis(logScale(low, high, plot.left, plot.right, timeMark), "time in the stage");
    rows.forEach((row, n) => stageRow(plot, row, plot.top + rowTall * n));
    if (deadline) plot.upright(deadline, "", "deadline");
    return plot;
  };
  return chart({
    title: "Each stage",
    caption: "The same for the parts of a block's way. The height is logarithmic; the lowest is one " +
      "block.",
    keys: runKeys(rows.some((row) => row.empty.length), deadline),
    draw,
  });
}

function stageRow(plot, { name, times, engine, empty }, top) {
  const bottom = top + rowTall - 4;
  const [own, other] = [evenBins(engine), evenBins(empty)];
  const fewest = 0.5 / Math.max(blocksIn(engine), blocksIn(empty));
  const most = Math.max(...own.concat(other).map((bin) => bin[2]));
  const y = logScale(fewest, most, bottom, top + 17);
  plot.line(plot.left, bottom, plot.right, bottom, "grid");
  outlines(plot, own, other, (share) => y.place(share), bottom, "thin");
  const figures = [["p50", times.p50_ns], ["p99", times.p99_ns], ["max", times.max_ns]]
    .filter(([, value]) => number(value) !== null)
    .map(([word, value]) => `${word} ${time(value)}`).join(", ");
  const after = plot.left + textWidth(name) + 12;
  plot.words(name, plot.left, top + 10, "start", "strong");
  plot.words(fitting(figures, plot.width - after), after, top + 10);
}

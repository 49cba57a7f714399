// A latency report: when the output of each block was there, where its time went, and what was late.

const stageNames = [["wait", "waiting"], ["ingest", "ingest"], ["to_device", "to the device"],
  ["compute", "compute"], ["from_device", "from the device"], ["publish", "publish"]];
const sumNames = [["wake_up", "waking up"], ["work", "work: ingest to publish"],
  ["processor", "processor time of the work"], ["end_to_end", "end to end"]];

// Why a deadline was missed: in a table, beside a mark, and the mark.
const causes = {
  computing: ["computing took too long", "computing", "triangle"],
  yielding: ["the thread gave the processor up", "gave the processor up", "square"],
  interrupted: ["the processor was taken from the thread", "processor taken", "diamond"],
  woken_late: ["the thread was woken late", "woken late", "point-down"],
  behind: ["behind a block that was late", "behind a late one", "circle"],
};

function causeOf(cause) {
  const name = plainFact(cause);
  return Object.hasOwn(causes, name) ? causes[name] : [name, name, "plus"];
}

function latencySections(report) {
  const deadline = positive(object(report.timing).deadline_ns);
  return [
    section("Output", () => [
      make("div", "pair", part(() => histogramChart(report, deadline)),
        part(() => percentileChart(report, deadline))),
    ]),
    section("Over time", () => [
      part(() => seriesChart(report, deadline)),
      part(() => missesTable(report)),
      part(() => emptyMisses(report)),
    ]),
    section("Where the time goes", () => [
      part(() => medianChart(report, deadline)),
      part(() => stagesChart(report, deadline)),
      part(() => stagesTable(report)),
    ]),
    section("How it was timed", () => [
      part(() => facts(timingFacts(report), "how it was timed")),
      part(() => grantsTable(report)),
      part(() => segmentsTable(report)),
    ]),
  ];
}

const runNames = [["engine", "engine"], ["empty", "empty loop"]];
const runOf = (report, run) => object(object(report.runs)[run]);

// ---- over time -----------------------------------------------------------------------------------

// [second, time], with null where much more time has passed than between most points: there the other
// loop ran.
function seriesOf(report, run, key) {
  const points = upTo(5000, list(runOf(report, run).series), "points of a series")
    .filter((point) => number(object(point).at_s) !== null && positive(point[key]))
    .map((point) => [point.at_s, point[key]]);
  const spaces = points.slice(1).map((point, n) => point[0] - points[n][0]).sort((a, b) => a - b);
  const usual = spaces[Math.floor(spaces.length / 2)] || Infinity;
  return points.flatMap((point, n) =>
    (n > 0 && point[0] - points[n - 1][0] > 2.5 * usual ? [null, point] : [point]));
}

// The latest ones first.
function missesOf(report) {
  const misses = list(object(runOf(report, "engine").misses).list)
    .filter((miss) => number(object(miss).at_s) !== null && positive(miss.end_to_end_ns))
    .sort((a, b) => b.end_to_end_ns - a.end_to_end_ns);
  return upTo(2000, misses, "misses, the latest ones in front,");
}

function seriesChart(report, deadline) {
  const sets = runNames.flatMap(([run], n) => [["p50_ns", ""], ["max_ns", " thin"]]
    .map(([key, way]) => ({ points: seriesOf(report, run, key), className: seriesClass(n) + way })));
  need(sets[0].points, "the times over the run");
  const misses = missesOf(report);
  const points = sets.flatMap((set) => set.points.filter(Boolean));
  const last = points.reduce((most, point) => Math.max(most, point[0]), 0);
  const values = [...points.map((point) => point[1]), ...misses.map((miss) => miss.end_to_end_ns)];
  const [low, high] = roomFor(deadline ? [...values, deadline] : values, 0.05);
  const draw = (width) => {
    const plot = new Plot(width, 290);
    plot.axes(linearScale(0, last, plot.left, plot.right, secondsMark),
      logScale(low, high, plot.bottom, plot.top, timeMark), "time of the run", "end to end");
    const place = (point) => point && [plot.x.place(point[0]), plot.y.place(point[1])];
    for (const set of sets) plot.curve(set.points.map(place), set.className);
    if (deadline) plot.level(deadline, "deadline");
    for (const miss of misses) missMark(plot, miss);
    return plot;
  };
  const kinds = [...new Set(misses.map((miss) => plainFact(miss.cause)))].slice(0, 12);
  return chart({
    title: "The run",
    caption: "The strong lines are medians, the thin ones the latest block, of short spans. A gap is " +
      "where the other loop ran.",
    keys: [...runKeys(sets[2].points.length > 0, deadline), ...kinds.map(missKey)],
    draw,
  });
}

function missMark(plot, miss) {
  const [words, , shape] = causeOf(miss.cause);
  plot.mark(shape, plot.x.place(miss.at_s), plot.y.place(miss.end_to_end_ns), "bad",
    `block ${count(miss.block)}: ${time(miss.end_to_end_ns)}, ${words}`);
}

function missKey(cause) {
  const [, words, shape] = causeOf(cause);
  return { words: `missed: ${words}`, className: "bad", shape };
}

// ---- misses --------------------------------------------------------------------------------------

function missesTable(report) {
  const run = runOf(report, "engine");
  const misses = object(run.misses);
  const all = need(number(misses.count), "the number of missed deadlines");
  const blocks = positive(run.blocks);
  const among = blocks ? ` of ${counted(blocks, "block")}` : "";
  if (all === 0) return paragraph(`No deadline was missed${among}.`);
  const listed = missesOf(report);
  const rows = Object.entries(object(misses.causes)).filter(([, n]) => n !== 0).map(([cause, n]) => {
    const latest = object(listed.find((miss) => miss.cause === cause));
    return [causeOf(cause)[0], count(n), percent(number(n) / all), time(latest.end_to_end_ns)];
  });
  const cut = misses.list_is_complete === false
    ? " Not all of them are listed; the latest is of those that are." : "";
  const share = blocks ? `, ${percent(all / blocks)}` : "";
  return table({
    caption: `Missed deadlines: ${count(all)}${among}${share}.${cut}`,
    columns: [{ title: "because", words: true }, { title: "misses" }, { title: "of all" },
      { title: "latest" }],
    rows,
    wide: false,
  });
}

// What the machine alone missed: so many of the engine's may be none of its own.
function emptyMisses(report) {
  const run = runOf(report, "empty");
  const missed = positive(object(run.misses).count);
  if (!missed) return null;
  return paragraph(`The empty loop, which computes nothing, missed ${count(missed)} of ` +
    `${counted(run.blocks, "block")}.`);
}

// ---- where the time goes -------------------------------------------------------------------------

function medianBars(report) {
  const bars = runNames.map(([run, name]) => {
    const parts = stageNames
      .map(([key, stage], n) => ({ stage, n, ns: positive(timesOf(report, run, key).p50_ns) }))
      .filter((one) => one.ns);
    return { name, parts, whole: parts.reduce((sum, one) => sum + one.ns, 0) };
  });
  return need(bars.filter((bar) => bar.parts.length), "the medians of the stages");
}

function medianChart(report, deadline) {
  const bars = medianBars(report);
  const longest = Math.max(...bars.map((bar) => bar.whole));
  const draw = (width) => {
    const plot = new Plot(width, 54 + 42 * bars.length, { left: 2, top: 8, flexible: false });
    plot.xAxis(linearScale(0, 1.02 * longest, plot.left, plot.right, timeMark),
      "medians of the stages in their order");
    bars.forEach(({ name, parts, whole }, row) => {
      const top = plot.top + 14 + 42 * row;
      const share = deadline ? `, ${percent(whole / deadline, 2)} of the deadline` : "";
      plot.words(`${name}: ${time(whole)}${share}`, plot.left, top - 3, "start", "strong");
      let begin = 0;
      for (const { stage, n, ns } of parts) {
        plot.bar(begin, begin + ns, top + 3, 16, seriesClass(n), `${stage}: ${time(ns)}`);
        begin += ns;
      }
    });
    return plot;
  };
  const [first] = bars;
  return chart({
    title: "A median block",
    caption: `The medians of the stages one after another; the figures below are the ${first.name}'s. ` +
      "Their sum is not quite the median of the whole.",
    keys: first.parts.map(({ stage, n, ns }) => ({
      words: `${stage} ${time(ns)}, ${percent(ns / first.whole, 2)}`,
      className: seriesClass(n),
      shape: "square",
    })),
    draw,
  });
}

const timeColumns = [["mean_ns", "mean"], ["p50_ns", "p50"], ["p90_ns", "p90"], ["p99_ns", "p99"],
  ["p99_9_ns", "p99.9"], ["p99_99_ns", "p99.99"], ["max_ns", "max"]];

const inMicros = (ns) => digits(scaled(ns, 1e-3));

function stagesTable(report) {
  const rows = runNames.flatMap(([run, title]) => {
    const own = [...stageNames, ...sumNames].flatMap(([key, name]) => {
      const figures = timeColumns.map(([column]) => inMicros(timesOf(report, run, key)[column]));
      if (figures.every((figure) => figure === nothing)) return [];
      return [{ className: key === "end_to_end" ? "strong" : "", cells: [name, ...figures] }];
    });
    return own.length ? [{ group: title }, ...own] : [];
  });
  return table({
    caption: "Times in \u00b5s, to three digits. A percentile for which there were too few blocks is " +
      "left out.",
    columns: [{ title: "stage", words: true }, ...timeColumns.map(([, title]) => ({ title }))],
    rows: need(rows, "the times of the stages"),
  });
}

// ---- how it was timed ----------------------------------------------------------------------------

function timingFacts(report) {
  const { grants, ...timing } = object(report.timing); // the grants have a table
  timing.histogram_error = percent(timing.histogram_error, 2);
  for (const [run, name] of runNames) {
    const { blocks, seconds: length, overloaded } = runOf(report, run);
    if (blocks === undefined) continue;
    timing[`${name}: blocks`] = blocks;
    timing[`${name}: took_s`] = length;
    if (overloaded === true) timing[`${name}: given up, overloaded`] = true;
  }
  return timing;
}

function grantsTable(report) {
  const grants = upTo(100, list(object(report.timing).grants).filter(isObject), "grants");
  const rows = need(grants, "what the system granted").map((one) => [
    plainFact(one.what),
    one.granted === true ? { text: "granted", className: "good" }
      : { text: "not granted", className: "bad" },
    text(one.why_not) || "",
  ]);
  return table({
    caption: "What the thread asked the system for.",
    columns: ["asked for", "", "why not"].map((title) => ({ title, words: true })),
    rows,
    wide: false,
  });
}

function segmentsTable(report) {
  const segments = need(list(report.segments).filter(isObject), "its segments");
  const names = new Map(runNames);
  const rows = segments.map((one) => [
    names.get(one.run) || plainFact(one.run), `${fixed(one.begin_s, 1)}\u00a0s`, count(one.blocks),
    inMicros(one.p50_ns), inMicros(one.p99_ns), inMicros(one.max_ns), count(one.misses),
  ]);
  return table({
    caption: "Segments: the engine and the empty loop took turns, so that a busy moment of the machine " +
      "is seen in both. Times in \u00b5s, end to end.",
    columns: [{ title: "loop", words: true }, ...["from", "blocks", "p50", "p99", "max", "misses"]
      .map((title) => ({ title }))],
    rows,
    most: Math.max(6, Math.ceil(rows.length / 2)),
  });
}

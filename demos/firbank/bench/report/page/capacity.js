// A capacity report: the largest system that is in time, for each block size and backend.

function capacitySections(report) {
  return [
    section("Frontier", () => [part(() => frontierChart(report)), part(() => crossoverWords(report))]),
    section("Figures", () => [part(() => frontierTable(report))]),
  ];
}

const variedThing = (report) => text(object(report.setting).varied) || "what was varied";

// ---- what was found ------------------------------------------------------------------------------

// Rows with a place, by backend in the order in which they come.
function frontierOf(report) {
  const rows = list(report.frontier).filter(
    (row) => isObject(row) && positive(row.block_frames) && text(row.backend));
  const names = [...new Set(need(rows, "a frontier").map((row) => row.backend))];
  return upTo(24, names, "backends").map((backend, n) => {
    const own = rows.filter((row) => row.backend === backend);
    return {
      backend,
      n,
      rows: upTo(200, own, "block sizes").sort((a, b) => a.block_frames - b.block_frames),
    };
  });
}

const farBelow = 16; // the first steps, which say little

// What was tried, in products a frame: these grow as what was varied does.
function triesOf(lines) {
  const tries = lines.flatMap(({ n, rows }) => rows.flatMap((row) => list(row.steps).map((step) => {
    const [products, capacity, value] =
      [row.products_per_frame, row.capacity, object(step).value].map(positive);
    const known = products && capacity && value;
    return { n, row, step, products: known ? (products * value) / capacity : null };
  })));
  const least = Math.min(...lines.flatMap(({ rows }) =>
    rows.map((row) => positive(row.products_per_frame) || Infinity)));
  return upTo(5000, tries.filter((one) => one.products >= least / farBelow), "steps");
}

// ---- chart ---------------------------------------------------------------------------------------

function frontierChart(report) {
  const lines = frontierOf(report);
  const rows = lines.flatMap((line) => line.rows);
  const sizes = need(rows.map((row) => positive(row.products_per_frame)).filter(Boolean),
    "the size of any system that was in time");
  const tries = triesOf(lines);
  const varied = variedThing(report);
  const draw = (width) => {
    const plot = new Plot(width, 380);
    const [low, high] = roomFor([...sizes, ...tries.map((one) => one.products)]);
    plot.axes(scaleOf(rows.map((row) => row.block_frames), plot.left, plot.right, count),
      logScale(low, high, plot.bottom, plot.top, amountMark),
      "frames a block", "taps over all channels: products a frame");
    for (const [before, from, , next] of crossingsOf(report)) {
      plot.upright(Math.sqrt(before * from), `from here: ${next}`, "guide crossing");
    }
    for (const one of tries) tryMark(plot, one, lines.length, varied);
    for (const line of lines) frontierLine(plot, line);
    return plot;
  };
  return chart({
    title: "The largest system that is in time",
    caption: `For each block size as many ${varied} as there may be before blocks come late. Both ` +
      "axes are logarithmic. Of the steps that were tried the first small ones are left out.",
    keys: frontierKeys(lines, tries.length > 0, rows.some((row) => row.at_limit === true)),
    draw,
  });
}

function frontierKeys(lines, hasTries, hasLimit) {
  const keys = lines.map(({ backend, n }) =>
    ({ words: backend, className: seriesClass(n), line: true, shape: seriesShape(n) }));
  if (hasTries) {
    keys.push({ words: "tried, and in time", className: "none", shape: "dot" },
      { words: "tried, and late", className: "bad", shape: "small-cross" });
  }
  if (hasLimit) {
    const words = "as much as was tried: it may be more";
    keys.push({ words, className: "none", shape: "triangle", open: true });
  }
  return keys;
}

function frontierLine(plot, { rows, n }) {
  const found = rows.filter((row) => positive(row.products_per_frame));
  const place = (row) => [plot.x.place(row.block_frames), plot.y.place(row.products_per_frame)];
  plot.curve(found.map(place), seriesClass(n));
  for (const row of found) {
    const open = row.at_limit === true;
    plot.mark(open ? "triangle" : seriesShape(n), ...place(row),
      `${seriesClass(n)}${open ? " open" : ""}`,
      `${row.backend}, blocks of ${count(row.block_frames)}: ${count(row.capacity)}, ` +
        prefixed(row.products_per_frame, "products a frame"));
  }
}

// Somewhat beside its block size, so that the backends' do not hide each other.
function tryMark(plot, { n, row, step, products }, lines, varied) {
  const beside = Math.min(7, 60 / lines) * (n - (lines - 1) / 2);
  const late = step.in_time === false;
  plot.mark(late ? "small-cross" : "dot", plot.x.place(row.block_frames) + beside,
    plot.y.place(products), `${late ? "bad" : seriesClass(n)} small`,
    `${row.backend}, blocks of ${count(row.block_frames)}: ${count(step.value)} ${varied}, ` +
      `p99 ${micros(step.p99_us)}, ${late ? "late" : "in time"}`);
}

// ---- crossover -----------------------------------------------------------------------------------

// Where the best backend changes: [block before, block from, best before, best from].
function crossingsOf(report) {
  const best = upTo(200, list(report.crossover), "best backends")
    .filter((row) => isObject(row) && positive(row.block_frames) && text(row.best_backend))
    .sort((a, b) => a.block_frames - b.block_frames);
  return best.slice(1).flatMap((row, n) => {
    const before = best[n];
    if (row.best_backend === before.best_backend) return [];
    return [[before.block_frames, row.block_frames, before.best_backend, row.best_backend]];
  });
}

function crossoverWords(report) {
  if (report.crossover === null) return null;
  const crossings = crossingsOf(report);
  if (crossings.length === 0) {
    const best = object(list(report.crossover)[0]).best_backend;
    return text(best) ? paragraph(`At all block sizes ${best} carries most.`) : null;
  }
  return paragraph(crossings.map(([before, from, best, next]) =>
    `Up to blocks of ${count(before)} frames ${best} carries most, from ${count(from)} on ${next}.`)
    .join(" "));
}

// ---- table ---------------------------------------------------------------------------------------

function frontierTable(report) {
  const varied = variedThing(report);
  const rows = frontierOf(report).flatMap(({ backend, rows: own }) =>
    [{ group: backend }, ...own.map(frontierRow)]);
  return table({
    caption: `The largest number of ${varied} in time; products a frame are the taps of all of them ` +
      "together. Every step that was tried is in the JSON.",
    columns: ["block", "deadline", varied, "products a frame", "p99 there", "of the deadline"]
      .map((title) => ({ title })),
    rows,
  });
}

function frontierRow(row) {
  const largest = object(list(row.steps).filter((step) => object(step).in_time === true)
    .sort((a, b) => b.value - a.value)[0]);
  const known = number(largest.p99_us) !== null && positive(row.deadline_us);
  const least = row.at_limit === true ? "at least " : "";
  return [count(row.block_frames), micros(row.deadline_us), least + count(row.capacity),
    prefixed(row.products_per_frame, ""), micros(largest.p99_us),
    percent(known ? largest.p99_us / row.deadline_us : null, 2)];
}

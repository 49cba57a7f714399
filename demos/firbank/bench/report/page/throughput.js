// A throughput report: how fast systems are computed, beside what the machine could do.

function throughputSections(report) {
  return [
    section("Roofline", () => [
      part(() => rooflineChart(report)),
      note("Bytes and operations are the least that the plan needs: each spectrum and sample read " +
        "once. Some of it comes from caches, so that a point may lie above the line of the main " +
        "memory."),
    ]),
    section("Figures", () => [
      part(() => ratesTable(report)),
      part(() => sharesTable(report)),
      part(() => ceilingsTable(report)),
    ]),
  ];
}

const rowsOf = (report) => upTo(200, list(report.rows).filter(isObject), "rows");

function readsOf(report) {
  return upTo(200, list(object(report.ceilings).reads), "bandwidths")
    .filter((one) => isObject(one) && positive(one.bytes) && positive(one.bytes_per_s))
    .sort((a, b) => a.bytes - b.bytes);
}

// ---- roofline ------------------------------------------------------------------------------------

// Those whose lines are apart, the fastest first.
function linesOf(reads) {
  const kept = reads.slice(0, 1);
  for (const one of reads) {
    if (one.bytes_per_s < kept.at(-1).bytes_per_s / 1.35) kept.push(one);
  }
  return kept.slice(0, 5);
}

function rooflineChart(report) {
  const points = rowsOf(report).map((row, n) => ({ row, n }))
    .filter(({ row }) => positive(row.flops_per_byte) && positive(row.flops_per_s));
  const peak = positive(object(report.ceilings).peak_flops_per_s);
  const reads = linesOf(readsOf(report));
  need([...points, ...reads], "rows with a place on the roofline");
  const ridges = peak ? reads.map((one) => peak / one.bytes_per_s) : [];
  const intensities = [...points.map(({ row }) => row.flops_per_byte), ...ridges];
  const rates = [...points.map(({ row }) => row.flops_per_s), ...(peak ? [peak] : [])];
  need(intensities, "rows with a place on the roofline");
  const draw = (width) => {
    const plot = new Plot(width, 430);
    plot.axes(logScale(...roomFor(intensities, 0.25), plot.left, plot.right),
      logScale(...roomFor(rates, 0.14), plot.bottom, plot.top, amountMark),
      "operations a byte", "operations a second");
    if (peak) peakLine(plot, peak, ridges);
    for (const { row } of points) {
      plot.keepClear(plot.x.place(row.flops_per_byte), plot.y.place(row.flops_per_s));
    }
    for (const one of reads) bandwidthLine(plot, one, peak);
    for (const { row, n } of points) rooflinePoint(plot, row, n);
    return plot;
  };
  return chart({
    title: "What bounds it",
    caption: "Beneath a sloping line there is time to read what is needed from a memory of that " +
      "size; beneath the level one there is time to compute it. Measured in the same run. Numbers " +
      "are those of the table.",
    draw,
  });
}

function peakLine(plot, peak, ridges) {
  const from = clamp(Math.min(...ridges, plot.x.high), plot.x.low, plot.x.high);
  const at = plot.y.place(peak);
  plot.line(plot.x.place(ridges.length ? from : plot.x.low), at, plot.right, at, "axis roof");
  plot.label(`peak ${prefixed(peak, "flop/s")}`, [[plot.right, at - 6, "end"]]);
}

function bandwidthLine(plot, { bytes: size, bytes_per_s: rate }, peak) {
  const first = Math.max(plot.x.low, plot.y.low / rate);
  const last = Math.min(plot.x.high, (peak || plot.y.high) / rate);
  if (last <= first) return;
  const place = (perByte) => [plot.x.place(perByte), plot.y.place(perByte * rate)];
  const [from, to] = [place(first), place(last)];
  plot.line(...from, ...to, "axis roof slope");
  const words = plot.width > 500 ? `${bytes(size)}: ${prefixed(rate, "B/s")}` : bytes(size);
  const places = [0.06, 0.2, 0.35, 0.5, 0.65, 0.8].flatMap((share) => {
    const [x, y] = [0, 1].map((n) => from[n] + share * (to[n] - from[n]));
    return [[x + 8, y + 14, "start"], [x - 8, y - 5, "end"]];
  });
  plot.label(words, places, "");
}

const longestName = 34; // beside a point

function rooflinePoint(plot, row, n) {
  const [x, y] = [plot.x.place(row.flops_per_byte), plot.y.place(row.flops_per_s)];
  const name = text(row.name) || "unnamed";
  const computes = row.bound_by === "arithmetic";
  plot.mark(computes ? "square" : "circle", x, y, computes ? "two" : "one",
    `${n + 1}: ${name}: ${prefixed(row.flops_per_s, "flop/s")}, ${digits(row.flops_per_byte)} a byte`);
  const fits = plot.width > 500 && name.length <= longestName;
  if (!fits || !plot.labelPoint(`${n + 1}: ${name}`, x, y)) plot.labelPoint(String(n + 1), x, y);
}

// ---- tables --------------------------------------------------------------------------------------

function ratesTable(report) {
  const rows = need(rowsOf(report), "rows").map((row, n) => [
    String(n + 1), plainFact(row.name), plainFact(row.backend), prefixed(row.sample_taps_per_s, ""),
    digits(row.times_realtime), percent(row.spread, 2), seconds(row.processor_s), seconds(row.clock_s),
  ]);
  return table({
    caption: "How fast. The spread is that of repeats; differences within it are none.",
    columns: [{ title: "" }, { title: "what", words: true }, { title: "backend", words: true },
      { title: "samples \u00d7 taps /s" }, { title: "times real time" }, { title: "spread" },
      { title: "processor" }, { title: "clock" }],
    rows,
  });
}

function sharesTable(report) {
  const rows = need(rowsOf(report), "rows").map((row, n) => [
    String(n + 1), prefixed(row.flops_per_s, ""), percent(row.share_of_peak, 2),
    prefixed(row.bytes_per_s, ""), percent(row.share_of_bandwidth, 2), digits(row.flops_per_byte),
    prefixed(row.roof_flops_per_s, ""), plainFact(row.bound_by), plainFact(row.plan),
  ]);
  return table({
    caption: "How far from what the machine could do.",
    columns: [{ title: "" }, { title: "flop/s" }, { title: "of peak" }, { title: "bytes /s" },
      { title: "of bandwidth" }, { title: "flops a byte" }, { title: "roof, flop/s" },
      { title: "bound by", words: true }, { title: "plan", words: true }],
    rows,
  });
}

function ceilingsTable(report) {
  const set = text(object(report.ceilings).instruction_set);
  const rows = need(readsOf(report), "the bandwidths of memories")
    .map((one) => [bytes(one.bytes), prefixed(one.bytes_per_s, "B/s")]);
  return table({
    caption: `What the machine reads a second${set ? `, with ${set}` : ""}, by the size of what is ` +
      "read again and again.",
    columns: [{ title: "read over" }, { title: "a second" }],
    rows,
    wide: false,
    most: 8,
  });
}

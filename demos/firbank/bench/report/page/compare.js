// A compare report: programs that took turns, and whether one of them is slower.

function compareSections(report) {
  const result = section("Result",
    () => [part(() => resultsTable(report)), part(() => intervalsChart(report))]);
  // Reports that were kept have no rounds.
  if (object(report.setting).mode === "reports") return [result];
  return [
    result,
    section("Rounds", () => [part(() => ratiosChart(report)), part(() => roundsTable(report))]),
  ];
}

// Rounds with a figure of each program, and the programs' names.
function roundsOf(report) {
  const names = upTo(12, list(object(report.setting).programs), "programs");
  const rounds = upTo(2000, list(report.rounds), "rounds").filter(Array.isArray);
  return {
    programs: need(names, "the programs' names").map((name, n) => text(name) || `program ${n + 1}`),
    rounds: need(rounds, "its rounds"),
  };
}

function resultsOf(report) {
  const results = upTo(40, list(report.results), "results");
  return need(results.filter((one) => positive(object(one).ratio)), "its results");
}

// ---- result --------------------------------------------------------------------------------------

const confidenceOf = (report) => percent(object(report.setting).confidence, 3);
const verdictClasses = new Map([["slower", "bad"], ["faster", "good"]]);

function changeWords(ratio) {
  return number(ratio) === null ? nothing : `${signed(100 * (ratio - 1), 2)}\u00a0%`;
}

function resultsTable(report) {
  const figure = object(report.figure);
  const results = resultsOf(report);
  const figures = new Set(results.map((one) => text(one.figure)));
  const several = figures.size > 1;
  const rows = results.map((one) => [
    ...(several ? [plainFact(one.figure)] : []), plainFact(one.program), plainFact(one.baseline), digits(one.ratio, 4), changeWords(one.ratio),
    `${changeWords(one.low)} to ${changeWords(one.high)}`,
    { text: plainFact(one.verdict), className: verdictClasses.get(one.verdict) },
  ]);
  const name = text(figure.name) || "The figure";
  const better = text(figure.better) ? `; ${figure.better} is better` : "";
  return table({
    caption: `${several ? "Each figure" : name}, as a ratio to the baseline's${better}. The interval is of ` +
      `${confidenceOf(report)} confidence, by the bootstrap.`,
    columns: [...(several ? [{ title: "figure", words: true }] : []),
      { title: "program", words: true }, { title: "against", words: true },
      { title: "ratio" }, { title: "change" }, { title: "interval" },
      { title: "verdict", words: true }],
    rows,
  });
}

function changeMark(value) {
  const change = Number((100 * (value - 1)).toFixed(6));
  return `${change > 0 ? "+" : ""}${plain(change)}\u00a0%`;
}

function ratioScale(ratios, from, to) {
  const far = 1.15 * Math.max(0.005, ...ratios.map((ratio) => Math.abs(ratio - 1)));
  return linearScale(1 - far, 1 + far, from, to, changeMark);
}

function intervalsChart(report) {
  const results = resultsOf(report).map((one) =>
    ({ ...one, low: number(one.low) ?? one.ratio, high: number(one.high) ?? one.ratio }));
  const ratios = results.flatMap((one) => [one.low, one.ratio, one.high]);
  const draw = (width) => {
    const plot = new Plot(width, 66 + 44 * results.length, { left: 2, top: 10, flexible: false });
    plot.xAxis(ratioScale(ratios, plot.left + 30, plot.right - 20), "change against the baseline");
    plot.upright(1, "", "axis");
    results.forEach((one, n) => intervalRow(plot, one, n));
    return plot;
  };
  return chart({
    title: "How sure it is",
    caption: `The change and its interval of ${confidenceOf(report)} confidence. An interval that ` +
      "holds 0 shows no difference.",
    draw,
  });
}

function intervalRow(plot, { figure, program, verdict, ratio, low, high }, n) {
  const y = plot.top + 32 + 44 * n;
  const [from, to] = [plot.x.place(low), plot.x.place(high)];
  const what = text(figure) && !text(figure).startsWith("/") ? text(figure) : plainFact(program);
  plot.words(`${what}: ${plainFact(verdict)}`, plot.left, y - 15, "start", "strong");
  plot.line(from, y, to, y, `curve interval ${seriesClass(n)}`);
  for (const end of [from, to]) plot.line(end, y - 5, end, y + 5, `curve cap ${seriesClass(n)}`);
  plot.mark(seriesShape(n), plot.x.place(ratio), y, seriesClass(n), changeWords(ratio));
}

// ---- rounds --------------------------------------------------------------------------------------

function ratiosChart(report) {
  const { programs, rounds } = roundsOf(report);
  const sets = programs.slice(1).map((program, n) => ({
    program,
    n,
    points: rounds.flatMap((round, at) =>
      (positive(round[0]) && positive(round[n + 1]) ? [[at + 1, round[n + 1] / round[0]]] : [])),
  })).filter((set) => set.points.length);
  need(sets, "rounds with a figure of each program");
  const ratios = sets.flatMap((set) => set.points.map((point) => point[1]));
  const draw = (width) => {
    const plot = new Plot(width, 280, { left: 62 });
    plot.axes(linearScale(0.5, rounds.length + 0.5, plot.left, plot.right, count),
      ratioScale(ratios, plot.bottom, plot.top),
      "round", `change against ${programs[0]} in the same round`);
    plot.level(1, "axis");
    for (const { program, n, points } of sets) {
      for (const [at, ratio] of points) {
        plot.mark(seriesShape(n), plot.x.place(at), plot.y.place(ratio), seriesClass(n),
          `${program}, round ${at}: ${changeWords(ratio)}`);
      }
    }
    return plot;
  };
  return chart({
    title: "Round by round",
    caption: "The programs took turns in each round, so that what the machine did meanwhile is in " +
      "all of them. A trend here would be a reason for doubt.",
    keys: sets.map(({ program, n }) =>
      ({ words: program, className: seriesClass(n), shape: seriesShape(n) })),
    draw,
  });
}

function roundsTable(report) {
  const { programs, rounds } = roundsOf(report);
  const unit = text(object(report.figure).unit);
  const rows = rounds.map((round, n) =>
    [String(n + 1), ...programs.map((_, column) => quantity(round[column], unit))]);
  return table({
    caption: "What each program gave in each round.",
    columns: [{ title: "round" }, ...programs.map((title) => ({ title, wrap: true }))],
    rows,
    wide: false,
    most: 12,
  });
}

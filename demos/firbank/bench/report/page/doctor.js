// What the doctor read: what costs latency on the machine, what to change, and what that brings.

const states = [["costs", "Costs latency", "bad"], ["unknown", "Not known", ""],
  ["good", "Good", "good"], ["absent", "Not there", ""]];

function doctorSections(report) {
  const readings = upTo(400, list(report.readings), "readings").filter(isObject);
  return [
    section("Readings", () => [readingsTable(need(readings, "its readings"))]),
    section("Trials", () => [trialsChart(readings)]),
  ];
}

const titleOf = (reading) => text(reading.title) || plainFact(reading.name);

function readingsTable(readings) {
  const known = states.map(([state]) => state);
  const stateOf = (one) => (known.includes(one.state) ? one.state : "unknown");
  const rows = states.flatMap(([state, title, className]) => {
    const own = readings.filter((one) => stateOf(one) === state);
    const cells = (one) => {
      const name = { text: titleOf(one), className };
      const advice = text(one.advice);
      return advice ? [name, plainFact(one.reading), advice]
        : [name, { text: plainFact(one.reading), span: 2 }];
    };
    return own.length ? [{ group: title }, ...own.map(cells)] : [];
  });
  return table({
    columns: ["what", "as it is", "what to change, and what it costs"]
      .map((title) => ({ title, words: true })),
    rows,
  });
}

// ---- trials --------------------------------------------------------------------------------------

// Every quantile of those that took a time, in nanoseconds.
function trialsOf(readings) {
  return readings.flatMap((one) => {
    const trial = object(one.trial);
    const unit = asTime.get(trial.unit);
    const quantiles = upTo(4, list(trial.quantiles), "quantiles of a trial").filter(isObject);
    return (quantiles.length ? quantiles : [trial])
      .filter((figure) => unit && positive(figure.as_it_is) && positive(figure.changed))
      .map((figure) => ({
        name: [titleOf(one), text(figure.quantile) || quantileName(figure.quantile)]
          .filter(Boolean).join(", "),
        shown: figure.shown !== false,
        before: figure.as_it_is * unit,
        after: figure.changed * unit,
        beforeName: text(trial.as_it_is_name) || "as it is",
        afterName: text(trial.changed_name) || "changed",
      }));
  });
}

// Trials are short: two digits are what they are worth.
const coarse = (ns) => time(ns, (value) => digits(value, 2));

// A row each: as it is, and changed, on one logarithmic axis.
function trialsChart(readings) {
  const rows = need(upTo(60, trialsOf(readings), "trials"), "any trial that took a time");
  const draw = (width) => {
    const plot = new Plot(width, 60 + 46 * rows.length, { left: 2, top: 8, flexible: false });
    const [low, high] = roomFor(rows.flatMap((row) => [row.before, row.after]));
    plot.xAxis(logScale(low, high, plot.left + 10, plot.right - 10, timeMark), "time");
    rows.forEach(({ name, shown, before, after, beforeName, afterName }, n) => {
      const y = plot.top + 34 + 46 * n;
      const words = `${name}: ${coarse(before)} \u2192 ${coarse(after)}` +
        (shown ? "" : ", no difference shown");
      const [from, to] = [plot.x.place(before), plot.x.place(after)];
      plot.words(words, plot.left, y - 14, "start", shown ? "strong" : "");
      plot.line(from, y, to, y, "guide");
      plot.mark("circle", from, y, "two", `${beforeName}: ${coarse(before)}`);
      plot.mark("diamond", to, y, "one", `${afterName}: ${coarse(after)}`);
    });
    return plot;
  };
  return chart({
    title: "What a change brings",
    caption: "Tried for the program alone, without changing the system, in turns with it as it is. " +
      "What repeats differ by as well is no difference shown. The axis is logarithmic.",
    keys: [{ words: "as it is", className: "two", shape: "circle" },
      { words: "changed", className: "one", shape: "diamond" }],
    draw,
  });
}

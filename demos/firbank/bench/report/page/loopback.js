// A loopback report: how long a sound takes out of a device and back.

function loopbackSections(report) {
  return [
    section("Round trip", () => [
      part(() => responseChart(report)),
      make("div", "pair", part(() => claimedChart(report)), part(() => repeatsChart(report))),
    ]),
    section("Figures", () => [part(() => roundTripTable(report)), part(() => repeatsTable(report))]),
  ];
}

const rateOf = (report) => positive(object(report.setting).sample_rate_hz);

function framesInTime(frames, rate) {
  return time(number(frames) !== null && rate ? (1e9 * frames) / rate : null);
}

// ---- response ------------------------------------------------------------------------------------

function responsePoints(report) {
  const points = upTo(5000, list(report.response), "points of the response")
    .filter((one) => number(object(one).lag_frames) !== null && number(one.value) !== null)
    .map((one) => [one.lag_frames, one.value]);
  return need(points, "the response round its peak").sort((a, b) => a[0] - b[0]);
}

function responseChart(report) {
  const points = responsePoints(report);
  const curve = betweenFrames(points);
  const trip = number(object(report.round_trip).frames);
  const lags = points.map((point) => point[0]);
  const values = points.map((point) => point[1]);
  const draw = (width) => {
    const plot = new Plot(width, 280);
    plot.axes(linearScale(Math.min(0, ...lags), Math.max(0, ...lags), plot.left, plot.right),
      linearScale(Math.min(-0.3, ...values), Math.max(1.15, ...values), plot.bottom, plot.top),
      "frames after the round trip", "response, its peak as 1");
    const place = ([lag, value]) => [plot.x.place(lag), plot.y.place(value)];
    plot.level(0, "axis");
    plot.curve(curve.map(place), "one thin");
    for (const point of points) {
      const tip = `${fixed(point[0], 3)} frames: ${digits(point[1])}`;
      plot.mark("circle", ...place(point), "one", tip);
    }
    plot.upright(0, `round trip${trip === null ? "" : ` ${fixed(trip, 2)} frames`}`, "guide peak");
    return plot;
  };
  return chart({
    title: "Response",
    caption: "The recording correlated with the sequence that was played, frame by frame; the curve " +
      "is its band-limited interpolation. Where that is highest is the round trip.",
    draw,
  });
}

const reach = 16; // frames on each side that a value between frames is made of
const curveSteps = 10; // a frame

// The curve through points that are a frame apart: the sum of their sinc functions, under a Hann
// window (J. O. Smith, Digital Audio Resampling Home Page). Others are joined by lines.
function betweenFrames(points) {
  const areEven = points.every((point, n) =>
    n === 0 || Math.abs(point[0] - points[n - 1][0] - 1) < 1e-6);
  if (!areEven) return points;
  return Array.from({ length: curveSteps * (points.length - 1) + 1 }, (_, step) => {
    const at = step / curveSteps;
    const last = Math.min(points.length - 1, at + reach);
    let value = 0;
    for (let n = Math.max(0, Math.ceil(at - reach)); n <= last; n += 1) {
      const angle = Math.PI * (at - n);
      const sinc = Math.abs(angle) < 1e-9 ? 1 : Math.sin(angle) / angle;
      value += points[n][1] * sinc * (0.5 + 0.5 * Math.cos(angle / reach));
    }
    return [points[0][0] + at, value];
  });
}

// ---- claimed and measured ------------------------------------------------------------------------

// What the driver tells, as [name, frames].
function claimedParts(claimed, rate) {
  const parts = [["input", claimed.input_s], ["output", claimed.output_s]]
    .filter(([, s]) => number(s) !== null)
    .map(([name, s]) => [`${name} ${seconds(s)}`, s * rate]);
  const whole = number(claimed.total_frames);
  return parts.length || whole === null ? parts : [["", whole]];
}

function claimedChart(report) {
  const rate = need(rateOf(report), "a sample rate");
  const measured = need(number(object(report.round_trip).frames), "a round trip");
  const claimed = claimedParts(object(report.claimed), rate);
  const total = claimed.reduce((sum, [, frames]) => sum + frames, 0);
  const words = [`measured: ${fixed(measured, 2)} frames, ${framesInTime(measured, rate)}`,
    claimed.length ? `claimed: ${fixed(total, 1)} frames, ${framesInTime(total, rate)}`
      : "claimed: the driver tells nothing of use"];
  const draw = (width) => {
    const plot = new Plot(width, 190, { left: 2, top: 10, flexible: false });
    const most = Math.max(measured, total, 1);
    plot.xAxis(linearScale(0, 1.05 * most, plot.left, plot.right), "frames");
    [[["", measured]], claimed].forEach((parts, row) => {
      const top = plot.top + 16 + 56 * row;
      plot.words(words[row], plot.left, top, "start", "strong");
      let begin = 0;
      parts.forEach(([name, frames], n) => {
        plot.bar(begin, begin + frames, top + 7, 16, seriesClass(row + n), name);
        begin += frames;
      });
    });
    return plot;
  };
  return chart({
    title: "Measured and claimed",
    caption: "The round trip beside what the device's driver tells.",
    keys: claimed.filter(([name]) => name).map(([name], n) =>
      ({ words: `claimed: ${name}`, className: seriesClass(1 + n), shape: "square" })),
    half: true,
    draw,
  });
}

// ---- repeats -------------------------------------------------------------------------------------

function repeatsOf(report) {
  const repeats = upTo(5000, list(report.repeats), "repeats");
  return need(repeats.filter((one) => number(object(one).frames) !== null), "its repeats");
}

function repeatsChart(report) {
  const repeats = need(repeatsOf(report).filter((one) => number(one.at_s) !== null),
    "the times of its repeats");
  const middle = number(object(report.round_trip).frames) ?? repeats[0].frames;
  const apart = repeats.map((one) => one.frames - middle);
  const last = Math.max(...repeats.map((one) => one.at_s));
  const draw = (width) => {
    const plot = new Plot(width, 190, { top: 24, flexible: false });
    const far = 1.25 * Math.max(0.01, ...apart.map(Math.abs));
    plot.axes(linearScale(0, 1.04 * last, plot.left, plot.right, secondsMark),
      linearScale(-far, far, plot.bottom, plot.top), "time", "frames from the median");
    plot.level(0, "guide");
    repeats.forEach((one, n) => plot.mark("circle", plot.x.place(one.at_s), plot.y.place(apart[n]),
      "one", `${fixed(one.frames, 3)} frames`));
    return plot;
  };
  return chart({
    title: "Repeats",
    caption: "A slope would be two clocks that drift apart.",
    half: true,
    draw,
  });
}

// ---- tables --------------------------------------------------------------------------------------

const polarities = new Map([[1, "as it was played"], [-1, "inverted"]]);

function roundTripTable(report) {
  const trip = object(report.round_trip);
  const claimed = number(object(report.claimed).total_frames);
  const rate = rateOf(report);
  const beyond = number(trip.frames) === null || claimed === null ? null : trip.frames - claimed;
  const row = (name, frames, decimals) => [name, fixed(frames, decimals), framesInTime(frames, rate)];
  const more = number(trip.drift_ppm) === null ? []
    : [["drift of the two clocks", `${digits(trip.drift_ppm, 2)}\u00a0ppm`, ""]];
  return table({
    caption: "The round trip.",
    columns: [{ title: "", words: true }, { title: "frames" }, { title: "time" }],
    rows: [
      { className: "strong", cells: row("measured, median of the repeats", trip.frames, 2) },
      row("spread of the repeats", trip.spread_frames, 3),
      row("claimed by the driver", claimed, 1),
      row("measured beyond what is claimed", beyond, 2),
      ["polarity", polarities.get(trip.polarity) || nothing, ""],
      ["peak above noise", decibels(trip.peak_to_noise_db), ""],
      ...more,
      ["glitches, whose repeats are left out", count(report.glitches), ""],
    ],
    wide: false,
  });
}

function repeatsTable(report) {
  const rows = repeatsOf(report).map((one, n) =>
    [String(n + 1), `${fixed(one.at_s, 2)}\u00a0s`, fixed(one.frames, 3), decibels(one.peak_to_noise_db)]);
  return table({
    caption: "Each repeat.",
    columns: ["", "at", "frames", "peak above noise"].map((title) => ({ title })),
    rows,
    wide: false,
    most: 8,
  });
}

// The page as a whole: the head with the verdict, the parts of this kind of report, and what it was
// made with.

const kinds = new Map([
  ["latency", latencySections],
  ["capacity", capacitySections],
  ["throughput", throughputSections],
  ["loopback", loopbackSections],
  ["compare", compareSections],
  ["doctor", doctorSections],
]);

// ---- head ----------------------------------------------------------------------------------------

function showHead(report, title) {
  const date = text(report.date);
  const day = date && date.length >= 16 ? `${date.slice(0, 10)}, ${date.slice(11, 16)} UTC` : date;
  const subject = [subjectOf(report), day].filter(Boolean).join(" \u00b7 ");
  document.title = `firbank: ${title}${date ? `, ${date.slice(0, 10)}` : ""}`;
  const head = document.getElementById("head");
  head.append(make("h1", "", `firbank: ${title}`));
  if (subject) head.append(make("p", "subject", subject));
  head.append(make("div", "result", ...[headlineBox(report), verdictBox(report)].filter(Boolean)));
}

// What was measured, in a line, as far as the setting tells.
function subjectOf(report) {
  const setting = object(report.setting);
  const things = [["inputs", "channel"], ["channels", "channel"], ["filters", "filter"], ["taps", "tap"]];
  const sizes = things.filter(([key]) => positive(setting[key]))
    .map(([key, thing]) => counted(setting[key], thing));
  const block = positive(setting.block_frames);
  const rate = positive(setting.sample_rate_hz);
  if (block) sizes.push(`blocks of ${count(block)}`);
  if (rate) sizes.push(`${count(rate)}\u00a0Hz`);
  if (text(setting.backend)) sizes.push(setting.backend);
  return sizes.join(", ");
}

function headlineBox(report) {
  const headline = object(report.headline);
  if (!text(headline.name)) return null;
  const better = text(headline.better) ? `; ${headline.better} is better` : "";
  return make("div", "headline",
    make("span", "figure", quantity(headline.value, headline.unit)),
    make("span", "name", headline.name + better));
}

function verdictBox(report) {
  const verdict = object(report.verdict);
  if (typeof verdict.usable !== "boolean") {
    return make("div", "verdict", make("b", "", "No verdict"),
      "The report does not tell whether it can be used.");
  }
  const box = make("div", `verdict ${verdict.usable ? "good" : "bad"}`,
    make("b", "", verdict.usable ? "Usable" : "Not usable"));
  const reasons = upTo(100, list(verdict.reasons).filter(text), "reasons");
  if (reasons.length) box.append(make("ul", "", ...reasons.map((reason) => make("li", "", reason))));
  return box;
}

// ---- all of it -----------------------------------------------------------------------------------

function commonSections(report, kind) {
  const machine = section("Machine",
    () => [facts(report.environment, "anything of the machine", "not known")]);
  const program = section("Program",
    () => [facts(report.program, "anything of the program", "not known")]);
  const mayLackIt = ["throughput", "doctor"].includes(kind); // whose rows have their own
  if (mayLackIt && !isObject(report.setting)) return [machine, program];
  return [section("Setting", () => [facts(report.setting, "a setting")]), machine, program];
}

function unknownSections() {
  return [section("Report", () => { throw new Missing("a schema that this page knows"); })];
}

function showReport(report) {
  const kind = /^firbank\.bench\.([a-z]+)\.1$/.exec(text(report.schema) || "")?.[1];
  const sections = kinds.get(kind) || unknownSections;
  showHead(report, kinds.has(kind) ? kind : "report");
  const body = document.getElementById("body");
  body.append(...sections(report), ...commonSections(report, kind));
  const version = text(object(report.program).version);
  document.getElementById("foot").append(`Made by firbank${version ? ` ${version}` : ""}. All figures ` +
    "are in this file as JSON, in the element report-json.");
  drawCharts(false);
  body.append(...[...cuts].map((cut) => paragraph(cut, "missing")));
}

window.addEventListener("beforeprint", () => drawCharts(true));
window.addEventListener("afterprint", () => drawCharts(false));
let drawnFor = window.innerWidth;
window.addEventListener("resize", () => {
  if (onPaper || drawnFor === window.innerWidth) return;
  drawnFor = window.innerWidth;
  drawCharts(false);
});

showReport(object(JSON.parse(document.getElementById("report-json").textContent)));

// What the pages of all runs share: the token, asking and changing, words, sheets to draw on, and the
// link to the run. The page's own script comes behind it.
"use strict";

const element = (id) => document.getElementById(id);

// ---- the token ---------------------------------------------------------------------------------

if (location.hash.length > 1) {
  sessionStorage.setItem("token", decodeURIComponent(location.hash.slice(1)));
  history.replaceState(null, "", location.pathname);
}

element("token-form").addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", element("token").value.trim());
  element("token").value = "";
  element("token-form").hidden = true;
  tell("");
});

function tell(text) {
  element("message").textContent = text;
  element("message").hidden = text === "";
}

// ---- asking ------------------------------------------------------------------------------------

async function read(path) {
  const reply = await fetch(path, { signal: AbortSignal.timeout(5000) });
  if (!reply.ok) throw new Error(`${path}: ${reply.status}`);
  return reply.json();
}

// The state after the change; null, and a line on the page, where nothing was changed.
async function change(what, body) {
  let reply;
  try {
    reply = await fetch("/api/" + what, {
      method: "POST",
      headers: {
        "Content-Type": "application/json",
        Authorization: "Bearer " + (sessionStorage.getItem("token") || ""),
      },
      body: JSON.stringify(body),
    });
  } catch {
    tell("Nothing was changed: firbank does not answer.");
    return null;
  }
  const answer = await reply.json().catch(() => ({}));
  if (reply.status === 401) {
    element("token-form").hidden = false;
    element("token").focus();
    tell("Changes need the token.");
    return null;
  }
  tell(reply.ok ? "" : "Nothing was changed: " + (answer.error || reply.status));
  return reply.ok ? answer : null;
}

// ---- words -------------------------------------------------------------------------------------

const percent = (share) => (100 * share).toFixed(share < 0.1 ? 1 : 0) + " %";
const counted = (n, thing) => `${n.toLocaleString("en")} ${thing}${n === 1 ? "" : "s"}`;

function time(seconds) {
  const whole = Math.floor(seconds);
  const two = (n) => String(n).padStart(2, "0");
  const hours = whole >= 3600 ? Math.floor(whole / 3600) + ":" : "";
  return `${hours}${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}.${Math.floor((seconds % 1) * 10)}`;
}

// Names and values, as they stand in a list of definitions.
function showFacts(facts) {
  element("facts").replaceChildren(...Object.entries(facts).flatMap(([name, value]) => {
    const term = document.createElement("dt");
    const text = document.createElement("dd");
    term.textContent = name;
    text.textContent = value;
    return [term, text];
  }));
}

// Rows of a time and a text; a line of its own where there are none.
function showList(id, rows, none) {
  const items = rows.map(([when, text]) => {
    const row = document.createElement("li");
    const stamp = document.createElement("time");
    stamp.textContent = when;
    row.append(stamp, text);
    return row;
  });
  if (items.length === 0) {
    const row = document.createElement("li");
    row.textContent = none;
    items.push(row);
  }
  element(id).replaceChildren(...items);
}

// ---- drawing -----------------------------------------------------------------------------------

const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

// A canvas as large as it is seen, empty, and its size in CSS pixels; `options` are its context's.
function sheet(id, options) {
  const canvas = element(id);
  const ratio = window.devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const pen = canvas.getContext("2d", options);
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = "12px system-ui, sans-serif";
  return { pen, width, height };
}

// ---- the way here ------------------------------------------------------------------------------

function showLink(text, kind) {
  const link = element("link");
  if (link.textContent !== text) link.textContent = text;
  link.className = "badge " + kind;
  document.body.classList.toggle("lost", kind === "bad");
}

let source = null; // of moments
let lastMoment = -Infinity;

// Takes the moments of `path`, and those of no other path any more.
function listen(path, take) {
  if (source) source.close();
  const mine = (source = new EventSource(path));
  mine.onmessage = (message) => {
    lastMoment = performance.now();
    take(JSON.parse(message.data));
  };
  mine.onerror = () => {
    showLink("connection lost", "bad");
    // By itself it tries again only where the server was not reached at all.
    if (mine.readyState === EventSource.CLOSED) {
      setTimeout(() => mine === source && listen(path, take), 1500);
    }
  };
}

// Has `refresh` ask every second for what does not come by itself; returns a function that has it ask
// now.
function keepFresh(refresh) {
  const once = async () => {
    try {
      await refresh();
    } catch {
      if (performance.now() - lastMoment > 2000) showLink("connection lost", "bad");
    }
  };
  setInterval(() => {
    if (performance.now() - lastMoment > 3000) showLink("connection lost", "bad");
    once();
  }, 1000);
  return once;
}

// The page at /: everything in one response; reads /api/slo and /api/status every 5 s (and
// /api/incidents while one is open), and the last day of each SLO every minute. Text reaches the
// document through textContent only: names may be hostile. Acknowledging asks for the API token,
// which stays in this tab.
#include "http/api.hpp"

namespace nines::agent::http {

const char* const kDashboardHtml = R"html(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Nines</title>
<style>
:root{--bg:#f6f7f9;--card:#fff;--fg:#1b1f24;--dim:#5b6570;--line:#d8dee4;--ok:#1a7f37;--warn:#9a6700;--bad:#cf222e;--off:#6e7781}
@media (prefers-color-scheme:dark){:root{--bg:#0e1116;--card:#171b22;--fg:#e6edf3;--dim:#9aa4af;--line:#2d333b;--ok:#3fb950;--warn:#d29922;--bad:#f85149;--off:#8b949e}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.45 system-ui,sans-serif}
header{display:flex;flex-wrap:wrap;gap:.3rem 1rem;align-items:baseline;padding:.9rem 1rem}
h1{font-size:1.25rem;margin:0}
#meta{color:var(--dim)}
main{display:grid;gap:.8rem;padding:0 1rem 1rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,21rem),1fr))}
article{background:var(--card);border:1px solid var(--line);border-left:5px solid var(--off);border-radius:8px;padding:.8rem}
article.HEALTHY{border-left-color:var(--ok)}article.DEGRADING{border-left-color:var(--warn)}article.VIOLATED{border-left-color:var(--bad)}
h2{font-size:1rem;margin:0;overflow-wrap:anywhere}
.sub,.foot{color:var(--dim);font-size:.85rem}
.row{display:flex;justify-content:space-between;gap:.6rem;margin-top:.35rem}
.bar{height:.7rem;border-radius:4px;background:var(--line);overflow:hidden;margin-top:.25rem}
.bar div{height:100%;background:var(--ok)}
.bar.low div{background:var(--warn)}.bar.out div{background:var(--bad)}
.state{font-weight:600}.HEALTHY .state{color:var(--ok)}.DEGRADING .state{color:var(--warn)}.VIOLATED .state{color:var(--bad)}
.alert{color:var(--bad);font-weight:600;margin-top:.35rem;overflow-wrap:anywhere}
a{color:inherit}
#space{display:none}
article svg{display:block;width:100%;height:2.6rem;margin-top:.35rem;border-bottom:1px solid var(--line)}
svg .fine{fill:var(--ok)}svg .burn{fill:var(--bad)}svg .span{fill:var(--dim);opacity:.25}svg .mark{fill:var(--dim)}
#error{color:var(--bad);padding:0 1rem}
#timeline{margin:0 1rem 1rem}
#timeline img{display:block;width:100%;margin-top:.5rem}
#incidents{margin-bottom:.8rem}#incidents:empty{display:none}
article.incident{border-left-color:var(--warn)}article.urgent{border-left-color:var(--bad)}
button{font:inherit;padding:.2rem .7rem;border:1px solid var(--line);border-radius:6px;background:var(--bg);color:inherit;cursor:pointer}
</style>
</head>
<body>
<header><h1>Nines</h1><span id="meta">loading</span></header>
<svg id="space"></svg>
<p id="error" role="alert"></p>
<main id="incidents" aria-label="open incidents"></main>
<main id="slos"></main>
<article id="timeline">
<div class="row"><h2>Timeline</h2><select id="story" aria-label="of what"><option value="">the last 24 hours</option></select></div>
<img id="picture" alt="what happened, node by node, in the order in which it can be told">
</article>
<script>
"use strict";
const $ = id => document.getElementById(id);
const el = (tag, cls, text) => {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
};
const num = v => v === null ? "-" : String(Number(v.toPrecision(4)));
const pct = v => v === null ? "-" : String(Number((v * 100).toFixed(4))) + " %";
const row = (a, b, cls) => {
  const r = el("div", "row");
  r.append(el("span", "sub", a), el("span", cls, b));
  return r;
};
const part = (tag, attributes) => {
  const e = document.createElementNS($("space").namespaceURI, tag);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  return e;
};
const histories = {};
// Burn of each step (the full height is 10 times the budget's pace), and what was done meanwhile.
function course(s, h) {
  const from = Date.parse(h.from), length = Date.parse(h.to) - from, wide = 300, high = 40;
  const x = t => Math.min(Math.max((Date.parse(t) - from) / length, 0), 1) * wide;
  const svg = part("svg", {viewBox: "0 0 " + wide + " " + high, preserveAspectRatio: "none", role: "img"});
  const label = part("title", {});
  label.textContent = "burn rate of " + s.slo + ", " + h.step + " each, from " + h.from;
  svg.append(label);
  for (const p of h.points) {
    if (p.bad === 0) continue;
    const burn = p.bad / (p.good + p.bad) / (1 - s.target);
    const tall = Math.max(1, Math.min(burn / 10, 1) * high);
    svg.append(part("rect", {class: burn > 1 ? "burn" : "fine", x: x(p.at), y: high - tall, width: wide / h.points.length, height: tall}));
  }
  for (const a of h.annotations) {
    const long = a.from !== null && a.to !== null, start = x(long ? a.from : a.at);
    const mark = part("rect", {class: long ? "span" : "mark", x: start, y: 0, width: long ? Math.max(1, x(a.to) - start) : 1, height: high});
    const what = part("title", {});
    what.textContent = a.kind + " #" + a.id + " at " + a.at + ": " + a.text;
    mark.append(what);
    svg.append(mark);
  }
  return svg;
}
async function remember(slos) {
  for (const s of slos) {
    if (s.target !== null) histories[s.slo] = await get("/api/slo/" + encodeURIComponent(s.slo) + "/history");
  }
}
function card(s) {
  const c = el("article", s.state);
  const head = el("div", "row");
  head.append(el("h2", "", s.slo + (s.draft ? " (draft)" : "")), el("span", "state", s.state));
  c.append(head, el("div", "sub", s.service + " \u00b7 target " + pct(s.target) + " over " + s.window));
  c.append(row("SLI", pct(s.sli)));
  c.append(row("budget left", pct(s.error_budget_remaining)));
  const left = s.error_budget_remaining;
  const bar = el("div", "bar" + (left === null ? "" : left <= 0 ? " out" : left < 0.5 ? " low" : ""));
  const fill = el("div");
  fill.style.width = (left === null ? 0 : left <= 0 ? 100 : Math.min(left, 1) * 100) + "%";
  bar.append(fill);
  c.append(bar);
  if (histories[s.slo]) c.append(course(s, histories[s.slo]));
  c.append(row("burn rate 5m / 1h / 24h", [s.burn_rate_5m, s.burn_rate_1h, s.burn_rate_24h].map(num).join(" / ")));
  c.append(row("risk", s.risk_level + " (" + num(s.composite_burn_rate) + ")"));
  c.append(row("good / bad", s.good + " / " + s.bad));
  c.append(row("coverage", pct(s.coverage)));
  c.append(el("div", s.forecast.early_warning ? "alert" : "sub", s.forecast.forecast_message));
  for (const a of s.alerts) c.append(el("div", "alert", a.priority + " " + a.severity + ": " + a.summary));
  const foot = el("div", "foot");
  const link = el("a", "", "explain");
  link.href = "/api/slo/" + encodeURIComponent(s.slo) + "/explain";
  foot.append(link);
  c.append(foot);
  return c;
}
// Of each rank the newest suspect.
function suspects(i) {
  const ranks = {};
  for (const e of i.evidence) if (e.kind === "suspects") ranks[e.entry.details.rank] = e.entry;
  return Object.keys(ranks).sort().map(rank => ranks[rank]);
}
async function acknowledge(id) {
  const token = sessionStorage.getItem("token") || prompt("API token (api.token of the agent's state directory)");
  const who = token && (sessionStorage.getItem("who") || prompt("Your name"));
  if (!who) return;
  const r = await fetch("/api/incidents/" + encodeURIComponent(id), {method: "POST",
    headers: {"Content-Type": "application/json", "Authorization": "Bearer " + token},
    body: JSON.stringify({do: "acknowledge", who: who})});
  if (r.ok) {
    sessionStorage.setItem("token", token);
    sessionStorage.setItem("who", who);
    await showIncidents(true);
  } else {
    sessionStorage.removeItem("token");
    $("error").textContent = id + " is not acknowledged: " + (await r.json()).detail;
  }
}
function incidentCard(i) {
  const c = el("article", "incident" + (i.severity === "P0" || i.severity === "P1" ? " urgent" : ""));
  const head = el("div", "row");
  head.append(el("h2", "", i.id), el("span", "state", i.severity + " " + i.state));
  c.append(head, el("div", "sub", i.services.join(", ") + " \u00b7 since " + i.began), el("p", "", i.title));
  for (const s of suspects(i)) c.append(el("div", "sub", "suspect " + s.details.rank + ": " + s.text));
  if (i.acknowledged) c.append(el("div", "sub", "acknowledged by " + i.acknowledged_by + " at " + i.acknowledged));
  const foot = el("div", "row");
  const link = el("a", "sub", "review");
  link.href = "/api/incidents/" + encodeURIComponent(i.id) + "/postmortem";
  foot.append(link);
  if (!i.acknowledged) {
    const button = el("button", "", "Acknowledge");
    button.addEventListener("click", () => acknowledge(i.id));
    foot.append(button);
  }
  c.append(foot);
  return c;
}
async function showIncidents(open) {
  $("incidents").replaceChildren(...(open ? await get("/api/incidents") : []).map(incidentCard));
}
async function get(path) {
  const r = await fetch(path, {cache: "no-store"});
  if (!r.ok) throw new Error(path + " answers " + r.status);
  return r.json();
}
// The picture of the last day, or of a chosen incident; an <img> runs and loads nothing.
async function draw() {
  const r = await fetch("/api/incidents?state=all&limit=20", {cache: "no-store"});
  const known = r.ok ? await r.json() : [];  // without incidents there is the day
  const choice = $("story"), chosen = choice.value;
  const options = known.map(i => {
    const o = el("option", "", i.id + " " + i.title);
    o.value = i.id;
    return o;
  });
  choice.replaceChildren(choice.options[0], ...options);
  choice.value = known.some(i => i.id === chosen) ? chosen : "";
  picture();
}
function picture() {
  const of = $("story").value;
  const path = of ? "/api/incidents/" + encodeURIComponent(of) + "/timeline?" : "/api/timeline?since=24h&";
  $("picture").src = path + "format=svg&at=" + Math.floor(Date.now() / 60000);
}
$("story").addEventListener("change", picture);
let turn = 0;
async function refresh() {
  try {
    const [slos, agent] = await Promise.all([get("/api/slo"), get("/api/status")]);
    if (turn++ % 12 === 0) {
      await remember(slos);
      await draw();
    }
    $("slos").replaceChildren(...slos.map(card));
    await showIncidents(agent.incidents.open.length > 0);
    $("meta").textContent = agent.node + " \u00b7 " + agent.version + " \u00b7 " + (agent.ready ? "ready" : agent.not_ready_reason) + " \u00b7 " + agent.now;
    $("error").textContent = slos.length ? "" : "no SLO is watched yet";
  } catch (e) {
    $("error").textContent = "the agent does not answer: " + e.message;
  }
  setTimeout(refresh, 5000);
}
refresh();
</script>
</body>
</html>
)html";

}  // namespace nines::agent::http

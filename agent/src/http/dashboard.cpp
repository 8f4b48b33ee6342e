// The page at /: everything in one response; reads /api/slo and /api/status every 5 s. Text reaches
// the document through textContent only: names may be hostile.
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
#error{color:var(--bad);padding:0 1rem}
</style>
</head>
<body>
<header><h1>Nines</h1><span id="meta">loading</span></header>
<p id="error" role="alert"></p>
<main id="slos"></main>
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
async function get(path) {
  const r = await fetch(path, {cache: "no-store"});
  if (!r.ok) throw new Error(path + " answers " + r.status);
  return r.json();
}
async function refresh() {
  try {
    const [slos, agent] = await Promise.all([get("/api/slo"), get("/api/status")]);
    $("slos").replaceChildren(...slos.map(card));
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

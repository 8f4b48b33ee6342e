#!/usr/bin/env python3
"""The API as platforms and the page use it: services, budgets, forecasts, releases, summaries, alerts
with their acknowledgement, events as they happen and after a restart, caching, pages."""
import gzip
import json
import os
import subprocess
import urllib.parse

import api_world
import common
import openapi


def document(checks, world):
    tree = world.json("/api/openapi.json")
    described = openapi.Document(tree)
    checks.equal(described.troubles(), [], "troubles of the OpenAPI document")
    try:
        import openapi_spec_validator
        openapi_spec_validator.validate(tree)
        print("openapi_spec_validator finds nothing, either")
    except ImportError:
        print("openapi_spec_validator is not there: the document is checked by openapi.py alone")
    return described


def fits(checks, described, world, path, template):
    value = world.json(path)
    schema = described.tree["paths"][template]["get"]["responses"]["200"]["content"]
    checks.equal(described.misfits(value, schema["application/json"]["schema"]), [], f"{path} fits")
    return value


def budgets(checks, described, world):
    services = fits(checks, described, world, "/api/services", "/api/services")
    checks.equal([s["name"] for s in services], ["pay", "web"], "services, the worst first")
    checks.equal(sorted(services[1]["slos"]), ["web-availability", "web-strict"], "SLOs of web")
    pay = fits(checks, described, world, "/api/services/pay", "/api/services/{name}")
    by_name = {s["slo"]: s for s in world.json("/api/slo")}
    checks.equal(pay["error_budget_remaining"], by_name["pay-availability"]["error_budget_remaining"],
                 "budget of pay is that of its SLO")
    checks.equal(world.json("/api/slo/pay")["slo"], "pay-availability", "an SLO by its service")
    status, _, body = world.ask("GET", "/api/slo/web")
    checks.equal((status, sorted(json.loads(body)["choices"])),
                 (409, ["web-availability", "web-strict"]), "a service with two SLOs")
    targets = fits(checks, described, world, "/api/slo/web/targets", "/api/slo/{service}/targets")
    checks.that(all("slos/web-" in t["configured_in"] for t in targets), f"where they stand: {targets}")
    burns = fits(checks, described, world, "/api/burn", "/api/burn")
    checks.equal({b["slo"] for b in burns}, set(by_name), "burn rates of all")
    course = fits(checks, described, world, "/api/burn/pay?span=6h", "/api/burn/{service}")
    points = [p for p in course["series"][0]["points"] if p["error_budget_remaining"] is not None]
    checks.that(points[0]["error_budget_remaining"] == 1, f"the budget was whole: {points[0]}")
    checks.that(abs(points[-1]["error_budget_remaining"] - pay["error_budget_remaining"]) < 0.05,
                f"the course ends where the budget is: {points[-1]}")
    checks.equal(sum(p["bad"] for p in course["series"][0]["points"]),
                 by_name["pay-availability"]["bad"], "all bad events are in the course")
    fits(checks, described, world, "/api/forecast/pay", "/api/forecast/{service}")
    release = fits(checks, described, world, "/api/release/pay", "/api/release/{service}")
    checks.equal((release["decision"], release["allowed"]), ("FREEZE", False), "release of pay")
    status, _, body = world.ask("POST", "/api/burn/compute", token=True)
    checks.equal((status, len(json.loads(body))), (200, 3), "POST /api/burn/compute")
    for method, path in (("POST", "/api/services"), ("PUT", "/api/services/web"),
                         ("DELETE", "/api/services/web"), ("POST", "/api/slo/web/targets"),
                         ("PUT", "/api/slo/targets/1")):
        status, headers, body = world.ask(method, path, {}, token=True)
        checks.equal(status, 405, f"{method} {path}")
        checks.that("Allow" in headers and b"configuration as code" in body,
                    f"{method} {path} says where to change it: {body}")


def summaries(checks, described, world):
    summary = fits(checks, described, world, "/api/summary", "/api/summary")
    checks.equal((summary["services"], summary["slos"], summary["incidents_open"]), (2, 3, 1), "summary")
    checks.equal((summary["release"], summary["by_risk"]["FREEZE"]), ("FREEZE", 1), "its risk")
    told = fits(checks, described, world, "/api/summary/pay", "/api/summary/{service}")
    checks.that("pay" in told["text"] and all(f in told["facts"] for s in told["sentences"]
                                              for f in s["facts"]), f"sentences with facts: {told}")
    heat = fits(checks, described, world, "/api/summary/heatmap", "/api/summary/heatmap")
    rows = {r["service"]: {c["window"]: c["risk_level"] for c in r["cells"]} for r in heat["services"]}
    checks.equal(rows["pay"]["5m"], "FREEZE", "pay in the last five minutes")
    checks.equal(rows["web"], {"5m": "SAFE", "1h": "SAFE", "24h": "SAFE", "all": "SAFE"}, "web")


def alerts(checks, described, world):
    shown = fits(checks, described, world, "/api/alerts/pay?firing=true", "/api/alerts/{service}")
    alert = next(a for a in shown if a["incident"])
    checks.equal(alert["acknowledged"], None, "nobody acknowledged it")
    path = f"/api/alerts/{alert['id']}/acknowledge"
    checks.equal(world.ask("PATCH", path, {"who": "ada"})[0], 401, "without a token")
    status, _, body = world.ask("PATCH", path, {"who": "ada", "text": "looking"}, token=True)
    answer = json.loads(body)
    checks.equal((status, answer["acknowledged_by"]), (200, "ada"), "acknowledged")
    incident = world.json(f"/api/incidents/{alert['incident']}")
    checks.equal((incident["state"], incident["acknowledged_by"]), ("acknowledged", "ada"), "the incident")
    checks.equal(world.ask("PATCH", "/api/alerts/0000000000000000/acknowledge", {"who": "a"},
                           token=True)[0], 404, "an alert that there is not")
    checks.equal(world.json("/api/alerts/web"), [], "web has none")
    checks.equal(world.ask("GET", "/api/alerts/none")[0], 404, "alerts of nobody")


def people(checks, described, world):
    rota = fits(checks, described, world, "/api/oncall", "/api/oncall")
    primary = rota["schedules"][0]
    checks.that({primary["person"], primary["next"][0]["person"]} == {"anna", "ben"} and
                primary["next"][0]["from"] == primary["until"], f"who is, and who is next: {primary}")
    route = fits(checks, described, world, "/api/oncall/route?service=pay&severity=P1", "/api/oncall/route")
    checks.equal(route["chain"][0]["person"], primary["person"], "a page goes to who is on call")
    report = fits(checks, described, world, "/api/oncall/report", "/api/oncall/report")
    checks.equal({p["person"] for p in report["people"]}, {"anna", "ben"}, "the load of all")
    checks.equal(world.ask("GET", "/api/oncall/pages")[1]["Content-Type"], "application/x-ndjson", "pages")


def knowledge(checks, described, world):
    found = common.wait_until(lambda: world.json("/api/kb/search?q=payments%20database"), 60, "the runbook")
    found = fits(checks, described, world, "/api/kb/search?q=payments%20database&kind=runbook", "/api/kb/search")
    checks.equal(found[0]["title"], "The payments database is full", "the runbook that fits")
    article = fits(checks, described, world, "/api/kb/" + urllib.parse.quote(found[0]["id"], safe=""),
                   "/api/kb/{id}")
    checks.that("oldest archive" in article["text"], f"all of it: {article}")


def remedies(checks, described, world):
    said = {"who": "ada", "rule": "restart-worker"}
    status, _, body = world.ask("POST", "/api/remedies", {
        "do": "draft", "action": "unit-restart worker.service", "service": "pay", **said}, token=True)
    checks.equal(status, 200, f"a draft: {body}")
    fits(checks, described, world, "/api/remedies", "/api/remedies")
    for part in ("rule", "effect"):
        one = fits(checks, described, world, f"/api/remedies/{part}?rule=restart-worker",
                   f"/api/remedies/{part}")
        checks.that(one["rule"] in ("restart-worker",) or one["rule"]["rule"] == "restart-worker", part)
    report = fits(checks, described, world, "/api/remedies/report", "/api/remedies/report")
    checks.equal([r["rule"]["rule"] for r in report], ["restart-worker"], "the report of rules")
    incident = world.json("/api/incidents")[0]["id"]
    status, _, body = world.ask("POST", "/api/remedies", {
        "do": "run", "incident": incident, "dry_run": True, **said}, token=True)
    run = described.tree["components"]["schemas"]["RemedyRun"]
    checks.equal((status, described.misfits(json.loads(body), run)), (200, []), f"a dry run: {body}")
    for part in ("lessons", "audit"):
        fits(checks, described, world, f"/api/remedies/{part}", f"/api/remedies/{part}")


def everything_is_served(checks, described, world):
    """No path of the document that can be asked without more is unknown to what stands behind it."""
    for path, method, operation in described.operations():
        needs = any(p.get("required") for p in described.parameters(path, operation))
        if method != "get" or needs or path in ("/api/events", "/api/fleet", "/api/kb/search"):
            continue  # the fleet has one node, and a search is for something
        checks.equal(world.ask("GET", path)[0], 200, path)
    for link in ("/ack/x", "/approve/x"):
        status, headers, _ = world.ask("GET", link)
        checks.equal((status, headers["Content-Type"].split(";")[0]), (403, "text/html"), link)


def caching(checks, world):
    status, headers, body = world.ask("GET", "/api/summary/heatmap")
    again = world.ask("GET", "/api/openapi.json", headers={"If-None-Match": "*"})
    checks.equal((status, again[0], again[2]), (200, 304, b""), "304")
    status, headers, packed = world.ask("GET", "/api/openapi.json", headers={"Accept-Encoding": "gzip"})
    plain = world.ask("GET", "/api/openapi.json")[2]
    checks.equal((headers["Content-Encoding"], gzip.decompress(packed)), ("gzip", plain), "gzip")
    print(f"the OpenAPI document is {len(plain)} bytes, {len(packed)} compressed")
    status, headers, body = world.ask("GET", "/api/services?limit=1")
    link = headers["Link"].split(">")[0].lstrip("<")
    checks.equal([s["name"] for s in json.loads(body) + world.json(link)], ["pay", "web"], "two pages")


def queries(checks, described, world):
    """What people save on the agent, and an answer that comes line by line."""
    path, saved = "/api/queries/saved/errors-by-service", {"sql": "SELECT count(*) AS n FROM logs('*')", "who": "ada"}
    checks.equal(world.ask("PUT", path, saved)[0], 401, "saving without the token")
    status, _, body = world.ask("PUT", path, saved, token=True)
    schema = described.tree["components"]["schemas"]["SavedQuery"]
    checks.equal((status, described.misfits(json.loads(body), schema)), (200, []), f"a saved query: {body}")
    for name, sent, expected in (("x", {"sql": "SELEC 1", "who": "ada"}, 400), ("a%20b", saved, 400),
                                 ("x", {"sql": "SELECT * FROM files('/etc/passwd')", "who": "ada"}, 400),
                                 ("x", {"sql": saved["sql"]}, 400)):
        status, _, body = world.ask("PUT", f"/api/queries/saved/{name}", sent, token=True)
        checks.equal(status, expected, f"{name} {sent}: {body}")
    checks.equal([q["name"] for q in fits(checks, described, world, "/api/queries/saved", "/api/queries/saved")],
                 ["errors-by-service"], "what is saved")
    checks.equal(world.ask("DELETE", "/api/queries/saved/nothing", token=True)[0], 404, "what is not there")
    for name, code, told in (("errors-by-service", 0, ""),
                             ("nothing", 2, f"nor on the agent at 127.0.0.1:{world.port}")):
        done = subprocess.run([common.tool("NINES_BIN"), "query", f"@{name}", "-o", "csv", "--agent",
                               f"127.0.0.1:{world.port}", "--state", world.state],
                              capture_output=True, text=True, timeout=60,
                              env={**os.environ, "XDG_CONFIG_HOME": common.scratch("api-no-queries")})
        checks.equal((done.returncode, done.stdout[:2], told in done.stderr), (code, "" if code else "n\n", True),
                     f"nines query @{name} asks the agent for the statement: {done.stdout} {done.stderr}")

    sql = "SELECT source, count(*) AS n FROM logs('*') GROUP BY source ORDER BY source"
    ask = {"sql": sql, "output": "ndjson", "stream": True}
    status, headers, body = world.ask("POST", "/api/query", ask, token=True)
    lines = [json.loads(line) for line in body.splitlines()]
    rows = [line for line in lines if "source" in line]
    checks.equal((status, headers["Content-Type"]), (200, "application/x-ndjson"), "a stream")
    checks.equal(lines[-1].get("_answer", {}).get("complete"), True, "it says that it is whole")
    checks.that(any("_progress" in line for line in lines), f"how far it is: {lines}")
    whole = json.loads(world.ask("POST", "/api/query", {"sql": sql}, token=True)[2])
    checks.that(len(rows) >= 2, f"rows: {lines}")
    checks.equal([r["source"] for r in rows], [r["source"] for r in whole["data"]], "as in an answer at once")
    checks.equal(world.ask("POST", "/api/query", {**ask, "sql": "SELEC"}, token=True)[0], 400, "no statement")


def restart(checks, world, last_id):
    events = api_world.Events(world, last_id)
    hello = events.until("hello")
    checks.equal(hello["resumed"], True, "resumed in the same life")
    events.close()
    world.stop()
    world.start()
    events = api_world.Events(world, last_id)
    checks.equal(events.until("hello")["resumed"], False, "not resumed in the next life")
    tick = events.until("tick")
    checks.that(tick["watermark"] is not None, f"tick {tick}")
    events.close()
    checks.equal([q["who"] for q in world.json("/api/queries/saved")], ["ada"], "saved queries outlive the agent")
    gone = world.ask("DELETE", "/api/queries/saved/errors-by-service", token=True)
    checks.equal((gone[0], json.loads(gone[2])), (200, []), "and are removed")
    firing = world.json("/api/alerts?firing=true")
    checks.that(any(a["slo"] == "pay-availability" and a["incident"] for a in firing),
                f"what fires is listed after a restart: {firing}")


def main():
    checks = common.Checks()
    with api_world.World("api") as world:
        described = document(checks, world)
        events = api_world.Events(world)
        checks.equal(events.until("hello")["node"], "test", "hello of")
        world.burn()
        slo = events.until("slo", lambda e: e["slo"] == "pay-availability" and e["alerts"])
        checks.equal(slo["service"], "pay", "the SLO that burns")
        alert = events.until("alert", lambda e: e["slo"] == "pay-availability")
        missed_from = events.last_id
        events.close()
        opened = common.wait_until(lambda: world.json("/api/incidents"), 60, "an incident")
        alert_schema = described.tree["components"]["schemas"]["Alert"]
        checks.equal(described.misfits(alert, alert_schema), [], "the alert of the event")
        checks.equal(opened[0]["service"], "pay", "the incident is of")
        common.wait_until(lambda: any(a["incident"] for a in world.json("/api/alerts/pay")), 30,
                          "the alert knows its incident")
        budgets(checks, described, world)
        summaries(checks, described, world)
        alerts(checks, described, world)
        people(checks, described, world)
        knowledge(checks, described, world)
        remedies(checks, described, world)
        queries(checks, described, world)
        everything_is_served(checks, described, world)
        caching(checks, world)
        events = api_world.Events(world, missed_from)
        checks.equal(events.until("hello")["resumed"], True, "resumed")
        events.until("incident", lambda e: e["id"] == opened[0]["id"])
        last = events.last_id
        events.close()
        restart(checks, world, last)
    checks.finish()


if __name__ == "__main__":
    main()

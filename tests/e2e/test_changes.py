#!/usr/bin/env python3
"""The change log of a live agent: annotations through the CLI and the API, tokens, a gate that is
overridden, taken back and runs out, a release that is found WORSE, policy steps, a changed target,
and all of it over restarts and kill -9."""
import http.client
import json
import os
import stat
import time

import common

POLICY = """---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: quick}
spec:
  sloRef: web
  data: {minCoverage: 0}
  gate:
    composite: {5m: "0.5", 1h: "0.3", 24h: "0.2"}
    levels: {observe: "1", danger: "1.5", freezeAbove: "2"}
    holdDown: 1h
    onNoData: observe
    override: {ttl: 2h, requireReason: true, audit: true}
  errorBudgetPolicy:
    - {remainingBelow: "0.1", name: stop, severity: warning, actions: [freeze releases, "all hands"]}
    - {remainingBelow: "0.5", name: slow, actions: [pause what is not critical]}
"""


def history(path, seconds):
    """Good lines of the last minutes."""
    now = time.time()
    with open(path, "a") as f:
        for ago in range(seconds, 0, -1):
            f.write(common.AccessLog.line(200, now - ago) * 20)


class World:
    def __init__(self, checks):
        self.checks = checks
        self.folder = common.scratch("changes")
        self.log, self.port = f"{self.folder}/access.log", common.free_port()
        self.state, self.agent_log = f"{self.folder}/state", f"{self.folder}/agent.log"
        self.write_slo("0.9")
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(self.port))

    def write_slo(self, target):
        text = common.ratio_slo("web", f'paths: ["{self.log}"], format: nginx', "status < 500", "",
                                target, "1h")
        common.write(f"{self.folder}/slos/web.yaml", text + POLICY)

    def start(self):
        return common.Agent(self.config, self.state, self.port, log=self.agent_log)

    def cli(self, *arguments, code=0):
        done = common.run(common.tool("NINES_BIN"), *arguments)
        self.checks.equal(done.returncode, code, f"exit code of {arguments}: {done.stderr.decode()}")
        return done.stdout.decode() + done.stderr.decode()

    def write(self, *arguments, code=0):
        return self.cli(*arguments, "--agent", f"127.0.0.1:{self.port}", "--state", self.state, code=code)

    def read(self, *arguments, code=0):
        return self.cli(*arguments, "--agent", f"127.0.0.1:{self.port}", code=code)

    def changes(self):
        status, body = common.get(self.port, "/api/changes")
        return json.loads(body) if status == 200 else []

    def gate(self):
        status, body = common.get(self.port, "/api/gate/web-service")
        return json.loads(body)["slos"][0]["release"] if status == 200 else {}

    def post(self, path, body, token=None):
        """(status, text) of a POST as it comes, whatever the body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        headers = {"Authorization": token} if token else {}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text

    def token(self):
        with open(f"{self.state}/api.token") as f:
            return f.read().strip()


def bad_input(w):
    checks, token = w.checks, "Bearer " + w.token()
    checks.equal(stat.S_IMODE(os.stat(f"{w.state}/api.token").st_mode), 0o600, "mode of the token")
    note = json.dumps({"kind": "note", "text": "x"})
    rows = [
        ("/api/changes", note, None, 401, "Authorization: Bearer"),
        ("/api/changes", note, "Basic abc", 401, "Authorization: Bearer"),
        ("/api/changes", note, "Bearer wrong", 403, "not this agent's"),
        ("/api/changes", note, token + "0", 403, "not this agent's"),
        ("/api/gate/web/override", "{}", None, 401, "Authorization: Bearer"),
        ("/api/slo", note, token, 405, "takes no POST"),
        ("/api/changes", "", token, 400, "one JSON object"),
        ("/api/changes", "[1]", token, 400, "one JSON object"),
        ("/api/changes", "[" * 60000, token, 400, "one JSON object"),
        ("/api/changes", '{"kind": "note", "text": "\xff"}'.encode("latin-1"), token, 400, "one JSON"),
        ("/api/changes", '{"kind": "note", "tekst": "x"}', token, 400, "unknown member 'tekst'"),
        ("/api/changes", '{"kind": "release"}', token, 400, "found 'release'"),
        ("/api/changes", '{"kind": "override"}', token, 400, "agent's own"),
        ("/api/changes", '{"kind": 7}', token, 400, "'kind' must be a text"),
        ("/api/changes", '{"kind": "deploy"}', token, 400, "names its service"),
        ("/api/changes", '{"kind": "note", "slo": "wep"}', token, 404, "no SLO is called 'wep'"),
        ("/api/changes", '{"kind": "note", "at": "yesterday"}', token, 400, "RFC 3339"),
        ("/api/changes", '{"kind": "note", "at": "2199-01-01T00:00:00Z"}', token, 400, "future"),
        ("/api/changes", '{"kind": "note", "at": "2001-01-01T00:00:00Z"}', token, 400, "ago"),
        ("/api/changes", '{"kind": "note", "text": "a\\nb"}', token, 400, "line breaks"),
        ("/api/changes", '{"kind": "note", "details": {"k": []}}', token, 400, "object of texts"),
        ("/api/changes", json.dumps({"kind": "note", "text": "x" * 1001}), token, 400, "1001 bytes"),
        ("/api/changes", "x" * 70000, token, 413, "too large"),
        ("/api/gate/nobody/override", '{"reason": "x", "by": "a"}', token, 404, "'nobody'"),
        ("/api/gate/web/override", '{"by": "a"}', token, 400, "needs a reason"),
        ("/api/gate/web/override", '{"reason": "x"}', token, 400, "by whom"),
        ("/api/gate/web/override", '{"reason": "x", "by": "a", "ttl": "3h"}', token, 400, "1m..2h"),
        ("/api/gate/web/override", '{"reason": "x", "by": "a", "ttl": "-1h"}', token, 400, "duration"),
        ("/api/gate/web/override", '{"revoke": true, "by": "a"}', token, 404, "no override"),
    ]
    for path, body, credential, status, text in rows:
        got, answer = w.post(path, body, credential)
        checks.equal(got, status, f"POST {path} {body[:60]!r}")
        checks.that(text in answer, f"POST {path} {body[:60]!r} answers {answer[:200]!r}")
    for path, status in {"/api/changes/999": 404, "/api/changes/x": 404, "/api/changes?limit=0": 400,
                         "/api/changes?kind=x": 400, "/api/changes/1/impact?window=9d": 404,
                         "/api/report?days=0": 400, "/api/report?month=2026-13": 400,
                         "/api/report?month=2001-01": 400}.items():
        checks.equal(common.get(w.port, path)[0], status, f"GET {path}")
    checks.equal(w.changes(), [], "nothing of this was written")


def first_life(w, writer):
    checks = w.checks
    common.wait_until(lambda: w.gate().get("decision") == "GO", 30, "an open gate")
    bad_input(w)
    out = w.write("annotate", "--kind", "deploy", "--service", "web-service", "--text", "v2",
                  "--detail", "version=2", "--by", "ci")
    checks.equal(json.loads(out)["id"], 1, "id of the deploy")
    for n in (3, 17):
        w.write("annotate", "--kind", "manual_action", "--service", "web-service", "--text",
                f"restarted pod web-{n}", "--detail", "minutes=5")
    w.write("annotate", "--kind", "note", "--detail", "novalue", code=2)
    checks.that("cannot read the API token" in w.read("annotate", "--kind", "note", "--state",
                                                      "/nonexistent", code=2), "no token")
    course = json.loads(common.get(w.port, "/api/slo/web/history?span=1h")[1])
    checks.that(any(a["id"] == 1 and a["text"] == "v2" for a in course["annotations"]),
                "the deploy is in the history of the SLO")
    checks.that(sum(p["good"] for p in course["points"]) > 0, "so are its events")
    writer.status = 503
    common.wait_until(lambda: "is WORSE" in w.gate().get("watch", ""), 60, "the release is WORSE")
    common.wait_until(lambda: w.gate()["decision"] == "FREEZE", 60, "a closed gate")
    checks.that("WORSE" in w.read("changes", "show", "1"), "changes show")
    checks.that("FREEZE" in w.read("gate", "web-service", code=1), "nines gate says no")
    common.wait_until(lambda: any(c["kind"] == "budget_step" for c in w.changes()), 30, "a policy step")
    out = w.write("gate", "override", "web-service", "--reason", "hotfix for it", "--by", "ann")
    checks.that(out.startswith("CAUTION"), f"opened: {out}")
    checks.that("opened by ann until" in out and "without it FREEZE" in out, f"nothing is hidden: {out}")
    checks.that("all hands" in out or "pause what" in out, f"actions of the step: {out}")


def second_life(w):
    checks = w.checks
    gate = common.wait_until(lambda: w.gate().get("override") and w.gate(), 30, "override after kill -9")
    checks.equal((gate["override"]["by"], gate["allowed"]), ("ann", True), "override after kill -9")
    checks.equal(len([c for c in w.changes() if c["kind"] == "override"]), 1, "told once")
    out = w.write("gate", "override", "web-service", "--revoke", "--by", "bob")
    checks.that(out.startswith("FREEZE"), f"taken back: {out}")
    changes = w.changes()
    checks.equal([d["value"] for d in changes[0]["details"] if d["key"] == "action"], ["revoked"],
                 "the newest entry")
    impact = json.loads(w.read("changes", "impact", "1", "--window", "5m", "-o", "json"))["slos"][0]
    checks.that(impact["treated"]["after"]["bad"] > 0 and impact["difference"] > 0, f"impact {impact}")
    checks.that(any("untouched" in d for d in impact["doubts"]), "impact says what is missing")
    report = json.loads(w.read("slo", "report", "--days", "1", "-o", "json"))
    slo = report["slos"][0]
    status = json.loads(common.get(w.port, "/api/slo/web")[1])
    checks.that(slo["total"] >= status["total"] > 0, "the report has what the window has")
    checks.equal(slo["good"] + slo["bad"], slo["total"], "events of the report")
    checks.equal([(t["times"], t["minutes"]) for t in report["toil"]], [(2, 10)], "toil")
    checks.equal(len(report["overrides"]), 2, "overrides of the report")
    text = w.read("slo", "report", "--days", "1")
    for part in ("# Service levels on test", "| web |", "## Changes", "deploy of web-service",
                 "## Gate overrides", "## Toil"):
        checks.that(part in text, f"report has {part!r}")


def third_life(w):
    checks = w.checks
    common.wait_until(lambda: any(c["kind"] == "target_change" for c in w.changes()), 30, "target change")
    change = next(c for c in w.changes() if c["kind"] == "target_change")
    checks.equal((change["slo"], change["text"]), ("web", "target 0.9 -> 0.8"), "target change")
    ids = [c["id"] for c in w.changes()]
    checks.equal(sorted(ids, reverse=True), list(range(len(ids), 0, -1)), "ids without gap or double")
    steps = [c["details"][:2] for c in reversed(w.changes()) if c["kind"] == "budget_step"]
    for before, after in zip(steps, steps[1:]):
        checks.equal(before[1]["value"], after[0]["value"], "steps follow from each other")


def main():
    checks = common.Checks()
    w = World(checks)
    history(w.log, 240)
    writer = common.AccessLog(w.log, burst=5)
    writer.start()
    try:
        with w.start() as agent:
            first_life(w, writer)
            agent.kill()
        with w.start():
            second_life(w)
        w.write_slo("0.8")
        with w.start():
            third_life(w)
        with w.start():
            common.wait_until(lambda: w.changes(), 30, "the log after a restart")
            checks.equal(len([c for c in w.changes() if c["kind"] == "target_change"]), 1, "told once")
        with open(w.agent_log, errors="replace") as f:
            checks.that(w.token() not in f.read(), "the token is in no log")
    finally:
        writer.ending.set()
        writer.join()
        if checks.failures:
            with open(w.agent_log, errors="replace") as f:
                print(f.read()[-2500:])
    checks.finish()


if __name__ == "__main__":
    main()

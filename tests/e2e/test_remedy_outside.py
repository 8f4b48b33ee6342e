#!/usr/bin/env python3
"""A program of the allow-list, a webhook and a function of AWS Lambda as remedies: configured in
nines.yaml, tried out first, watched in shadow, called once each when they may; what was under way
when the agent was killed is looked at and not repeated. The endpoint of Lambda checks the signature
(SigV4) by itself, from the published algorithm."""
import datetime
import hashlib
import hmac
import http.server
import json
import os
import signal
import sys
import threading
import time
import urllib.parse

import common
import test_remedy

AWS_ID, AWS_SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
TOKEN, API_KEY = "hook-token-3141", "hook-key-2718"
RULES = {"by-program": "program fix", "by-webhook": "webhook cycle", "by-lambda": "lambda heal"}

FIX = """#!{python}
import os, sys, time
root = {root!r}
line = " ".join(sys.argv[1:]) + " | " + os.environ["NINES_TARGET"] + " | " + ",".join(sorted(os.environ))
open(root + "/program.log", "a").write(line + "\\n")
if "--dry-run" in sys.argv or "--unfix" in sys.argv:
    sys.exit(0)
if "--was-done" in sys.argv:
    sys.exit(0 if sys.argv[-1] in open(root + "/done").read().split() else 1)
open(root + "/done", "a").write(os.environ["NINES_KEY"] + "\\n")
if os.path.exists(root + "/slow"):
    open(root + "/program.pid", "w").write(str(os.getpid()))
    time.sleep(600)
if os.path.exists(root + "/broken") and not os.path.exists(root + "/incurable"):
    os.unlink(root + "/broken")
"""


class Jobs(threading.Thread):
    """Writes the log of a service that is ill while `broken` is there."""

    def __init__(self, root):
        super().__init__(daemon=True)
        self.root, self.ending = root, threading.Event()

    def run(self):
        while not self.ending.wait(0.05):
            ill = os.path.exists(f"{self.root}/broken")
            record = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
                      "status": 500 if ill else 200, "level": "error" if ill else "info",
                      "msg": "job failed" if ill else "job done"}
            with open(f"{self.root}/worker.log", "a", encoding="utf-8") as log:
                log.write(json.dumps(record) + "\n")


def signed_wrongly(method, path, headers, body):
    """Why the signature of a request is not right; empty: it is."""
    said = headers.get("Authorization", "")
    if not said.startswith("AWS4-HMAC-SHA256 "):
        return "no signature"
    parts = dict(p.strip().split("=", 1) for p in said[len("AWS4-HMAC-SHA256 "):].split(","))
    key_id, day, region, service, end = parts["Credential"].split("/")
    names = parts["SignedHeaders"].split(";")
    date = headers["X-Amz-Date"]
    then = datetime.datetime.strptime(date, "%Y%m%dT%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    age = abs((datetime.datetime.now(datetime.timezone.utc) - then).total_seconds())
    if (key_id, region, service, end) != (AWS_ID, "eu-west-1", "lambda", "aws4_request"):
        return f"credential {parts['Credential']}"
    if age > 300 or not date.startswith(day) or not {"host", "x-amz-date"} <= set(names):
        return "date or signed headers"
    path, _, query = path.partition("?")
    canonical = "\n".join([
        method, urllib.parse.quote(path, safe="/-_.~"), query,
        *(f"{name}:{' '.join(headers[name].split())}" for name in sorted(names)), "",
        ";".join(sorted(names)), hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", date, f"{day}/{region}/{service}/aws4_request",
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + AWS_SECRET.encode()
    for part in (day, region, service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    good = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return "" if hmac.compare_digest(good, parts["Signature"]) else "the signature is another"


class Outside(http.server.ThreadingHTTPServer):
    """The webhook (/cycle) and the endpoint of Lambda, on one port."""

    def __init__(self, world):
        self.world, self.lock, self.calls, self.faults = world, threading.Lock(), [], []
        self.may_answer = threading.Event()
        self.may_answer.set()
        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def made(self, kind, dry):
        with self.lock:
            return [body for k, d, body in self.calls if k == kind and d == dry]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        server = self.server
        body = self.rfile.read(int(self.headers["Content-Length"]))
        told = json.loads(body)
        if self.path == "/cycle":
            kind, fault = "webhook", ""
            if self.headers["Authorization"] != f"Bearer {TOKEN}" or self.headers["X-Api-Key"] != API_KEY:
                fault = "the secrets are not right"
            elif self.headers["Idempotency-Key"] != told["key"]:
                fault = "the key is not that of the body"
        else:
            kind = "lambda"
            fault = signed_wrongly("POST", self.path, self.headers, body)
            if self.path != "/2015-03-31/functions/heal-fn%3Alive/invocations":
                fault = self.path
            if (self.headers["X-Amz-Invocation-Type"] == "DryRun") != told["dry_run"]:
                fault = "the invocation type is not that of the body"
        with server.lock:
            server.calls.append((kind, told["dry_run"], told))
            if fault:
                server.faults.append(f"{kind}: {fault}")
        if not told["dry_run"]:
            server.may_answer.wait(600)
            if server.made("webhook", False) and server.made("lambda", False):
                server.world.heal()
        status = 403 if fault else 204 if told["dry_run"] else 200
        try:
            self.send_response(status)
            if status != 204:
                self.send_header("Content-Length", "4")
            self.end_headers()
            if status != 204:
                self.wfile.write(b"null")
        except OSError:
            pass  # it was killed meanwhile


class World(test_remedy.World):
    def __init__(self):  # pylint: disable=super-init-not-called
        self.root = common.scratch("remedy-outside")
        self.port = common.free_port()
        self.state = f"{self.root}/state"
        self.outside = Outside(self)
        address = f"http://127.0.0.1:{self.outside.server_address[1]}"
        common.write(f"{self.root}/worker.log", "")
        common.write(f"{self.root}/done", "")
        common.write(f"{self.root}/program.log", "")
        for name in ("fix", "unfix"):
            os.chmod(common.write(f"{self.root}/{name}", FIX.format(python=sys.executable, root=self.root)), 0o755)
        common.write(f"{self.root}/hook.token", TOKEN + "\n")
        common.write(f"{self.root}/hook.key", API_KEY + "\n")
        aws = common.write(f"{self.root}/aws", f"[nines]\naws_access_key_id = {AWS_ID}\n"
                                               f"aws_secret_access_key = {AWS_SECRET}\n")
        os.chmod(aws, 0o600)
        self.yaml = common.node_yaml(self.port, f"""remediation:
  enabled: true
  verbs: [program, webhook, lambda]
  programs:
    - name: fix
      command: [{self.root}/fix, "--service={{service}}", "--key={{key}}"]
      dry_run: [{self.root}/fix, --dry-run]
      check: [{self.root}/fix, --was-done, "{{key}}"]
      undo: unfix
      per_hour: 50
    - name: unfix
      command: [{self.root}/unfix, --unfix]
  webhooks:
    - name: cycle
      url: {address}/cycle
      secret_file: hook.token
      header_files: [X-Api-Key=hook.key]
      dry_run: true
      timeout: 4m
      per_hour: 50
  functions:
    - name: heal
      function: heal-fn
      qualifier: live
      region: eu-west-1
      endpoint: {address}
      credentials_file: aws
      profile: nines
      per_hour: 50
  stop_file: {self.root}/STOP
  post_check: 30s
  cool_down: 0s
  rule_per_hour: 50
  node_per_hour: 50
  shadow_hits: 1
""")
        self.config = common.write(f"{self.root}/nines.yaml", self.yaml)
        common.write(f"{self.root}/slos/jobs.yaml", common.ratio_slo(
            "jobs", f'paths: ["{self.root}/worker.log"]', "status < 500", window="1h", target="0.9")
            + test_remedy.POLICY)
        self.jobs = Jobs(self.root)
        self.jobs.start()

    def heal(self):
        try:
            os.unlink(f"{self.root}/broken")
        except OSError:
            pass

    def ran(self, *words):
        with open(f"{self.root}/program.log", encoding="utf-8") as log:
            return [line for line in log if all(word in line.split(" | ")[0] for word in words)]

    def done(self):
        """How often each of them was really asked to act."""
        return {"program": len(self.ran("--service=")), "webhook": len(self.outside.made("webhook", False)),
                "lambda": len(self.outside.made("lambda", False))}

    def waits(self, rule, words):
        return [w for w in self.remedies()["waiting"] if w["rule"] == rule and words in w["why"]]

    def allow(self, checks, rule, incident):
        waiting = common.wait_until(lambda: self.waits(rule, "approve"), 60, f"that {rule} asks")
        self.remedy(checks, "allow", rule, "--incident", incident["id"], "--target", waiting[0]["target"])

    def helped(self, action):
        return [a for a in self.acts("helped") if a["action"] == action]

    def tamper(self, mode):
        os.chmod(f"{self.root}/fix", mode)


def is_refused(checks, world):
    """Before anything runs: what the configuration does not say, or says wrongly."""
    wrong = world.yaml.replace("undo: unfix", "undo: unfx").replace("url: http://127.0.0.1", "url: http://8.8.8.8")
    path = common.write(f"{world.root}/wrong/nines.yaml", wrong)
    said = common.run(common.tool("NINES_BIN"), "slo", "lint", "--config", path, timeout=30)
    told = said.stdout.decode() + said.stderr.decode()
    checks.that(said.returncode != 0, "a wrong configuration is refused")
    for words in (":13:13: error: undo of program 'fix' names 'unfx'", "did you mean 'unfix'?",
                  "webhook 'cycle': what is asked of '8.8.8.8' goes unencrypted",
                  "allow_http: true"):
        checks.that(words in told, f"lint says {words!r}:\n{told}")
    checks.that("did you mean 'fix'" in world.remedy(
        checks, "draft", "x", "--action", "program fx", "--service", "jobs-service", code=2),
        "no rule names a program that is not there")


def is_watched(checks, world):
    common.write(f"{world.root}/broken", "")
    incident = world.opens()
    world.signature = f"{incident['conditions'][0]['kind']} {incident['service']}"
    world.service = incident["service"]
    for rule, action in RULES.items():
        world.remedy(checks, "draft", rule, "--action", action, "--signature", world.signature)
        world.remedy(checks, "shadow", rule)
    common.wait_until(lambda: all(r["shadow_hits"] == 1 for r in world.remedies()["rules"]), 90,
                      "hits of all three in shadow")
    checks.equal(world.done(), {"program": 0, "webhook": 0, "lambda": 0}, "in shadow nothing is done")
    checks.that(world.ran("--dry-run"), "the program was tried out")
    checks.that(world.outside.made("webhook", True), "the webhook was tried out")
    checks.that(world.outside.made("lambda", True), "the function was tried out")
    world.remedy(checks, "draft", "back", "--action", "program unfix", "--signature", world.signature)
    world.remedy(checks, "shadow", "back")
    for rule in RULES:
        world.remedy(checks, "approve", rule)
    said = world.remedy(checks, "approve", "back", code=2)
    checks.that("rule by-program, which may act" in said and "one would undo the other" in said,
                f"a rule that undoes another is not approved beside it: {said}")
    world.remedy(checks, "remove", "back")
    asks = {r["rule"]: r["asks_each_time"] for r in world.remedies()["rules"] if r["rule"] in RULES}
    checks.equal(asks, {"by-program": False, "by-webhook": True, "by-lambda": True},
                 "what cannot be taken back asks each time")
    for rule in ("by-webhook", "by-lambda"):
        world.remedy(checks, "auto", rule, code=2)
    world.heal()
    world.calm()
    checks.equal(world.done(), {"program": 0, "webhook": 0, "lambda": 0}, "nobody allowed it, nothing is done")


def history(signature):
    records = [{"id": f"OLD-{i}", "signature": signature, "severity": "P1",
                "action": "program fix" if i % 2 else "nothing",
                "at": f"2026-0{1 + i // 12}-{1 + i % 12:02d}T10:00:00Z",
                "outcome": "resolved" if i % 2 else "failed", "recover_s": 300 if i % 2 else 7200}
               for i in range(24)]
    return json.dumps({"records": records})


def program_acts_alone(checks, world):
    world.remedy(checks, "import", common.write(f"{world.root}/history.json", history(world.signature)))
    world.remedy(checks, "auto", "by-program")
    world.tamper(0o777)
    common.write(f"{world.root}/broken", "")
    world.opens()
    common.wait_until(lambda: world.waits("by-program", "may be changed by others"), 90,
                      "that the program is refused")
    checks.equal(world.done()["program"], 0, "a program that others may write is not run")
    world.tamper(0o755)
    common.wait_until(lambda: world.done()["program"], 90, "the program")
    common.wait_until(lambda: world.helped("program fix"), 240, "that it helped")
    checks.equal(world.done(), {"program": 1, "webhook": 0, "lambda": 0}, "it ran once, and it alone")
    arguments, target, names = world.ran("--service=")[0].strip().split(" | ")
    checks.that(arguments.startswith(f"--service={world.service} --key=test/"), f"its arguments: {arguments}")
    checks.equal(target, world.service, "its target")
    checks.that({n for n in names.split(",") if not n.startswith("LC_")} ==
                {"NINES_INCIDENT", "NINES_KEY", "NINES_NAMESPACE", "NINES_TARGET", "PATH"},
                f"no other environment: {names}")
    checks.equal(world.ran("--unfix"), [], "what helped is not taken back")
    world.calm()


def what_did_not_help_is_taken_back(checks, world):
    common.write(f"{world.root}/incurable", "")
    common.write(f"{world.root}/broken", "")
    world.opens()
    common.wait_until(lambda: world.done()["program"] == 2, 90, "the program")
    world.tamper(0o777)  # once is enough
    common.wait_until(lambda: world.ran("--unfix"), 240, "what takes it back")
    os.unlink(f"{world.root}/incurable")
    world.heal()
    world.calm()
    checks.equal(len(world.ran("--unfix")), 1, "it was taken back once")
    acts = {a["id"]: a for a in world.remedies()["acts"]}
    back = [a for a in acts.values() if a["action"] == "program unfix"]
    checks.equal([acts[a["undoes"]]["phase"] for a in back], ["did not help"], "and what it undoes is told")
    world.tamper(0o755)


def asked_outside(checks, world):
    world.tamper(0o777)  # so that the program stays out of it
    common.write(f"{world.root}/broken", "")
    incident = world.opens()
    for rule in ("by-webhook", "by-lambda"):
        world.allow(checks, rule, incident)
    common.wait_until(lambda: world.done()["webhook"] and world.done()["lambda"], 90, "both calls")
    common.wait_until(lambda: world.helped("webhook cycle") and world.helped("lambda heal"), 240,
                      "that they helped")
    checks.equal(world.done(), {"program": 2, "webhook": 1, "lambda": 1}, "each was asked once")
    for kind in ("webhook", "lambda"):
        body = world.outside.made(kind, False)[0]
        checks.equal((body["action"], body["target"], body["incident"], body["node"]),
                     (kind, world.service, incident["id"], "test"), f"what the {kind} was told")
    checks.equal(world.outside.faults, [], "secrets and signatures were right in each call")
    world.calm()
    world.tamper(0o755)


def is_killed(checks, world, agent):
    common.write(f"{world.root}/slow", "")
    world.outside.may_answer.clear()
    common.write(f"{world.root}/broken", "")
    incident = world.opens()
    world.allow(checks, "by-webhook", incident)
    common.wait_until(lambda: world.done()["webhook"] == 2 and os.path.exists(f"{world.root}/program.pid"),
                      90, "the program and the webhook under way")
    agent.kill()
    with open(f"{world.root}/program.pid", encoding="utf-8") as pid:
        os.kill(int(pid.read()), signal.SIGKILL)
    os.unlink(f"{world.root}/slow")
    world.outside.may_answer.set()
    world.heal()  # by a person


def is_not_repeated(checks, world):
    doubt = common.wait_until(lambda: world.acts("in doubt"), 240, "that the webhook is in doubt")
    checks.equal([a["action"] for a in doubt], ["webhook cycle"], "what nothing can tell is in doubt")
    checks.that(world.ran("--was-done"), "the program's check was asked")
    common.wait_until(lambda: len(world.helped("program fix")) == 2, 240,
                      "that the program was found to have run")
    world.remedy(checks, "settle", doubt[0]["id"], "the plug was cycled")
    checks.equal(world.done(), {"program": 3, "webhook": 2, "lambda": 1}, "nothing was repeated")


def tells_no_secret(checks, world):
    audit = world.fetch("/api/remedies/audit")
    checks.that(audit["whole"], "the audit log is whole")
    with open(f"{world.root}/agent.log", encoding="utf-8", errors="replace") as log:
        told = log.read() + json.dumps(audit) + json.dumps(world.remedies())
    for secret in (TOKEN, API_KEY, AWS_SECRET):
        checks.that(secret not in told, "no secret stands in the log, the audit or the API")


def main():
    checks = common.Checks()
    world = World()
    with world.agent() as agent:
        common.wait_until(lambda: agent.slos().get("jobs", {}).get("total", 0) > 100, 60, "counts")
        is_refused(checks, world)
        is_watched(checks, world)
        program_acts_alone(checks, world)
        what_did_not_help_is_taken_back(checks, world)
        asked_outside(checks, world)
        is_killed(checks, world, agent)
    with world.agent():
        common.wait_until(lambda: world.fetch("/api/remedies"), 30, "the agent again")
        is_not_repeated(checks, world)
        tells_no_secret(checks, world)
    checks.finish()


if __name__ == "__main__":
    main()

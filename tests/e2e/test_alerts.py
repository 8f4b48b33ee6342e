#!/usr/bin/env python3
"""An outage, a webhook receiver that is down or broken, and an agent that is killed between firing
and delivery: every transition arrives, in order, repeated only under the same Idempotency-Key."""
import http.server
import json
import re
import threading

import common

POLICY = """---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: quick}
spec:
  sloRef: web
  burnAlerts:
    - {name: quick, severity: page, long: 1m, short: 10s, factor: 2}
  lowTraffic: {minBad: 2, significance: 0.05}
  resolve: {ratio: 0.9, evaluations: 2, cooldown: 0s}
  data: {minCoverage: 0}
"""


class Receiver:
    """Answers as told; keeps every request. Can be shut and opened again on the same port. The context
    of a page is what was known when it was told, and so another one each time: it is left out."""

    def __init__(self, host="127.0.0.1"):
        self.host, self.port = host, common.free_port()
        self.answer, self.got, self.server = 200, [], None

    def open(self, answer):
        self.answer = answer
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                body.pop("context", None)
                receiver.got.append((receiver.answer, self.headers["Idempotency-Key"], body))
                self.send_response(receiver.answer)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server((self.host, self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def shut(self):
        self.server.shutdown()
        self.server.server_close()

    def delivered(self):
        return [(key, body) for answer, key, body in self.got if answer == 200]


def alerts(agent):
    status, body = common.get(agent.port, "/api/alerts")
    found = json.loads(body) if status == 200 else []
    return found if isinstance(found, list) else found.get("alerts", [])


def by_key(checks, deliveries):
    """Distinct events in order of arrival; a key never names two different bodies."""
    events = {}
    for key, body in deliveries:
        if key in events:
            checks.equal(body, events[key], f"repeated {key}")
        events.setdefault(key, body)
    return list(events.items())


def check_events(checks, events):
    checks.equal([b["kind"] for _, b in events], ["fired", "resolved"] * (len(events) // 2), "kinds")
    for n, (key, body) in enumerate(events, 1):
        wanted = f"test/{body['boot']}/alert/{body['sequence']}"
        checks.equal(key, wanted, "Idempotency-Key")
        checks.equal((body["sequence"], body["slo"], body["rule"]), (n, "web", "quick"), "event")
        checks.that(re.search(r"\d+ of \d+ events bad", body["summary"]), body["summary"])


def main():
    checks = common.Checks()
    folder = common.scratch("alerts")
    log, port, receiver = f"{folder}/access.log", common.free_port(), Receiver()
    slo = common.ratio_slo("web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1h")
    common.write(f"{folder}/slos/web.yaml", slo + POLICY)
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port, (
        f"webhooks:\n  - name: hook\n    url: http://127.0.0.1:{receiver.port}/hook\n"
        "    timeout: 1s\n")))

    def start():
        return common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")

    def shows(agent, kind, count):
        return sum(a.get("kind", "fired") == kind for a in alerts(agent)) >= count

    writer = common.AccessLog(log)
    writer.start()
    receiver.open(500)
    try:
        # First life: fires; the receiver answers 500. Killed before it was told.
        with start() as agent:
            common.wait_until(lambda: agent.slos().get("web", {}).get("total", 0) > 0, 20, "lines")
            writer.status = 503
            common.wait_until(lambda: receiver.got, 60, "a first attempt")
            checks.equal(receiver.got[0][2]["kind"], "fired", "first attempt")
        first_key = receiver.got[0][1]
        receiver.shut()
        # Second life: the receiver is down; the outage ends meanwhile.
        with start() as agent:
            common.wait_until(lambda: shows(agent, "fired", 0) and agent.slos().get("web"), 20, "up")
            writer.status = 200
            common.wait_until(lambda: "resolved page web" in read(f"{folder}/agent.log"), 90,
                              "the alert resolves")
            time_to_commit(agent)
        # Third life: nothing new happens to be told, but what is owed is.
        receiver.open(200)
        with start() as agent:
            common.wait_until(lambda: len(by_key(checks, receiver.delivered())) >= 2, 60, "delivery")
            writer.status = 503
            common.wait_until(lambda: len(by_key(checks, receiver.delivered())) >= 3, 60, "fires again")
            writer.status = 200
            common.wait_until(lambda: len(by_key(checks, receiver.delivered())) >= 4, 90, "resolves again")
        events = by_key(checks, receiver.delivered())
        check_events(checks, events)
        checks.equal(events[0][0], first_key, "the key of the first event after two restarts")
        checks.equal([b["boot"] for _, b in events], [1, 2, 3, 3], "boots")
        attempts = by_key(checks, [(key, body) for _, key, body in receiver.got])
        checks.equal(attempts, events, "failed and successful attempts tell the same")
    finally:
        writer.ending.set()
        writer.join()
        print(read(f"{folder}/agent.log")[-2500:] if checks.failures else "", end="")
    checks.finish()


def read(path):
    with open(path, errors="replace") as f:
        return f.read()


def time_to_commit(agent):
    """The transition is on disk once a delivery of it is pending."""
    def pending():
        _, text = common.get(agent.port, "/metrics")
        found = re.search(rb"^nines_notify_pending\S* (\d+)", text, re.M)
        return found and int(found[1]) >= 2
    common.wait_until(pending, 20, "two events wait for delivery")


if __name__ == "__main__":
    main()

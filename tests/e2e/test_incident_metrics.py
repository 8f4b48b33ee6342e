#!/usr/bin/env python3
"""Scraped metrics as evidence: a queue that fills half a minute before requests fail is put with the
incident, with what it was, what it usually is and since when; a metric that stays as it was is not.
Takes seven minutes: what is usual must be known first."""
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import common

USUAL_S, AHEAD_S = 270, 40


class Endpoint(BaseHTTPRequestHandler):
    full, scrapes = False, 0

    def log_message(self, *_):
        pass

    def do_GET(self):
        Endpoint.scrapes += 1
        depth = 806 if Endpoint.full else 2 + Endpoint.scrapes % 3
        body = (f"# TYPE queue_depth gauge\nqueue_depth{{queue=\"mail\"}} {depth}\n"
                f"queue_depth{{queue=\"invoice\"}} 1\n"
                f"# TYPE connections gauge\nconnections {50 + Endpoint.scrapes % 5}\n"
                f"# TYPE http_requests_total counter\nhttp_requests_total {Endpoint.scrapes * 7}\n").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def incidents(port):
    status, body = common.get(port, "/api/incidents?state=all")
    return json.loads(body) if status == 200 else []


def metrics_of(incident):
    return [e["entry"] for e in incident["evidence"] if e["entry"]["details"].get("source") == "metric"]


def main():
    checks = common.Checks()
    root, port = common.scratch("metrics"), common.free_port()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    log = common.AccessLog(f"{root}/access.log", burst=3)
    log.start()
    config = common.write(f"{root}/nines.yaml", common.node_yaml(port, f"""sources:
  - name: orders
    service: orders
    scrape: {{url: "http://127.0.0.1:{server.server_address[1]}/metrics", every: 2s}}
incidents:
  sources: [orders]
"""))
    common.write(f"{root}/slos/web.yaml", common.ratio_slo(
        "web", f'paths: ["{root}/access.log"], format: nginx', "status < 500", window="1h"))
    with common.Agent(config, f"{root}/state", port, log=f"{root}/agent.log") as agent:
        common.wait_until(lambda: Endpoint.scrapes > 0, 60, "a scrape")
        began = time.monotonic()
        common.wait_until(lambda: time.monotonic() - began >= USUAL_S, 2 * USUAL_S, "what is usual", 1)
        checks.equal(incidents(port), [], "all is well at first")
        Endpoint.full = True
        filled = time.monotonic()
        common.wait_until(lambda: time.monotonic() - filled >= AHEAD_S, 2 * AHEAD_S, "the queue", 0.2)
        log.status = 503
        common.wait_until(lambda: incidents(port), 120, "an incident")
        told = common.wait_until(lambda: metrics_of(incidents(port)[0]), 240, "metrics as evidence")
        for entry in told:
            print(f"  {entry['text']}")
        queue = [e for e in told if e["text"].startswith("queue_depth of orders")]
        checks.equal(len(queue), 1, "the queue that filled is evidence, its two series added up")
        checks.equal(float(queue[0]["details"]["value"]), 807.0, "with what it was")
        checks.that(3 <= float(queue[0]["details"]["usual"]) <= 5, "with what it usually is")
        checks.that("s before" in queue[0]["text"], "and that it was first")
        checks.that("moves with the share of bad events" in queue[0]["text"], "and moves with the errors")
        checks.that(not any(e["text"].startswith(("connections", "http_requests")) for e in told),
                    "what stayed as it was is not, nor what only grows")
        checks.equal(len(incidents(port)), 1, "no metric opens an incident")
    log.ending.set()
    server.shutdown()
    checks.finish()


if __name__ == "__main__":
    main()

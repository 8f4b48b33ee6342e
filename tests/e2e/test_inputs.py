#!/usr/bin/env python3
"""Inputs that are not files, through the real agent: a scraped endpoint whose counters are counted
exactly over resets, kill -9 and an outage; the endpoint's own availability; the node's vitals."""
import http.server
import os
import signal
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import common  # noqa: E402


class Endpoint:
    """Counters that grow by 7 and 2 with every scrape, so that what was scraped is known exactly."""

    def __init__(self):
        self.good = self.bad = 0        # as exposed
        self.grown_good = self.grown_bad = 0
        self.growing = True
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = outer.scrape().encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def scrape(self):
        with self.lock:
            if self.growing:
                self.good, self.bad = self.good + 7, self.bad + 2
                self.grown_good, self.grown_bad = self.grown_good + 7, self.grown_bad + 2
            return ("# TYPE http_requests_total counter\n"
                    f'http_requests_total{{code="200"}} {self.good}\n'
                    f'http_requests_total{{code="500"}} {self.bad}\n')

    def reset(self):
        with self.lock:
            self.good = self.bad = 0

    def end(self):
        self.server.shutdown()
        self.server.server_close()


def slo(name, source, good, total, count):
    text = common.ratio_slo(name, source, good, total)
    return text.replace('"}}', f'", count: {count}}}}}') if count else text


def main():
    checks = common.Checks()
    folder, port = common.scratch("inputs"), common.free_port()
    endpoint = Endpoint()
    scraped = f'scrape: {{url: "http://127.0.0.1:{endpoint.port}/metrics", every: 1s}}'
    common.write(f"{folder}/slos/slos.yaml", "".join([
        slo("requests", scraped, "metric = 'http_requests_total' AND code = 200",
            "metric = 'http_requests_total'", "delta"),
        slo("up", scraped, "metric = 'up' AND value = 1", "metric = 'up'", ""),
        slo("vitals", "vitals: {every: 1s}", "memory_used_fraction < 2",
            "memory_total_bytes > 0", "")]))
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))

    def life():
        return common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")

    def counted(agent, name):
        status = agent.slos().get(name, {})
        return status.get("good"), status.get("bad")

    # The first scrape of all finds the past of others: 7 and 2.
    def exact(agent):
        with endpoint.lock:
            wanted = endpoint.grown_good - 7, endpoint.grown_bad - 2
        return counted(agent, "requests") == wanted

    def settle(agent, what):
        endpoint.growing = False
        common.wait_until(lambda: exact(agent), 60, what)
        endpoint.growing = True

    with life() as agent:
        common.wait_until(lambda: (counted(agent, "requests")[0] or 0) >= 21, 60, "three scrapes")
        settle(agent, "counts of the first life")
        checks.that(True, "counters are counted exactly")
        endpoint.reset()
        common.wait_until(lambda: endpoint.good >= 14, 60, "scrapes after the reset")
        settle(agent, "counts after a reset")
        common.wait_until(lambda: (counted(agent, "vitals")[0] or 0) >= 2, 60, "vitals")
        agent.process.send_signal(signal.SIGKILL)
        agent.process.wait()
    endpoint.good, endpoint.grown_good = endpoint.good + 100, endpoint.grown_good + 100
    with life() as agent:
        common.wait_until(lambda: agent.slos(), 60, "the second life")
        settle(agent, "what happened while it was down")
        checks.that(True, "the growth while it was down is counted, once")
        before = counted(agent, "up")
        endpoint.end()
        common.wait_until(lambda: (counted(agent, "up")[1] or 0) >= 2, 60, "failed scrapes")
        checks.that(counted(agent, "up")[0] >= before[0], "an endpoint that is down is a bad event")
        status, body = common.get(port, "/metrics")
        checks.equal(status, 200, "/metrics")
        lines = body.decode().splitlines()
        health = [l for l in lines if l.startswith("nines_input_healthy{input=\"scrape\"")]
        checks.that(health and health[0].endswith(" 0"), f"the input says that it fails: {health}")
        coverage = agent.slos()["requests"]["coverage"]
        checks.that(coverage is not None and coverage < 1, f"an outage is not covered: {coverage}")
    checks.finish()


if __name__ == "__main__":
    main()

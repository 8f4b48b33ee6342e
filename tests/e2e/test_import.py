#!/usr/bin/env python3
"""nines slo import, then the agent: specs of Sloth and Pyrra, translated and scraped, count what
the endpoint told, and a composite of two of them is judged by their weighted sum."""
import http.server
import threading

import common

SLOTH = """
version: prometheus/v1
service: shop
slos:
  - name: fast
    objective: 90
    sli:
      events:
        error_query: |
          sum(rate(d_seconds_count{job="shop"}[{{.window}}]))
          - sum(rate(d_seconds_bucket{job="shop",le="0.3"}[{{.window}}]))
        total_query: sum(rate(d_seconds_count{job="shop"}[{{.window}}]))
    alerting: {name: Slow}
"""
PYRRA = """
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: works}
spec:
  target: "99"
  window: 1w
  indicator:
    ratio: {errors: {metric: 'errors_total{route=~"/pay|/find"}'}, total: {metric: 'requests_total{route!="/healthz"}'}}
---
apiVersion: pyrra.dev/v1alpha1
kind: ServiceLevelObjective
metadata: {name: probe}
spec:
  target: "99"
  window: 1w
  indicator: {bool_gauge: {metric: probe_success}}
"""
COMPOSITE = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: journey}
spec:
  service: shop
  timeWindow: [{duration: 1w, isRolling: true}]
  objectives:
    - displayName: pay
      target: 0.99
      compositeWeight: 3
      indicator: {spec: {ratioMetric: {bad: METRIC(metric = 'errors_total'), total: METRIC(metric = 'requests_total')}}}
    - displayName: find
      target: 0.9
      indicator: {spec: {ratioMetric: {bad: METRIC(metric = 'errors_total'), total: METRIC(metric = 'requests_total')}}}
"""


class Endpoint:
    def __init__(self):
        self.requests, self.probes, self.errors, self.slow = 1000, 500, 30, 7
        self.scrapes = 0
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                body = outer.page().encode()
                outer.scrapes += 1
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

    def page(self):
        return ("# TYPE requests_total counter\n"
                f'requests_total{{route="/pay"}} {self.requests}\n'
                f'requests_total{{route="/healthz"}} {self.probes}\n'
                "# TYPE errors_total counter\n"
                f'errors_total{{route="/pay"}} {self.errors}\n'
                "# TYPE d_seconds histogram\n"
                f'd_seconds_bucket{{le="0.3"}} {self.requests - self.slow}\n'
                f'd_seconds_bucket{{le="+Inf"}} {self.requests}\n'
                f"d_seconds_sum 1\nd_seconds_count {self.requests}\n"
                "# TYPE probe_success gauge\nprobe_success 1\n")


def main():
    checks, folder, port = common.Checks(), common.scratch("import"), common.free_port()
    nines, endpoint = common.tool("NINES_BIN"), Endpoint()
    url = f"http://127.0.0.1:{endpoint.port}/metrics"
    files = [common.write(f"{folder}/sloth.yml", SLOTH), common.write(f"{folder}/p.yaml", PYRRA)]
    done = common.run(nines, "slo", "import", *files, "--scrape", url, "--window", "7d")
    checks.equal(done.returncode, 0, f"import ({done.stderr.decode()})")
    checks.that(b"label 'job' in error_query" in done.stderr, "what was left out is told")
    checks.equal(common.run(nines, "slo", "import", files[0]).returncode, 2, "import from nowhere")
    imported = done.stdout.decode().replace("every: 15s", "every: 1s")
    common.write(f"{folder}/slos/imported.yaml", imported)
    metric = (f'{{metricSource: {{type: nines.log, spec: {{scrape: {{url: "{url}", every: 1s}}, '
              'where: "WHERE", count: delta, independent: true}}}')
    composite = COMPOSITE.replace("METRIC(metric = 'errors_total')",
                                  metric.replace("WHERE", "metric = 'errors_total'"))
    composite = composite.replace("METRIC(metric = 'requests_total')",
                                  metric.replace("WHERE", "metric = 'requests_total'"))
    common.write(f"{folder}/slos/composite.yaml", composite)
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))
    lint = common.run(nines, "slo", "lint", "--config", config)
    checks.equal(lint.returncode, 0, f"lint of what was imported ({lint.stdout.decode()})")
    exported = common.run(nines, "slo", "export", "--config", config)
    again = common.write(f"{folder}/again.yaml", exported.stdout)
    empty = common.write(f"{folder}/elsewhere/nines.yaml", "")
    twice = common.run(nines, "slo", "export", "--config", empty, again)
    checks.that(exported.returncode == 0 and twice.stdout == exported.stdout,
                f"an export of an export is the same ({twice.stderr.decode()})")

    def counted(agent, name):
        status = agent.slos().get(name, {})
        return status.get("good"), status.get("bad")

    with common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log") as agent:
        common.wait_until(lambda: endpoint.scrapes >= 2, 60, "the first scrapes")
        # The same page twice: all sources have seen what is the past.
        common.wait_until(lambda: (counted(agent, "probe")[0] or 0) >= 2, 60, "two counted scrapes")
        endpoint.requests, endpoint.probes = endpoint.requests + 200, endpoint.probes + 1000
        endpoint.errors, endpoint.slow = endpoint.errors + 5, endpoint.slow + 12
        common.wait_until(lambda: counted(agent, "works") == (195, 5), 60, "errors and requests")
        common.wait_until(lambda: counted(agent, "shop-fast") == (188, 12), 60, "slow requests")
        # Burns 5/1200/0.01 with weight 3 and 5/1200/0.1 with weight 1.
        wanted = (3 * (5 / 1200 / 0.01) + 5 / 1200 / 0.1) / 4
        common.wait_until(lambda: abs((agent.slos().get("journey", {}).get(
            "error_budget_consumed") or 0) - wanted) < 1e-12, 60, "the composite")
        status = agent.slos()["journey"]
        checks.equal([(p["slo"], p["weight"], p["bad"], p["total"]) for p in status["parts"]],
                     [("journey-pay", 3, 5, 1200), ("journey-find", 1, 5, 1200)], "its parts")
        checks.equal(status["target"], None, "a composite has no target")
        checks.equal(counted(agent, "probe")[1], 0, "bad probes")
        code, text = common.get(port, "/api/slo/journey/explain")
        checks.that(code == 200 and b"(3 * 41.6667 % + 1 * 4.1667 %) / 4 = 32.2917 %" in text,
                    f"explain: {text.decode()}")
    endpoint.server.shutdown()
    checks.finish()


if __name__ == "__main__":
    main()

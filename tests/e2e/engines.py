"""Engines that agents tell, started on loopback from Debian's programs, which tests/run unpacks."""
import gzip
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import urllib.parse

import common


class Engine:
    """A program that can be killed and started again on the same data."""

    def __init__(self, folder, name):
        self.folder, self.name, self.port = f"{folder}/{name}", name, common.free_port()
        os.makedirs(self.folder, exist_ok=True)
        self.process = None

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder)
        common.wait_until(self.ready, 30, f"{self.name} is ready")
        return self

    url_path = "/api/v1/write"
    kind = "remote_write"
    host = "127.0.0.1"  # where it listens

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        status, body = common.get(self.port, f"{path}?{query}" if query else path)
        return json.loads(body) if status == 200 else None

    def samples(self, selector, seconds):
        """{labels as sorted pairs: [(time, value)]}: as stored, not as a query would fill in."""
        answer = self.get("/api/v1/query", query=f"{selector}[{seconds}s]")
        return {} if answer is None else {
            tuple(sorted(r["metric"].items())): [(float(t), float(v)) for t, v in r["values"]]
            for r in answer["data"]["result"]}


class Prometheus(Engine):
    def __init__(self, folder, name, window=None):
        super().__init__(folder, name)
        tsdb = f"storage: {{tsdb: {{out_of_order_time_window: {window}}}}}\n" if window else ""
        self.config = common.write(f"{self.folder}/p.yml", "global: {scrape_interval: 1m}\n" + tsdb)

    def command(self):
        return [common.tool("NINES_PROMETHEUS"), f"--config.file={self.config}",
                f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address={self.host}:{self.port}",
                "--web.enable-remote-write-receiver"]

    def ready(self):
        return common.get(self.port, "/-/ready")[0] == 200


class VictoriaMetrics(Engine):
    def command(self):
        return [common.tool("NINES_VICTORIA_METRICS"), f"-storageDataPath={self.folder}/data",
                f"-httpListenAddr={self.host}:{self.port}", "-retentionPeriod=2",
                "-memory.allowedBytes=64MB", "-dedup.minScrapeInterval=1ms",
                "-search.latencyOffset=0s"]

    def ready(self):
        return common.get(self.port, "/health")[0] == 200

    def samples(self, selector, seconds):
        # Its range selectors leave out the newest; the export has all that is stored.
        common.get(self.port, "/internal/force_flush")
        _, body = common.get(self.port, "/api/v1/export?" + urllib.parse.urlencode({
            "match[]": selector}))
        found = {}
        for line in body.splitlines():
            series = json.loads(line)
            found.setdefault(tuple(sorted(series["metric"].items())), []).extend(
                (t / 1000, float(v)) for t, v in zip(series["timestamps"], series["values"]))
        return {labels: sorted(set(values)) for labels, values in found.items()}


class Collector:
    """Stands in for a collector of OpenTelemetry (Debian has none): takes OTLP/HTTP in JSON as its
    specification says and refuses all else."""
    url_path, kind = "/v1/metrics", "otlp"

    def __init__(self, name):
        self.name, self.port, self.points, self.wrong = name, common.free_port(), {}, []
        self.server = None

    def start(self):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    assert self.path == "/v1/metrics", self.path
                    assert self.headers["Content-Type"] == "application/json"
                    assert self.headers["Content-Encoding"] == "gzip"
                    collector.take(json.loads(gzip.decompress(body)))
                    status, answer = 200, b"{}"
                except (AssertionError, KeyError, TypeError, ValueError, OSError) as e:
                    collector.wrong.append(repr(e))
                    status, answer = 400, json.dumps({"code": 3, "message": repr(e)}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()
        return self

    def kill(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @staticmethod
    def attributes(items):
        found = {}
        for item in items:
            assert set(item) == {"key", "value"} and set(item["value"]) == {"stringValue"}, item
            assert item["key"] not in found, item
            found[item["key"]] = item["value"]["stringValue"]
        return found

    def take(self, request):
        assert set(request) == {"resourceMetrics"}
        for resource_metrics in request["resourceMetrics"]:
            resource = self.attributes(resource_metrics["resource"]["attributes"])
            labels = {"job": resource["service.name"], "instance": resource["service.instance.id"],
                      "node": resource["host.name"]}
            for metric in resource_metrics["scopeMetrics"][0]["metrics"]:
                (kind,) = set(metric) - {"name"}
                if metric["name"].endswith("_total"):
                    assert kind == "sum" and metric["sum"]["isMonotonic"] is True
                    assert metric["sum"]["aggregationTemporality"] == 2
                else:
                    assert kind == "gauge"
                for point in metric[kind]["dataPoints"]:
                    own = {**labels, **self.attributes(point["attributes"]),
                           "__name__": metric["name"]}
                    at = int(point["timeUnixNano"])
                    assert isinstance(point["timeUnixNano"], str) and at > 10**18
                    series = self.points.setdefault(tuple(sorted(own.items())), {})
                    series.setdefault(at / 1e9, float(point["asDouble"]))

    def samples(self, selector, _seconds):
        name, rest = re.match(r"([a-z_:]*)\{(.*)\}", selector).groups()
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', rest), **({"__name__": name} if name else {}))
        return {labels: sorted(points.items()) for labels, points in list(self.points.items())
                if wanted.items() <= dict(labels).items()}

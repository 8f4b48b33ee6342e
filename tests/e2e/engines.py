"""Engines that agents tell, started on loopback from Debian's programs, which tests/run unpacks."""
import json
import os
import signal
import subprocess
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
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--web.enable-remote-write-receiver"]

    def ready(self):
        return common.get(self.port, "/-/ready")[0] == 200


class VictoriaMetrics(Engine):
    def command(self):
        return [common.tool("NINES_VICTORIA_METRICS"), f"-storageDataPath={self.folder}/data",
                f"-httpListenAddr=127.0.0.1:{self.port}", "-retentionPeriod=2",
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

"""A running agent whose API has something to say: three SLOs of two services over six hours of
logs, one of which burns, with its incident."""
import http.client
import json
import time

import common

LINE = '10.0.0.1 - - [%s] "GET / HTTP/1.1" %d 1 "-" "t" 0.010\n'


def lines(path, good, bad, ago):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() - ago))
    with open(path, "a") as f:
        f.write(LINE % (stamp, 200) * good + LINE % (stamp, 500) * bad)


def slo(folder, name, service, log, target, window):
    text = common.ratio_slo(name, f'paths: ["{log}"], format: nginx', "status < 500", "", target, window)
    return common.write(f"{folder}/slos/{name}.yaml", text.replace(f"{name}-service", service))


ONCALL = """people:
  - {id: anna, name: Anna Arendt, time_zone: Europe/Berlin, notify: [desk]}
  - {id: ben}
schedules:
  - name: primary
    layers: [{rotation: daily, start: "2026-01-05 09:00", people: [anna, ben]}]
policies:
  - {name: all, levels: [{schedule: primary}, {people: [ben]}]}
"""
RUNBOOK = "# The payments database is full\n\nDelete the oldest archive of pay.\n"
EXTRA = """
oncall: {file: oncall.yaml}
kb: {directory: runbooks}
api: {public_url: "http://127.0.0.1:9"}
webhooks: [{name: desk, url: "http://127.0.0.1:9/"}]
remediation:
  enabled: true
  verbs: [unit-restart]
  units: [worker.service]
"""


class World:
    def __init__(self, name, extra=EXTRA):
        self.folder, self.port = common.scratch(name), common.free_port()
        calm, ill = f"{self.folder}/web.log", f"{self.folder}/pay.log"
        self.ill = ill
        for ago in range(6 * 3600, 600, -60):
            lines(calm, 50, 0, ago)
            lines(ill, 50, 0, ago)
        for ago in range(600, 30, -10):
            lines(calm, 20, 0, ago)
            lines(ill, 20, 0, ago)
        slo(self.folder, "web-availability", "web", calm, "0.99", "1d")
        slo(self.folder, "web-strict", "web", calm, "0.999", "7d")
        slo(self.folder, "pay-availability", "pay", ill, "0.99", "1d")
        common.write(f"{self.folder}/oncall.yaml", ONCALL)
        common.write(f"{self.folder}/runbooks/pay.md", RUNBOOK)
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(self.port, extra))
        self.state = f"{self.folder}/state"
        self.agent = None

    def start(self):
        self.agent = common.Agent(self.config, self.state, self.port, log=f"{self.folder}/agent.log")
        self.agent.__enter__()
        common.wait_until(lambda: common.get(self.port, "/readyz")[0] == 200, 60, "/readyz")
        with open(f"{self.state}/api.token") as f:
            self.token = f.read().strip()
        return self

    def stop(self):
        self.agent.__exit__(None, None, None)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def burn(self):
        for ago in range(120, 10, -10):
            lines(self.ill, 10, 40, ago)

    def ask(self, method, path, body=None, headers=None, token=False, timeout=30):
        """(status, headers, bytes)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            sent = dict(headers or {})
            if token:
                sent["Authorization"] = f"Bearer {self.token}"
            data = json.dumps(body) if isinstance(body, (dict, list)) else body
            connection.request(method, path, body=data, headers=sent)
            answer = connection.getresponse()
            return answer.status, dict(answer.getheaders()), answer.read()
        finally:
            connection.close()

    def json(self, path):
        status, _, body = self.ask("GET", path)
        assert status == 200, (path, status, body[:300])
        return json.loads(body)


class Events:
    """A reader of server-sent events."""

    def __init__(self, world, last_id=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=60)
        self.connection.request("GET", "/api/events",
                                headers={"Last-Event-ID": last_id} if last_id else {})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self.last_id = last_id

    def next(self):
        """(type, data) of the next event; comments are passed over."""
        kind, data = "message", []
        while True:
            line = self.answer.readline()
            assert line, "the stream ended"
            line = line.decode().rstrip("\n")
            if line.startswith("event: "):
                kind = line[7:]
            elif line.startswith("data: "):
                data.append(line[6:])
            elif line.startswith("id: "):
                self.last_id = line[4:]
            elif not line and data:
                return kind, json.loads("\n".join(data))

    def until(self, kind, what=lambda data: True, seconds=60):
        deadline = time.time() + seconds
        while time.time() < deadline:
            got, data = self.next()
            if got == kind and what(data):
                return data
        raise AssertionError(f"no event {kind}")

    def close(self):
        self.connection.close()


def resident_kib(agent):
    with open(f"/proc/{agent.process.pid}/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))

"""Running the real program for a scenario: `nines tail --once`, and a live `nines agent`."""
import itertools
import json
import os
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request

NOBODY = 65534
_hosts = itertools.count(1)
_hosts_lock = threading.Lock()


def own_address():
    """A loopback address of its own for each agent: no two of them can want the same port."""
    with _hosts_lock:
        n = next(_hosts)
    pid = os.getpid()
    return f"127.{1 + pid % 254}.{1 + (pid // 254 + n // 250) % 254}.{1 + n % 250}"


def program():
    path = os.environ.get("NINES_BIN", "")
    if not os.path.exists(path):
        print(f"SKIPPED: NINES_BIN names no program ({path!r})")
        raise SystemExit(77)
    return os.path.abspath(path)


def identity(scenario):
    """As whom the program runs: file permissions mean nothing to root."""
    if not scenario.unprivileged or os.geteuid() != 0:
        return {}
    return {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def as_whom(scenario, folder):
    os.makedirs(folder, exist_ok=True)
    if identity(scenario):
        os.chown(folder, NOBODY, NOBODY)
    return folder


class Tail:
    """One `nines tail --once --state DIR` after the other; each gives its records."""

    def __init__(self, scenario, world, folder):
        self.scenario, self.world = scenario, world
        self.state = as_whom(scenario, os.path.join(folder, "tail-state"))
        self.trouble = ""

    def command(self):
        out = [program(), "tail", "--once", "--state", self.state, "-o", "json",
               "--format", self.scenario.format]
        if self.scenario.pattern:
            out += ["--pattern", self.scenario.pattern]
        return out + [self.world.path(p) for p in self.scenario.paths]

    def run(self, kill_after=None):
        """(records, finished). Killed after so many seconds unless it was faster."""
        process = subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   **identity(self.scenario))
        if kill_after is not None:
            timer = threading.Timer(kill_after, process.kill)
            timer.start()
        out, err = process.communicate(timeout=120)
        if kill_after is not None:
            timer.cancel()
        self.trouble = err.decode(errors="replace")[-500:]
        whole = out[:out.rfind(b"\n") + 1].decode(errors="replace")
        return [self.record(l) for l in whole.split("\n") if l], process.returncode == 0

    def record(self, line):
        record = json.loads(line)
        record["source"] = os.path.relpath(record["source"], self.world.root)
        return record


class Agent:
    """A live agent on an address of its own."""

    def __init__(self, scenario, world, folder):
        self.scenario, self.folder = scenario, folder
        self.host = world.variables["HOST"] = own_address()
        self.state = as_whom(scenario, os.path.join(folder, "agent-state"))
        self.config = os.path.join(folder, "nines.yaml")
        self.log_path = os.path.join(folder, "agent.log")
        self.process = None
        world.variables["stdin"] = self.type_in
        with open(self.config, "w") as f:
            f.write(self.node_yaml(world))
        with open(os.path.join(folder, "slo.yaml"), "w") as f:
            f.write(self.slo_yaml())

    def node_yaml(self, world):
        s = self.scenario
        out = (f"node: test\nlisten: {self.host}:9990\nflush: 1s\nevaluate: 1s\nslos: [slo.yaml]\n"
               f"{s.limits}sources:\n  - name: s\n    format: {s.format}\n")
        if s.pattern:
            out += f"    pattern: {json.dumps(s.pattern)}\n"
        if s.inputs:
            text = s.inputs.replace("@HOST@", self.host).replace("@DIR@", world.root)
            out += "".join(f"    {line}\n" for line in text.splitlines())
        else:
            out += f"    paths: {json.dumps([world.path(p) for p in s.paths])}\n"
        text = s.source.replace("@DIR@", world.root)
        return out + "".join(f"    {line}\n" for line in text.splitlines())

    def slo_yaml(self):
        where = f", where: {json.dumps(self.scenario.where)}" if self.scenario.where else ""
        return f"""apiVersion: openslo/v1
kind: SLO
metadata: {{name: conformance}}
spec:
  service: conformance
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 7d, isRolling: true}}]
  indicator:
    metadata: {{name: conformance-indicator}}
    spec:
      ratioMetric:
        good: {{metricSource: {{type: nines.log, spec: {{source: s, where: {json.dumps(self.scenario.good)}}}}}}}
        total: {{metricSource: {{type: nines.log, spec: {{source: s{where}}}}}}}
  objectives: [{{displayName: all, target: 0.9}}]
"""

    def start(self):
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [program(), "agent", "--config", self.config, "--state", self.state],
                stdin=subprocess.PIPE, stdout=log, stderr=log, **identity(self.scenario))

    def type_in(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def running(self):
        return self.process is not None and self.process.poll() is None

    def end(self, how=signal.SIGTERM):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdin.close()
        self.process = None

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.host}:9990{path}", timeout=10) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as e:
            return e.code, e.read()
        except (OSError, ValueError):
            return None, b""

    def counts(self):
        """(good, bad, when they were evaluated) or None while nobody answers."""
        status, body = self.get("/api/slo")
        if status != 200:
            return None
        slo = json.loads(body)[0]
        return (slo["good"] or 0, slo["bad"] or 0, slo["timestamp"])

    def ready(self):
        return self.get("/readyz")[0] == 200

    def metric(self, name):
        """Sum over the labels of a metric."""
        total = 0.0
        for line in self.get("/metrics")[1].decode().splitlines():
            if line.startswith(name) and line[len(name):len(name) + 1] in ("{", " "):
                total += float(line.rsplit(" ", 1)[1])
        return total

    def damage_state(self):
        """Overwrites what is saved, the newest part of it too."""
        for name in os.listdir(self.state):
            path = os.path.join(self.state, name)
            if os.path.isfile(path):
                with open(path, "r+b") as f:
                    f.write(b"\xa5" * max(4096, min(os.path.getsize(path), 1 << 20)))

    def last_words(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()[-1500:]


def wait_for(condition, seconds, poll=0.1):
    """What `condition` returned last: true, or false at the deadline."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value or time.monotonic() > deadline:
            return value
        time.sleep(poll)

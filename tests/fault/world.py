"""One agent with its log and what a plain recount of that log says."""
import json
import os
import re
import signal
import time

import trial  # noqa: F401 (finds tests/e2e)
import common
import recount
from test_alerts import POLICY

# The machine of a test is busy with other tests: what pressure does is a case of its own.
CALM = "limits: {cpu_pressure: 0, memory_pressure: 0, io_pressure: 0}\n"


def stamped(status, at=None, path="/"):
    return common.AccessLog.line(status, at).replace(" / HTTP", f" {path} HTTP")


def recounted(*paths):
    """(good, bad) by tests/e2e/recount.py, which shares nothing with the program."""
    good = bad = 0
    for path in paths:
        for record in recount.records(path, "nginx"):
            if record is not None:
                good, bad = good + (record["status"] < 500), bad + (record["status"] >= 500)
    return good, bad


class Node:
    """A watched log `logs/access.log` (and whatever is rotated beside it), an SLO "web" on it with a
    rule that pages at once, and an agent that can be started again and again."""

    def __init__(self, test, name="test", extra="", pattern="access.log*", state=None, limits=CALM):
        self.test, self.name = test, name
        self.folder, self.port = f"{test.folder}/{name}", common.free_port()
        self.log, self.state = f"{self.folder}/logs/access.log", state or f"{self.folder}/state"
        common.write(self.log, "")
        common.write(f"{self.folder}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{self.folder}/logs/{pattern}"], format: nginx', "status < 500", "",
            "0.9", "2h") + POLICY)
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(
            self.port, limits + extra).replace("node: test", f"node: {name}"))
        self.agent, self.writer, self.gone = None, None, []

    def start(self, env=None, **options):
        self.agent = common.Agent(self.config, self.state, self.port, log=f"{self.folder}/agent.log",
                                  cwd=self.folder, env=env, **options)
        return self

    @property
    def pid(self):
        return self.agent.process.pid

    def write(self, burst=1, ahead_s=0):
        self.writer = common.AccessLog(self.log, burst, ahead_s)
        self.writer.start()

    def stop_writing(self):
        if self.writer is not None:
            self.writer.ending.set()
            self.writer.join()
            self.writer = None

    def append(self, good, bad=0, at=None):
        with open(self.log, "a", encoding="ascii") as f:
            f.write(stamped(200, at) * good + stamped(503, at) * bad)

    def rotate(self, number):
        os.rename(self.log, f"{self.log}.{number}")
        common.write(self.log, "")

    def counts(self):
        slo = self.agent.slos().get("web", {})
        return slo.get("good", 0), slo.get("bad", 0)

    def logs(self):
        folder = os.path.dirname(self.log)
        return [f"{folder}/{name}" for name in sorted(os.listdir(folder))]

    def recount(self):
        return recounted(*self.logs())

    def metric(self, name, labels=""):
        text = common.get(self.port, "/metrics", timeout=20)[1].decode(errors="replace")
        found = re.search(rf"^{name}{re.escape(labels)} ([-+.e0-9]+)$", text, re.M)
        return float(found[1]) if found else None

    def status(self):
        status, body = common.get(self.port, "/api/status", timeout=20)
        return json.loads(body) if status == 200 else {}

    def own_log(self):
        with open(f"{self.folder}/agent.log", errors="replace") as f:
            return f.read()

    def note_memory(self):
        if self.agent is not None and self.agent.alive():
            self.test.memory(common.peak_rss_bytes(self.agent.process))

    def kill(self):
        self.note_memory()
        self.agent.kill()

    def terminate(self):
        self.note_memory()
        self.agent.process.send_signal(signal.SIGTERM)
        self.agent.process.wait(60)
        self.agent.kill()

    def grown(self, lines, seconds=30):
        """Waits until so many more are counted."""
        begun = sum(self.counts())
        common.wait_until(lambda: sum(self.counts()) >= begun + lines, seconds,
                          f"{self.name}: {lines} more lines counted")

    def settles(self, what, seconds=60, again=True, wanted=None):
        """Every line counts once, now and after another life; what was seen goes into the table."""
        self.stop_writing()
        wanted = wanted or self.recount()
        for life in ("", " after a restart") if again else ("",):
            took = trial.settled(lambda: self.counts() == wanted, seconds)
            got = self.counts()
            more = max(0, sum(got) - sum(wanted))
            self.test.equal(got, wanted, f"{what}: (good, bad){life}")
            if not life:
                self.test.saw(f"{what}: {sum(wanted)} events, {sum(got)} counted, {more} doubled" + (
                    f", right after {took:.1f} s" if took is not None else ", never right"))
            elif got != wanted:
                self.test.saw(f"{what}{life}: {sum(got)} counted of {sum(wanted)}")
            if again and not life:
                self.terminate()
                self.start()
        self.note_memory()

    def end(self, failed=False):
        try:
            self.stop_writing()
        finally:
            if self.agent is not None:
                self.kill()
            if (failed or self.test.failures) and os.path.exists(f"{self.folder}/agent.log"):
                print(f"--- {self.name}: its log\n{self.own_log()[-2500:]}", flush=True)

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        self.end(error is not None)


def once(node, prefix=(), timeout=60):
    """(exit code, (good, bad), stderr) of `agent --once` on the same state."""
    done = common.run(*prefix, common.tool("NINES_BIN"), "agent", "--once", "-o", "json", "--config",
                      node.config, "--state", node.state, timeout=timeout)
    try:
        slo = json.loads(done.stdout)[0]
        counts = slo["good"], slo["bad"]
    except (ValueError, IndexError, KeyError):
        counts = None
    return done.returncode, counts, done.stderr.decode(errors="replace")


def some_minutes_ago():
    return time.time() - 300

"""What the end-to-end tests share: where the programs are, running them, waiting with a deadline.

Environment (set by ctest): NINES_BIN, NINES_LOGGEN, NINES_ARM_DIR (arm64 build), NINES_SYSROOT,
NINES_PROMTOOL, NINES_PROMETHEUS_ALERTMANAGER. Run by hand: NINES_BIN=build/dev/agent/nines tests/e2e/test_day.py
"""
import fcntl
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SKIP = 77


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(SKIP)


def tool(variable):
    path = os.environ.get(variable, "")
    if not path or not os.path.exists(path):
        skip(f"{variable} names no program ({path!r})")
    return path


class Checks:
    """Collects failures so that one run shows all of them."""

    def __init__(self):
        self.failures, self.passed = [], 0

    def that(self, condition, message):
        if condition:
            self.passed += 1
        else:
            self.failures.append(message)
            print(f"FAIL: {message}", flush=True)
        return bool(condition)

    def equal(self, got, wanted, what):
        return self.that(got == wanted, f"{what}: got {got!r}, expected {wanted!r}")

    def finish(self):
        print(f"{self.passed} checks passed, {len(self.failures)} failed")
        sys.exit(1 if self.failures else 0)


def scratch(name):
    """A directory of this test; kept with NINES_KEEP=1."""
    path = tempfile.mkdtemp(prefix=f"nines-{name}.")
    if os.environ.get("NINES_KEEP"):
        print(f"keeping {path}")
    else:
        import atexit
        atexit.register(shutil.rmtree, path, True)
    return path


def run(*command, timeout=300, env=None, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, timeout=timeout,
                          env={**os.environ, **(env or {})}, **options)


def peak_rss_bytes(process):
    """High-water mark of a running process, 0 when it is gone. ru_maxrss will not do: it starts
    with the size of the Python that forked the program."""
    try:
        with open(f"/proc/{process.pid}/status") as f:
            return next((int(line.split()[1]) * 1024 for line in f if line.startswith("VmHWM:")), 0)
    except OSError:
        return 0


def loggen(path, fmt, **options):
    command = [tool("NINES_LOGGEN"), "--format", fmt, "--out", path]
    for key, value in options.items():
        command += [f"--{key}", str(value)]
    done = run(*command)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())


def patience():
    """How many times longer a wait may take than on a machine of its own: how many run for each
    processor, 1 to 4. A wait ends when what it waits for is there; its limit is no promise of speed."""
    return min(4.0, max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)))


def wait_until(condition, seconds, what, poll=0.05):
    began = time.monotonic()
    while time.monotonic() - began < seconds * patience():
        value = condition()
        if value:
            return value
        time.sleep(poll)
    raise TimeoutError(f"{what}: not within {time.monotonic() - began:.0f} s")


def free_port():
    """A port of this process until it ends, also while nobody listens there: tests that run beside it
    get others (each locks the byte of its ports in one file), and no connection begins at one, as
    these are below those that the kernel hands out."""
    if not _port_locks:
        path = os.path.join(tempfile.gettempdir(), f"nines-test-ports-{os.getuid()}")
        _port_locks.append(open(path, "ab"))
    while True:
        port = _any.randrange(12_000, 32_000)
        if port in _ports:
            continue
        try:
            fcntl.lockf(_port_locks[0], fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
        except (BlockingIOError, PermissionError):
            continue
        try:
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            continue
        _ports.add(port)
        return port


_any = random.SystemRandom()  # a test that seeds random has no ports of its own for that
_port_locks, _ports = [], set()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(text if isinstance(text, bytes) else text.encode())
    return path


def node_yaml(port, extra=""):
    """A nines.yaml for a test: its own port, and commits each second."""
    return f"node: test\nlisten: 127.0.0.1:{port}\nflush: 1s\nevaluate: 1s\n{extra}"


def get(port, path, method="GET", timeout=5, host="127.0.0.1"):
    """(status, body) or (None, b'') while nobody answers."""
    request = urllib.request.Request(f"http://{host}:{port}{path}", method=method)
    try:
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as e:
        return e.code, e.read()
    except (OSError, ValueError):
        return None, b""


class AccessLog(threading.Thread):
    """Writes `burst` lines ten times a second, good or bad as `status` says, until told to end."""

    def __init__(self, path, burst=1, clock_ahead_s=0):
        super().__init__(daemon=True)
        self.path, self.burst, self.status, self.ending = path, burst, 200, threading.Event()
        self.clock_ahead_s = clock_ahead_s

    @staticmethod
    def line(status, at=None):
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at))
        return f'10.0.0.1 - - [{stamp}] "GET / HTTP/1.1" {status} 1 "-" "t" 0.010\n'

    def run(self):
        with open(self.path, "a", buffering=1) as f:
            while not self.ending.wait(0.1):
                f.write(self.line(self.status, time.time() + self.clock_ahead_s) * self.burst)


class Agent:
    """A live agent. Use as a context manager; ended with SIGKILL when still there."""

    def __init__(self, config, state, port, extra=(), log=None, cwd=None, env=None):
        self.port = port
        self.log = open(log, "ab") if log else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [tool("NINES_BIN"), "agent", "--config", config, "--state", state, *extra],
            stdout=self.log, stderr=self.log, cwd=cwd, env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()

    def alive(self):
        return self.process.poll() is None

    def kill(self):
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        if self.log is not subprocess.DEVNULL:
            self.log.close()

    def wait_for_commits(self):
        """What the log tells by now is on disk: the second commit from here began after it."""
        def commits():
            _, text = get(self.port, "/metrics")
            found = re.search(rb"^nines_store_commits_total (\d+)", text, re.M)
            return int(found[1]) if found else 0
        before = commits()
        wait_until(lambda: commits() >= before + 2, 60, "two commits")

    def slos(self):
        status, body = get(self.port, "/api/slo")
        return {s["slo"]: s for s in json.loads(body)} if status == 200 else {}


def ratio_slo(name, source, good, total="", target="0.999", window="1d", part="good", tier=1):
    """OpenSLO v1 text; `source` is inline YAML such as 'paths: ["/x/*.log"], format: nginx'."""
    where = f', where: "{total}"' if total else ""
    return f"""---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  labels: {{tier: "{tier}"}}
spec:
  service: {name}-service
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {window}, isRolling: true}}]
  indicator:
    metadata: {{name: {name}-indicator}}
    spec:
      ratioMetric:
        counter: false
        {part}: {{metricSource: {{type: nines.log, spec: {{{source}, where: "{good}"}}}}}}
        total: {{metricSource: {{type: nines.log, spec: {{{source}{where}}}}}}}
  objectives: [{{displayName: {name}, target: {target}}}]
"""


def threshold_slo(name, source, value, op, limit, where="", target="0.99", window="1d"):
    where = f', where: "{where}"' if where else ""
    return f"""---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: {name}-service
  budgetingMethod: Occurrences
  timeWindow: [{{duration: {window}, isRolling: true}}]
  indicator:
    metadata: {{name: {name}-indicator}}
    spec:
      thresholdMetric:
        metricSource:
          type: nines.log
          spec: {{{source}{where}, value: "{value}", unit: ms}}
  objectives: [{{displayName: {name}, op: {op}, value: {limit}, target: {target}}}]
"""

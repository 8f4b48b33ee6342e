"""For torture and soak: a writer that numbers its lines, and programs whose counts tell which of
them were lost and which came twice.

Line n carries the bucket k = n / 997 mod 16, and each bucket is counted for itself: a loss here and
a doubling there do not cancel out."""
import collections
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request

import programs

BUCKETS, BLOCK = 16, 997


def bucket(n):
    return n // BLOCK % BUCKETS


class Writer:
    """Appends numbered lines at a rate that is kept on average; `written` is exact."""

    def __init__(self, path, rate=2000, append=True):
        self.path, self.rate, self.append = path, rate, append
        self.expected = collections.Counter()
        self.next = 0
        self.file = self.open()

    def open(self, path=None):
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if self.append else 0)
        return os.open(path or self.path, flags, 0o644)

    def reopen(self):
        os.close(self.file)
        self.file = self.open()

    def close(self):
        os.close(self.file)

    def text(self, count, pad=""):
        # A little old: counts show once their ten seconds are over.
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 30))
        out = []
        for n in range(self.next, self.next + count):
            k = bucket(n)
            self.expected[k] += 1
            out.append(f'{{"time":"{stamp}","k":{k},"n":{n},"msg":"done{pad}"}}\n')
        self.next += count
        return "".join(out).encode()

    def write(self, count, pad=""):
        data = memoryview(self.text(count, pad))
        while data:
            data = data[os.write(self.file, data):]

    def run(self, seconds):
        """Bursts of ten milliseconds."""
        start, done, total = time.monotonic(), 0, int(self.rate * seconds)
        while done < total:
            due = min(total, int((time.monotonic() - start) * self.rate) + 1)
            if due > done:
                self.write(min(due - done, self.rate))
                done += min(due - done, self.rate)
            time.sleep(0.005 if done >= due else 0)


def verdict(expected, got):
    """(lost, doubled)"""
    keys = set(expected) | set(got)
    return (sum(max(0, expected[k] - got[k]) for k in keys),
            sum(max(0, got[k] - expected[k]) for k in keys))


def settle(tool, expected, quiet_s, limit_s):
    """Waits until all is there, or until nothing has changed for a while."""
    deadline, changed, last = time.monotonic() + limit_s, time.monotonic(), None
    while time.monotonic() < deadline:
        got = tool.tally(expected)
        if got == expected:
            return got
        if got != last:
            last, changed = got, time.monotonic()
        elif time.monotonic() - changed > quiet_s:
            break
        time.sleep(0.2)
    return tool.tally(expected)


class Tool:
    """What the three have in common: a process of their own, and its costs."""
    process = None

    def begin(self, command, **options):
        log = open(os.path.join(self.folder, "log"), "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                                        **options)
        log.close()

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
        self.process = None

    def kill(self):
        self.end(signal.SIGKILL)

    def holds(self, path):
        """Whether the file is open in the process."""
        folder = f"/proc/{self.process.pid}/fd"
        for fd in os.listdir(folder):
            try:
                if os.readlink(f"{folder}/{fd}") == path:
                    return True
            except OSError:
                pass
        return False

    def costs(self):
        pid, switches, cpu = self.process.pid, 0, 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/status") as f:
                switches += next(int(l.split()[1]) for l in f if l.startswith("voluntary_ctxt"))
            with open(f"/proc/{pid}/task/{task}/schedstat") as f:
                cpu += int(f.read().split()[0])
        with open(f"/proc/{pid}/status") as f:
            rss = next(int(l.split()[1]) * 1024 for l in f if l.startswith("VmRSS"))
        return {"at": time.monotonic(), "switches": switches, "cpu_s": cpu / 1e9, "rss": rss,
                "disk": self.disk_bytes(), "store": self.store_bytes()}

    def disk_bytes(self):
        with open(f"/proc/{self.process.pid}/io") as f:
            return next(int(l.split()[1]) for l in f if l.startswith("write_bytes"))

    def store_bytes(self):
        return 0


class Nines(Tool):
    """With its defaults, unless `settings` says otherwise. Counts are those of its SLOs."""
    name, quiet_s = "nines", 25

    def __init__(self, folder, globs, settings=""):
        self.folder = folder
        self.host = programs.own_address()
        paths = json.dumps([os.path.join(folder, g) for g in globs])
        with open(f"{folder}/nines.yaml", "w") as f:
            f.write(f"node: torture\nlisten: {self.host}:9990\nslos: [slo.yaml]\n{settings}"
                    f"sources: [{{name: s, format: json, paths: {paths}}}]\n")
        with open(f"{folder}/slo.yaml", "w") as f:
            f.write("".join(self.slo(k) for k in range(BUCKETS)))

    @staticmethod
    def slo(k):
        metric = f'{{metricSource: {{type: nines.log, spec: {{source: s, where: "k = {k}"}}}}}}'
        return f"""---
apiVersion: openslo/v1
kind: SLO
metadata: {{name: bucket-{k}}}
spec:
  service: torture
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 7d, isRolling: true}}]
  indicator:
    metadata: {{name: bucket-{k}-indicator}}
    spec: {{ratioMetric: {{good: {metric}, total: {metric}}}}}
  objectives: [{{displayName: all, target: 0.9}}]
"""

    @staticmethod
    def version():
        return subprocess.run([programs.program(), "--version"], capture_output=True,
                              text=True).stdout.strip()

    def start(self):
        self.begin([programs.program(), "agent", "--config", f"{self.folder}/nines.yaml",
                    "--state", f"{self.folder}/state"])
        programs.wait_for(lambda: self.get("/readyz") is not None or self.ended(), 60)

    def ended(self):
        if self.process.poll() is not None:
            with open(os.path.join(self.folder, "log"), errors="replace") as f:
                raise RuntimeError("nines ended by itself: " + f.read()[-1000:])

    def get(self, path):
        try:
            with urllib.request.urlopen(f"http://{self.host}:9990{path}", timeout=10) as answer:
                return answer.read()
        except (OSError, ValueError):
            return None

    def tally(self, _expected):
        body = self.get("/api/slo")
        slos = json.loads(body) if body else []
        counts = {int(s["slo"].split("-")[1]): s["total"] for s in slos if s["total"]}
        return collections.Counter(counts)

    def metric(self, name):
        for line in (self.get("/metrics") or b"").decode().splitlines():
            if line.startswith(name + " "):
                return float(line.split()[1])
        return 0.0

    def store_bytes(self):
        return self.metric("nines_store_written_bytes_total")


class Rsyslog(Tool):
    """imfile with its defaults; each line goes to a file, whose numbers are counted."""
    name, quiet_s = "rsyslog", 12

    def __init__(self, folder, globs, settings=""):
        self.folder = folder
        os.makedirs(f"{folder}/work", exist_ok=True)
        inputs = "".join(f'input(type="imfile" File="{folder}/{g}" Tag="t")\n' for g in globs)
        with open(f"{folder}/rsyslog.conf", "w") as f:
            f.write(f'global(workDirectory="{folder}/work")\nmodule(load="imfile")\n'
                    'template(name="raw" type="string" string="%msg%\\n")\n' + inputs +
                    f'action(type="omfile" file="{folder}/out.txt" template="raw")\n')

    @staticmethod
    def version():
        out = subprocess.run(["rsyslogd", "-v"], capture_output=True, text=True).stdout
        return " ".join(out.split()[:2]) if out else "rsyslogd"

    def start(self):
        self.begin(["rsyslogd", "-n", "-f", f"{self.folder}/rsyslog.conf",
                    "-i", f"{self.folder}/pid"])
        time.sleep(1)  # it says nowhere that it is ready

    def tally(self, _expected):
        numbers = collections.Counter()
        if os.path.exists(f"{self.folder}/out.txt"):
            with open(f"{self.folder}/out.txt", errors="replace") as f:
                for line in f:
                    found = re.search(r'"n":(\d+),', line)
                    if found:
                        numbers[bucket(int(found[1]))] += 1
        return numbers


class Mtail(Tool):
    """A program that counts by bucket."""
    name, quiet_s = "mtail", 8

    def __init__(self, folder, globs, settings=""):
        self.folder, self.globs = folder, globs
        os.makedirs(f"{folder}/progs", exist_ok=True)
        with open(f"{folder}/progs/count.mtail", "w") as f:
            f.write('counter lines by k\n/"k":(?P<k>\\d+),/ {\n  lines[$k]++\n}\n')
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            self.port = s.getsockname()[1]
        self.earlier = collections.Counter()  # it keeps no state over a restart: ours does

    @staticmethod
    def version():
        done = subprocess.run(["mtail", "--version"], capture_output=True, text=True)
        return " ".join((done.stdout + done.stderr).split()[:3])

    def start(self):
        logs = [f"--logs={self.folder}/{g}" for g in self.globs]
        self.begin(["mtail", f"--progs={self.folder}/progs", *logs, "--address=127.0.0.1",
                    f"--port={self.port}", "--override_timezone=UTC"])
        programs.wait_for(lambda: self.scrape() is not None, 20)

    def end(self, how=signal.SIGTERM):
        if self.process is not None and self.process.poll() is None:
            self.earlier += self.scrape() or collections.Counter()
        super().end(how)

    def scrape(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=5) as a:
                text = a.read().decode()
        except (OSError, ValueError):
            return None
        return collections.Counter({int(k): int(float(v)) for k, v in
                                    re.findall(r'^lines\{k="(\d+)"[^}]*\} (\S+)', text, re.M)})

    def tally(self, _expected):
        return self.earlier + (self.scrape() or collections.Counter())

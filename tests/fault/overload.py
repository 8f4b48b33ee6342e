"""More comes in than the processor time that the agent is given lets it read. What is declared: reading
gives way first (limits.cpu, pressure), the status says by how much, no SLI claims what was not read,
decisions and answers go on, and in the end every line counts once."""
import json
import os
import threading
import time

import common
import injection
import world
from trial import LONG, case, settled

QUOTA_PERCENT = 4  # of one core, for everything that the agent does
LINES = 100  # of a block
DEAR = 16  # SLOs with an expression that takes time for each line, so that floods need not be gigabytes


class Flood(threading.Thread):
    """Appends at `rate` bytes/s; `good` and `bad` are the lines written."""

    def __init__(self, path, rate):
        super().__init__(daemon=True)
        self.path, self.rate, self.ending = path, rate, threading.Event()
        self.written = 0

    def run(self):
        began, tail = time.monotonic(), 600 * "u"
        with open(self.path, "ab", buffering=0) as f:
            while not self.ending.wait(0.05):
                now = time.time()
                line = world.stamped(200, now).replace('"t"', f'"{tail}"')
                bad = world.stamped(503, now).replace('"t"', f'"{tail}"')
                block = (line * (LINES - 1) + bad).encode()
                due = self.rate * (time.monotonic() - began) - self.written
                for _ in range(int(due // len(block))):
                    self.written += f.write(block)


def quick_recount(path):
    """(good, bad) of a log too long for regular expressions: lines by the words that only they have."""
    good = bad = 0
    rest = b""
    with open(path, "rb") as f:
        while data := f.read(8 << 20):
            data = rest + data
            cut = data.rfind(b"\n") + 1
            rest = data[cut:]
            good += data.count(b'HTTP/1.1" 200 ', 0, cut)
            bad += data.count(b'HTTP/1.1" 503 ', 0, cut)
    return good, bad


def capacity(node, quota):
    """Bytes/s that it reads of a backlog with its quota."""
    flood = Flood(node.log, 10e6)
    quota.percent(QUOTA_PERCENT)
    flood.start()
    common.wait_until(lambda: flood.written > 20e6, 30, "a backlog")
    flood.ending.set()
    flood.join()
    at, first = time.monotonic(), node.metric("nines_tailer_read_bytes_total")
    time.sleep(4)  # what is measured over
    rate = (node.metric("nines_tailer_read_bytes_total") - first) / (time.monotonic() - at)
    behind = node.metric("nines_tailer_lag_bytes")
    quota.percent(None)
    if not behind:
        raise RuntimeError(f"it keeps up with {flood.written / 1e6:.0f} MB")
    wanted = quick_recount(node.log)
    common.wait_until(lambda: node.counts() == wanted, 60, "the backlog is read")
    return rate


def overloaded(test, node, quota, rate, times):
    """One flood; True when it lagged."""
    quota.percent(QUOTA_PERCENT)
    throttled = quota.throttled()
    flood = Flood(node.log, rate * times)
    answers, worst_lag = [], 0
    flood.start()
    until = time.monotonic() + (60 if LONG else max(3, 12 / times))
    while time.monotonic() < until:
        began = time.monotonic()
        lag = node.metric("nines_tailer_lag_bytes")
        answers.append(time.monotonic() - began)
        worst_lag = max(worst_lag, lag or 0)
        node.note_memory()
        time.sleep(0.2)
    flood.ending.set()
    flood.join()
    status = node.status()
    told = status.get("tailer", {}).get("lag_bytes", 0)
    doctor = common.run(common.tool("NINES_BIN"), "doctor", "--config", node.config, "--state", node.state,
                        "-o", "json")
    words = " ".join(f"{c['check']}: {c['verdict']} {c['found']}"
                     for c in json.loads(doctor.stdout) if c["check"] == "reading")
    counted = sum(node.counts())
    throttled = quota.throttled() - throttled
    quota.percent(None)
    wanted = quick_recount(node.log)
    test.proof(throttled > 0 and flood.written > rate * times,
               f"{times}x: {flood.written / 1e6:.0f} MB written, held back by the quota {throttled} times")
    test.that(counted < sum(wanted), f"{times}x: it was behind ({counted} of {sum(wanted)})")
    test.that(worst_lag > 0 and told > 0, f"{times}x: it tells of its lag: {worst_lag}, {told}")
    test.that("behind the logs" in words, f"{times}x: the doctor says so: {words}")
    test.that(max(answers) < 10, f"{times}x: it answers while it lags: {max(answers):.1f} s")
    took = settled(lambda: node.counts() == wanted, 180)
    test.equal(node.counts(), wanted, f"{times}x: (good, bad)")
    test.saw(f"{times}x of {rate / 1e6:.1f} MB/s: lag {worst_lag / 1e6:.0f} MB told, {sum(wanted)} events,"
             f" {sum(node.counts())} counted, {max(0, sum(node.counts()) - sum(wanted))} doubled, caught up"
             f" {took if took is None else round(took, 1)} s after the quota ended; slowest answer"
             f" {max(answers):.1f} s; doctor: {words[-160:] or 'nothing'}")


@case(60, "overload: 2, 10 and 100 times what its processor time allows",
      f"a cpu control group gives the agent {QUOTA_PERCENT} % of a core; the log grows at multiples of what it"
      " reads so", (1, 2, 3, 5), root=True)
def overload(test):
    quota = injection.CpuQuota(test)
    with world.Node(test, limits=world.CALM.replace("}", ", cpu: 100}"), pattern="access.log") as node:
        dear = "status < 500 AND NOT user_agent REGEXP '[s-v]{%d}[^a-z]+[0-9]'"
        common.write(f"{node.folder}/slos/dear.yaml", "".join(common.ratio_slo(
            f"dear-{n}", f'paths: ["{node.log}"], format: nginx', dear % (n + 2), "", "0.9", "2h")
            for n in range(DEAR)))
        with quota.around():
            node.start()
        node.append(10)
        common.wait_until(lambda: sum(node.counts()) == 10, 30, "it counts")
        rate = capacity(node, quota)
        test.that(rate > 1e5, f"it reads {rate / 1e6:.1f} MB/s")
        for times in (2, 10, 100):
            overloaded(test, node, quota, rate, times)
        node.terminate()
        node.start()
        wanted = quick_recount(node.log)
        settled(lambda: node.counts() == wanted, 60)
        test.equal(node.counts(), wanted, "after a restart")
        node.note_memory()


@case(61, "starved: SCHED_IDLE beside a spinner on its only core", "chrt --idle and taskset put the agent below"
      " two spinning programs on one core", (1, 3), needs=("chrt", "taskset"))
def starved(test):
    with world.Node(test) as node:
        node.start()
        node.write(5)
        node.grown(30)
        core = str(min(os.sched_getaffinity(0)))
        pid = str(node.pid)
        for words in (("taskset", "-a", "-c", "-p", core, pid), ("chrt", "-a", "--idle", "-p", "0", pid)):
            injection.do(*words)
        with open(f"/proc/{pid}/schedstat") as f:
            waited = int(f.read().split()[1])
        spinners = [common.subprocess.Popen(["taskset", "-c", core, "sh", "-c", "while :; do :; done"])
                    for _ in range(2)]
        try:
            time.sleep(120 if LONG else 15)
            with open(f"/proc/{pid}/schedstat") as f:
                waited = (int(f.read().split()[1]) - waited) / 1e9
        finally:
            for spinner in spinners:
                spinner.kill()
                spinner.wait()
        test.proof(waited > 0.05 and os.sched_getscheduler(node.pid) == os.SCHED_IDLE,
                   f"its main thread waited {waited:.1f} s for the core")
        node.settles("starved", 90)

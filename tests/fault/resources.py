"""What the agent lives on runs out: descriptors, memory, threads, events, and time on the processor."""
import os
import re
import signal
import socket
import threading
import time

import common
import injection
import world
from trial import LONG, CEILING_BYTES, case, rounds

MANY = 40  # logs


class Logs:
    """Forty logs beside the first one, which are appended to and rotated."""

    def __init__(self, node):
        self.node, self.turn = node, 0

    def append(self, rotate=False):
        self.turn += 1
        for n in range(MANY):
            path = f"{os.path.dirname(self.node.log)}/access.log-{n}"
            if rotate and n % 4 == self.turn % 4 and os.path.exists(path):
                os.rename(path, f"{os.path.dirname(self.node.log)}/access.log-{n}.{self.turn}")
            with open(path, "a", encoding="ascii") as f:
                f.write(world.stamped(200, path=f"/{n}/{self.turn}") * 3
                        + world.stamped(503, path=f"/{n}"))


@case(10, "file descriptors exhausted",
      "prlimit leaves a running agent one descriptor more than it has; logs are rotated, clients connect;"
      " SIGKILL, and once more", (1, 2, 4), root=True, needs=("prlimit", "strace"))
def no_descriptors(test):
    with world.Node(test) as node:
        logs = Logs(node)
        node.start()
        node.write()
        logs.append()
        node.grown(10)
        refused = 0
        for life in ("running", "started"):
            have = len(os.listdir(f"/proc/{node.pid}/fd"))
            injection.do("prlimit", "--pid", str(node.pid), f"--nofile={have + 1}:20000")
            with injection.Tracer(test, node.pid, "-e", "trace=openat,accept4,accept,socket",
                                  "-e", "status=failed") as tracer:
                clients = [socket.create_connection(("127.0.0.1", node.port), 5) for _ in range(8)]
                for _ in range(6):
                    logs.append(rotate=True)
                    time.sleep(0.5)
                for client in clients:
                    client.close()
            refused += tracer.text().count("EMFILE")
            test.that(node.agent.alive(), f"{life}: it lives")
            node.note_memory()
            if life == "running":
                injection.do("prlimit", "--pid", str(node.pid), "--nofile=20000:20000")
                node.kill()  # the next life begins with few
                node.start()
                common.wait_until(lambda: sum(node.counts()) > 0, 60, "another life")
        injection.do("prlimit", "--pid", str(node.pid), "--nofile=20000:20000")
        test.proof(refused > 0, f"{refused} calls got EMFILE")
        node.settles("without descriptors", 90)


@case(11, "memory limit of 64 MiB with bursts of ten times the load, a backlog and queries",
      "a memory control group around the agent; 80 MB of log that no cache holds, then 4,000 and 40,000"
      " lines/s, the log queried all the while", (1, 2), root=True)
def little_memory(test):
    group = injection.ControlGroup(test, "memory")
    group.set("memory.max" if group.two else "memory.limit_in_bytes", CEILING_BYTES)
    with world.Node(test, limits=world.CALM.replace("}", ", cpu: 100}")) as node:
        path = "/" + 250 * "x"
        with open(node.log, "w", encoding="ascii") as f:
            for n in range(50):
                f.write(world.stamped(200, path=f"{path}{n}") * 4500 + world.stamped(503, path=path) * 500)
            f.flush()
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        with group.around():
            node.start()
        ending, asked = threading.Event(), [0]

        def ask():
            while not ending.wait(0.2):
                done = common.run(common.tool("NINES_BIN"), "query", "SELECT path, count(*) AS n FROM"
                                  " logs('*') GROUP BY path", "--config", node.config, "--state",
                                  node.state, timeout=120)
                asked[0] += done.returncode == 0
        asker = threading.Thread(target=ask, daemon=True)
        asker.start()
        for _ in range(rounds(2, 60)):
            for burst, seconds in ((400, 3), (4000, 4)):
                node.write(burst)
                time.sleep(seconds)
                node.stop_writing()
                node.note_memory()
        ending.set()
        asker.join()
        if group.two:
            killed, hits = group.figure("memory.events", "oom_kill"), group.figure("memory.events", "max")
        else:
            killed = group.figure("memory.oom_control", "oom_kill")
            hits = int(group.get("memory.failcnt"))
        test.proof(hits > 0, f"the group was at its limit {hits} times")
        test.equal(killed, 0, "killed for want of memory")
        test.that(asked[0] > 2, f"{asked[0]} queries were answered")
        test.saw(f"{asked[0]} queries answered, killed {killed}")
        node.settles("backlog and bursts", 90, again=False)


@case(12, "inotify queue overflows",
      "SIGSTOP; more events than fs.inotify.max_queued_events, by appends to two logs in turn; SIGCONT",
      (1, 2), needs=())
def inotify_overflow(test):
    with open("/proc/sys/fs/inotify/max_queued_events") as f:
        events = int(f.read())
    with world.Node(test) as node:
        node.start()
        node.append(5)
        common.wait_until(lambda: sum(node.counts()) == 5, 30, "a first look")
        os.kill(node.pid, signal.SIGSTOP)
        try:
            other = f"{os.path.dirname(node.log)}/access.log-b"
            with open(node.log, "a", buffering=1) as a, open(other, "a", buffering=1) as b:
                for n in range(events // 2 + 1000):
                    a.write(world.stamped(200))
                    b.write(world.stamped(503 if n % 9 == 0 else 200))
            for n in range(20):  # and files whose creation nobody hears of
                with open(f"{os.path.dirname(node.log)}/access.log-late-{n}", "w") as f:
                    f.write(world.stamped(200, path=f"/late/{n}") * 2)
        finally:
            os.kill(node.pid, signal.SIGCONT)
        told = 'nines_overflow_policy_total'
        common.wait_until(lambda: node.metric(told, '{limit="inotify_queue"}'), 60, "it is told")
        test.proof(node.metric(told, '{limit="inotify_queue"}') >= 1,
                   f"{events + 2000} events for a queue of {events}; its counter of IN_Q_OVERFLOW moved")
        node.settles("appends unheard of")


@case(13, "process stopped, then continued", "SIGSTOP for 25 s (--long: 5 min), SIGCONT; the log goes on",
      (1, 4, 5))
def stopped(test):
    with world.Node(test) as node:
        node.start()
        node.write(10)
        node.grown(60)
        for signal_number in (signal.SIGSTOP, signal.SIGCONT):
            os.kill(node.pid, signal_number)
            if signal_number == signal.SIGSTOP:
                common.wait_until(lambda: state_of(node.pid) == "T", 5, "it is stopped")
                began, cpu = time.monotonic(), cpu_ticks(node.pid)
                time.sleep(300 if LONG else 25)
                test.proof(cpu_ticks(node.pid) == cpu and state_of(node.pid) == "T",
                           f"no tick of processor time for {time.monotonic() - began:.0f} s")
        node.grown(300 if not LONG else 9000, 90)
        status, body = common.get(node.port, "/api/alerts")
        test.that(status == 200 and b"fired" not in body, f"no false alert: {body[:300]}")
        node.settles("after the pause")
        test.that("FIRED" not in node.own_log(), "nothing fired")


def state_of(pid):
    with open(f"/proc/{pid}/stat") as f:
        return f.read().rsplit(") ", 1)[1][0]


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(") ", 1)[1].split()
    return int(fields[11]) + int(fields[12])


@case(14, "no thread can be made", "a pids control group of fewer tasks than the agent needs at its start, then"
      " of none more than it has while it is asked and told to reload", (2, 5), root=True)
def no_threads(test):
    group = injection.ControlGroup(test, "pids")
    with world.Node(test) as node:
        node.append(20, 2)
        node.start()
        common.wait_until(lambda: sum(node.counts()) == 22, 60, "a first life")
        tasks = len(os.listdir(f"/proc/{node.pid}/task"))
        node.kill()
        for most in range(1, tasks):
            group.set("pids.max", most)
            with group.around():
                node.start()
            code = node.agent.process.wait(30)
            test.equal(code, 3, f"exit code with {most} of {tasks} tasks")
            node.agent.kill()
        refused = threads_refused(group)
        test.proof(refused >= tasks - 1, f"the kernel refused {refused} threads at the start")
        test.that("terminate called" not in node.own_log(), "it says so instead of aborting")
        group.set("pids.max", "max")
        with group.around():
            node.start()
        node.write()
        node.grown(5)
        group.set("pids.max", len(os.listdir(f"/proc/{node.pid}/task")))
        codes = [common.run(common.tool("NINES_BIN"), "query", "SELECT count(*) FROM logs('*')", "--config",
                            node.config, "--state", node.state, timeout=60).returncode for _ in range(4)]
        os.kill(node.pid, signal.SIGHUP)
        common.wait_until(lambda: "reloading" in node.own_log(), 20, "a reload")
        node.grown(20, 60)
        test.that(node.agent.alive(), "it lives")
        test.saw(f"{threads_refused(group) - refused} more refused while it ran (queries ended with"
                 f" {codes}, a reload)")
        group.set("pids.max", "max")
        node.settles("with threads again")


def threads_refused(group):
    return int(re.search(r"max (\d+)", group.get("pids.events"))[1])

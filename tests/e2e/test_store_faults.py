#!/usr/bin/env python3
"""The state of a running agent is damaged, its disk is full, fails, loses power or is slow: it goes on
judging, says what happened, invents nothing, and what its peers know of it comes back. Some need
root for small disks of their own (loop devices, in a mount namespace that ends with the test)."""
import atexit
import contextlib
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time

import common
import test_alerts
import test_fleet

WINDOW, TARGET = "2h", "0.9"
LATE_S = 10  # counts and pages, however slow the disk


class Node:
    """An agent with a log, peers on loopback, and its state where it is told."""

    def __init__(self, folder, name, ports=None, receiver=None, state=None):
        self.name, self.folder, self.port = name, f"{folder}/{name}", common.free_port()
        self.log, self.state = f"{self.folder}/access.log", state or f"{self.folder}/state"
        self.kept = []  # logs that are gone by now
        common.write(self.log, "")
        slo = common.ratio_slo("web", "paths: [access.log], format: nginx", "status < 500", "", TARGET,
                               WINDOW)
        common.write(f"{self.folder}/slos/web.yaml", slo + test_alerts.POLICY)
        extra = ""
        if receiver:
            extra += f"webhooks: [{{name: hook, url: \"http://127.0.0.1:{receiver.port}/\"}}]\n"
        if ports:
            others = ", ".join(f"127.0.0.1:{p}" for n, p in ports.items() if n != name)
            extra += (f"peers: {{cluster: shop, listen: \"127.0.0.1:{ports[name]}\","
                      f" nodes: [{others}]}}\n")
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(
            self.port, extra).replace("node: test", f"node: {name}"))
        self.agent, self.writer = None, None

    def write(self):
        self.writer = common.AccessLog(self.log)
        self.writer.start()

    def stop_writing(self):
        if self.writer is not None:
            self.writer.ending.set()
            self.writer.join()

    def start(self, env=None):
        self.agent = common.Agent(self.config, self.state, self.port, log=f"{self.folder}/agent.log",
                                  cwd=self.folder, env=env)
        return self

    def terminate(self):
        self.agent.process.send_signal(signal.SIGTERM)
        self.agent.process.wait(30)

    def end(self):
        self.stop_writing()
        if self.agent is not None:
            self.agent.kill()

    def own_log(self):
        return test_alerts.read(f"{self.folder}/agent.log")

    def slo(self):
        return self.agent.slos().get("web", {"good": 0, "bad": 0, "total": 0})

    def counts(self):
        return self.slo()["good"], self.slo()["bad"]

    def recount(self):
        return test_fleet.recount([self])

    def budget(self):
        status, body = common.get(self.port, "/api/fleet")
        found = [b for b in json.loads(body)["slos"] if b["slo"] == "web"] if status == 200 else []
        return found[0] if len(found) == 1 else {"good": 0, "bad": 0, "nodes": []}

    def parts(self):
        return {p["node"]: (p["good"], p["bad"]) for p in self.budget()["nodes"]}

    def told_of_itself(self):
        return next(((p["good"], p["bad"]) for p in self.budget()["nodes"]
                     if p["node"] == self.name), None)

    def metric(self, name):
        found = re.search(rf"^{name} ([-+.e0-9]+)$", common.get(self.port, "/metrics")[1].decode(), re.M)
        return float(found[1]) if found else None

    def store(self):
        status, body = common.get(self.port, "/api/status")
        return json.loads(body)["store"] if status == 200 else {}


class Disk:
    """A small ext4 of its own."""

    def __init__(self, folder, mib):
        self.image, self.path = f"{folder}/disk.img", f"{folder}/disk"
        os.makedirs(self.path)
        with open(self.image, "wb") as f:
            f.truncate(mib << 20)
        self.do("mkfs.ext4", "-q", "-m", "0", self.image)
        self.mount()
        atexit.register(common.run, "umount", "--lazy", self.path)  # before the folder goes

    @staticmethod
    def do(*command):
        done = common.run(*command)
        if done.returncode != 0:
            raise RuntimeError(f"{command}: {done.stderr.decode().strip()}")

    def mount(self):
        self.do("mount", "-o", "loop,noatime", self.image, self.path)

    def pull_the_plug(self):
        """What was not flushed is gone; whoever writes gets errors from now on."""
        self.do("xfs_io", "-x", "-c", "shutdown", self.path)

    def plug_in(self):
        self.do("umount", self.path)
        self.mount()

    def fill(self):
        """To the last byte."""
        with open(f"{self.path}/filler", "ab", buffering=0) as f:
            for size in (1 << 20, 4096, 512, 1):
                try:
                    while f.write(b"x" * size):
                        pass
                except OSError:
                    pass

    def clear(self):
        os.unlink(f"{self.path}/filler")


def overwrite(path, at, data):
    with open(path, "r+b") as f:
        f.seek(at)
        f.write(data)


def checkpointed(state):
    """All of it in nines.db, as after a thousand pages; before, the log beside it would heal much."""
    with contextlib.closing(sqlite3.connect(f"{state}/nines.db")) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def garbage_header(state):
    overwrite(f"{state}/nines.db", 0, os.urandom(512))


def half_of_it(state):
    os.truncate(f"{state}/nines.db", os.path.getsize(f"{state}/nines.db") // 2)


def flipped_bits(state):
    """In three rows of counts; the file stays a good database."""
    with contextlib.closing(sqlite3.connect(f"{state}/nines.db")) as database:
        bodies = [body for body, in database.execute("SELECT body FROM journal ORDER BY seq")]
    with open(f"{state}/nines.db", "r+b") as f:
        data = bytearray(f.read())
        whole = [body for body in bodies if body in data]  # a large one may lie on several pages
        for body in whole[len(whole) // 2:][:3]:
            data[data.index(body) + len(body) // 2] ^= 0x10
        f.seek(0)
        f.write(data)


def all_gone(state):
    for name in os.listdir(state):
        if name.startswith("nines."):
            os.unlink(f"{state}/{name}")


DAMAGES = {"header": garbage_header, "half": half_of_it, "flips": flipped_bits, "gone": all_gone}


def damaged(checks, folder):
    """Four ways to lose a state file, one node each, after the log of what it had counted is gone: the
    peers give it back, and nothing comes twice."""
    names = [*DAMAGES, "witness"]
    ports = {name: common.free_port() for name in names}
    nodes = [Node(folder, name, ports).start() for name in names]
    victims = nodes[:-1]
    try:
        for n, node in enumerate(nodes):
            node.write()
            node.writer.status = 503 if n == 1 else 200
        common.wait_until(lambda: all(sum(n.counts()) > 50 for n in nodes), 60, "counts")
        for node in nodes:
            node.stop_writing()
        wanted = {node.name: node.recount() for node in nodes}
        common.wait_until(lambda: all(n.parts() == wanted for n in nodes), 150,
                          "all know the counts of all", poll=0.5)
        for node in victims:
            node.terminate()
            os.unlink(node.log)  # as logrotate will in the end
            checkpointed(node.state)
            DAMAGES[node.name](node.state)
            common.write(node.log, "")
            node.write()
            node.start()
        common.wait_until(lambda: all(sum(n.counts()) > 20 for n in victims), 60, "counting goes on")
        for node in victims:
            node.stop_writing()
        for node in victims:
            wanted[node.name] = tuple(x + y for x, y in zip(wanted[node.name], node.recount()))
        try:
            common.wait_until(lambda: all(as_before(n.parts(), wanted) for n in nodes), 180, "", poll=0.5)
        except TimeoutError:
            pass
        for node in nodes:
            checks.that(as_before(node.parts(), wanted), f"{node.name}: {node.parts()} as {wanted}")
        checks.that(all(n.parts() == nodes[0].parts() for n in nodes), "all show the same")
        for node in victims:
            check_said(checks, node)
    finally:
        for node in nodes:
            node.end()
            print(f"--- {node.name}\n{node.own_log()[-1500:]}" if checks.failures else "", end="")


def as_before(parts, wanted):
    """Nothing is invented, and nothing missing but lines of rows that were damaged in a file that was
    otherwise good: of a slot that other rows cover as well, nobody can tell that some are gone."""
    return parts.keys() == wanted.keys() and all(
        parts[name] == wanted[name] or (name == "flips" and parts[name][0] <= wanted[name][0]
                                        and parts[name][1] <= wanted[name][1]) for name in wanted)


def check_said(checks, node):
    """What was set aside is told in the log, /metrics and the API; counts of its own are those that it
    could make sure of, and no more."""
    own = node.counts()
    checks.that(own[0] <= node.told_of_itself()[0] and own[1] <= node.told_of_itself()[1],
                f"{node.name} has no more than there was: {own}, {node.told_of_itself()}")
    if node.name in ("header", "half"):
        checks.that("set aside as" in node.own_log(), f"{node.name}: the log says so")
        checks.that(os.path.exists(f"{node.state}/nines.db.bad-1"), f"{node.name}: kept for a look")
        checks.equal(node.metric("nines_store_quarantined"), 1.0, f"{node.name}: /metrics")
        checks.that(node.store()["quarantined"].endswith("nines.db.bad-1"), f"{node.name}: the API")
        checks.that(node.metric("nines_fleet_cells_adopted_total") > 0, f"{node.name} adopted cells")
    if node.name == "flips":
        said = node.store()["quarantined"] or node.store()["damaged_rows"] > 0
        checks.that(said, f"{node.name}: something is said to be damaged: {node.store()}")


def with_a_page(node, receiver, seconds, what):
    """Bad lines until a page arrives, then good ones until its end does; how long after it was decided
    it arrived."""
    known, fired = len(receiver.delivered()), node.own_log().count("FIRED")
    node.writer.status = 503
    common.wait_until(lambda: node.own_log().count("FIRED") > fired, seconds, f"{what} is decided")
    decided = time.monotonic()
    common.wait_until(lambda: any(b["kind"] == "fired" for _, b in receiver.delivered()[known:]),
                      seconds, what)
    took = time.monotonic() - decided
    node.writer.status = 200
    common.wait_until(lambda: any(b["kind"] == "resolved" for _, b in receiver.delivered()[known:]),
                      120, f"{what}: its end")
    return took


def check_events(checks, receiver, what):
    told = {}
    for key, body in receiver.delivered():
        checks.equal(body, told.setdefault(key, body), f"{what}: {key} again")
    facts = [(b["kind"], b["since"]) for b in told.values()]
    checks.equal(len(set(facts)), len(facts), f"{what}: no page twice: {facts}")


def counted_in_the_end(checks, node, what):
    """Also after another start: nothing counts twice."""
    node.stop_writing()
    for life in ("", ", and after a restart"):
        try:
            common.wait_until(lambda: node.counts() == node.recount(), 60, what, poll=0.25)
        except TimeoutError:
            pass
        checks.equal(node.counts(), node.recount(), what + life)
        if not life:
            node.terminate()
            node.start()


def one_node(folder, name, disk=None):
    receiver = test_alerts.Receiver()
    receiver.open(200)
    node = Node(folder, name, receiver=receiver, state=f"{disk.path}/state" if disk else None)
    node.write()
    node.start()
    common.wait_until(lambda: sum(node.counts()) > 0 and node.store().get("commits", 0) > 0, 60, "lines")
    return node, receiver


def full(checks, folder):
    """The disk fills to the last byte: counting and paging go on, and once there is room again
    everything is on disk."""
    disk = Disk(folder, 24)
    node, receiver = one_node(folder, "full", disk)
    try:
        disk.fill()
        seen = node.counts()
        with_a_page(node, receiver, 60, "a page while the disk is full")
        common.wait_until(lambda: sum(node.counts()) > sum(seen), 20, "counting goes on")
        disk.fill()  # what the ballast gave is taken as well
        with_a_page(node, receiver, 60, "a page while there is not a byte")
        checks.that(node.agent.alive(), "it lives")
        disk.clear()
        commits = node.store()["commits"]
        common.wait_until(lambda: node.store()["commits"] > commits + 2, 60, "commits again")
        counted_in_the_end(checks, node, "good and bad after a full disk")
        check_events(checks, receiver, "full disk")
    finally:
        node.end()
        receiver.shut()
        print(node.own_log()[-2500:] if checks.failures else "", end="")


def power(checks, folder):
    """The disk loses power three times, once with the agent running on for a while: whatever was read
    back, in the end every line counts once."""
    disk = Disk(folder, 32)
    node, receiver = one_node(folder, "power", disk)
    try:
        for cut in range(3):
            lines = sum(node.counts())
            common.wait_until(lambda: sum(node.counts()) > lines + 20, 30, "counting")
            disk.pull_the_plug()
            if cut == 1:
                common.wait_until(lambda: (node.metric("nines_store_failed_commits_total") or 0) > 1, 60,
                                  "commits fail")
                seen = node.counts()
                common.wait_until(lambda: sum(node.counts()) > sum(seen) + 20, 30,
                                  "counting goes on without a disk")
                with_a_page(node, receiver, 60, "a page without a disk")
                checks.equal(node.metric("nines_store_failing"), 1.0, "/metrics says so")
                checks.that(node.store()["trouble"], "the API says why")
            node.agent.kill()
            disk.plug_in()
            node.start()
            common.wait_until(lambda: sum(node.counts()) > 0, 60, "another life")
        counted_in_the_end(checks, node, "good and bad after power cuts")
        check_events(checks, receiver, "power cuts")
    finally:
        node.end()
        receiver.shut()
        print(node.own_log()[-2500:] if checks.failures else "", end="")


class ReadOnlyDisk:
    """A tmpfs of its own that can be made writable, and not."""

    def __init__(self, folder, name):
        self.path = f"{folder}/disk-{name}"
        os.makedirs(self.path)
        Disk.do("mount", "-t", "tmpfs", "-o", "size=32m", "tmpfs", self.path)
        atexit.register(common.run, "umount", "--lazy", self.path)  # before the folder goes

    def writable(self, yes):
        Disk.do("mount", "-o", f"remount,{'rw' if yes else 'ro'}", self.path)


def check_in_memory(checks, node, what):
    """It says so wherever one looks."""
    checks.that("Read-only file system" in node.store()["in_memory"], f"{what}: {node.store()}")
    checks.equal(node.metric("nines_store_in_memory"), 1.0, f"{what}: /metrics")
    checks.that("ONLY IN MEMORY" in node.own_log(), f"{what}: the log")
    common.wait_until(lambda: common.get(node.port, "/readyz")[0] == 200, 60, "ready")
    checks.that(b"only in memory" in common.get(node.port, "/readyz")[1], f"{what}: /readyz")
    doctor = common.run(common.tool("NINES_BIN"), "doctor", "--config", node.config, "--state",
                        node.state, "-o", "json")
    problems = [c["check"] for c in json.loads(doctor.stdout) if c["verdict"] == "problem"]
    checks.that({"state", "agent"} <= set(problems), f"{what}: the doctor says {problems}")


def moves(checks, node, disk, what):
    """The disk can be written again: it holds what was counted meanwhile, of logs that are gone too."""
    node.stop_writing()
    common.wait_until(lambda: node.counts() == node.recount(), 60, f"{what}: counts", poll=0.25)
    gone = node.counts()
    os.unlink(node.log)  # nobody can read it again
    common.write(node.log, "")
    node.write()
    disk.writable(True)
    common.wait_until(lambda: node.store().get("in_memory") == "", 120, f"{what}: it moves")
    checks.equal(node.metric("nines_store_in_memory"), 0.0, f"{what}: /metrics once it has moved")
    checks.that(os.path.exists(f"{node.state}/api.token"), f"{what}: the token for writes")
    lines = sum(node.counts())
    common.wait_until(lambda: sum(node.counts()) > lines, 30, f"{what}: counting goes on")
    node.stop_writing()
    wanted = tuple(x + y for x, y in zip(gone, node.recount()))
    for life in ("", ", and after a restart"):
        try:
            common.wait_until(lambda: node.counts() == wanted, 60, "", poll=0.25)
        except TimeoutError:
            pass
        checks.equal(node.counts(), wanted, what + life)
        node.terminate()
        node.start()


def readonly(checks, folder):
    """The state directory cannot be written from the start: one with the state of an earlier life in
    it, and one that was never there."""
    disks = {name: ReadOnlyDisk(folder, name) for name in ("kept", "fresh")}
    receiver = test_alerts.Receiver()
    receiver.open(200)
    node = Node(folder, "kept", receiver=receiver, state=f"{disks['kept'].path}/state")
    fresh = Node(folder, "fresh", state=f"{disks['fresh'].path}/lib/state")
    try:
        node.write()
        node.start()
        common.wait_until(lambda: sum(node.counts()) > 20, 60, "lines of an earlier life")
        node.terminate()
        for disk in disks.values():
            disk.writable(False)
        fresh.write()
        for one in (node, fresh):
            one.start()
        for one in (node, fresh):
            common.wait_until(lambda: sum(one.counts()) > 40, 60, f"{one.name}: it counts", poll=0.25)
            check_in_memory(checks, one, one.name)
        with_a_page(node, receiver, 90, "a page without a disk")
        for one in (node, fresh):
            one.agent.process.send_signal(signal.SIGHUP)
            common.wait_until(lambda: "reloading" in one.own_log(), 30, "a reload")
            common.wait_until(lambda: sum(one.counts()) > 0, 60, "it counts after a reload")
            check_in_memory(checks, one, f"{one.name} reloaded")
        for one in (node, fresh):
            moves(checks, one, disks[one.name], one.name)
        check_events(checks, receiver, "read-only disk")
    finally:
        for one in (node, fresh):
            one.end()
            print(f"--- {one.name}\n{one.own_log()[-2500:]}" if checks.failures else "", end="")
        receiver.shut()


def lag_of_counts(node):
    worst, until = 0.0, time.monotonic() + 12
    while time.monotonic() < until:
        wanted, began = sum(node.recount()), time.monotonic()
        common.wait_until(lambda: sum(node.counts()) >= wanted, 60, "counts", poll=0.1)
        worst = max(worst, time.monotonic() - began)
    return worst


def slow(checks, folder):
    """Each flush takes half a second, as on a tired card: neither counts nor pages wait for it long."""
    source = common.write(f"{folder}/slow.c", """
#include <time.h>
#include <unistd.h>
#include <sys/syscall.h>
static int slow(long call, int fd) {
  struct timespec t = {0, 500000000};
  nanosleep(&t, 0);
  return syscall(call, fd);
}
int fsync(int fd) { return slow(SYS_fsync, fd); }
int fdatasync(int fd) { return slow(SYS_fdatasync, fd); }
""")
    library = f"{folder}/slow.so"
    if common.run("cc", "-shared", "-fPIC", "-o", library, source).returncode != 0:
        print("##  SLOW DISK SKIPPED: no C compiler", flush=True)
        return
    node, receiver = one_node(folder, "quick")
    try:
        good = lag_of_counts(node)
        node.terminate()
        node.start(env={"LD_PRELOAD": library})
        common.wait_until(lambda: node.store().get("commits", 0) > 0, 60, "a commit")
        slow_lag = lag_of_counts(node)
        late = with_a_page(node, receiver, 90, "a page with a slow disk")
        print(f"flushes of 0.5 s: counts at most {slow_lag:.1f} s behind the log (a good disk: {good:.1f}"
              f"; slots have 10 s), a page {late:.1f} s after it was decided", flush=True)
        checks.that(slow_lag < good + LATE_S, f"counts wait for no disk: {slow_lag}, {good}")
        checks.that(late < LATE_S, f"a page waits less than {LATE_S} s for the disk: {late}")
        node.terminate()
        node.start()
        counted_in_the_end(checks, node, "good and bad after slow flushes")
    finally:
        node.end()
        receiver.shut()
        print(node.own_log()[-2500:] if checks.failures else "", end="")


def own_disk(_, folder):
    """Whether this machine lets us have one."""
    disk = Disk(folder, 8)
    disk.pull_the_plug()
    disk.plug_in()


SCENARIOS = {f.__name__: f for f in (damaged, slow, full, power, readonly, own_disk)}
ON_DISKS = ("full", "power", "readonly")  # of their own


def begin(name):
    return subprocess.Popen([*(("unshare", "--mount", "--propagation", "private")
                               if name in (*ON_DISKS, "own_disk") else ()),
                             sys.executable, os.path.abspath(__file__), name],
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def run_all():
    names, failed = ["damaged", "slow"], []
    try:
        probe = begin("own_disk")
        text, _ = probe.communicate()
        possible = probe.returncode == 0
    except OSError as e:
        possible, text = False, str(e).encode()
    if possible:
        names += ON_DISKS
    else:
        print("#" * 70 + "\n##  FULL DISKS AND POWER CUTS SKIPPED: they need root, loop devices and"
              f" xfs_io\n{text.decode(errors='replace')[-300:]}\n" + "#" * 70, flush=True)
    running = {name: begin(name) for name in names}
    for name, process in running.items():
        text, _ = process.communicate()
        print(f"=== {name}\n{text.decode(errors='replace')}", flush=True)
        failed += [name] if process.returncode != 0 else []
    sys.exit(1 if failed else 0)


def main():
    if len(sys.argv) != 2:
        run_all()
    checks, began = common.Checks(), time.monotonic()
    folder = common.scratch(f"store-{sys.argv[1]}")
    try:
        SCENARIOS[sys.argv[1]](checks, folder)
    except (RuntimeError, OSError) as e:  # TimeoutError is one
        checks.that(False, f"{type(e).__name__}: {e}")
    print(f"{time.monotonic() - began:.0f} s")
    checks.finish()


if __name__ == "__main__":
    main()

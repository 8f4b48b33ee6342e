"""The state of an agent is on a disk that fails, fills, tears and lies."""
import contextlib
import errno
import hashlib
import os
import random
import shutil
import time

import common
import injection
import world
from test_alerts import Receiver
from trial import LONG, case, rounds

WRITING = ("openat", "pwrite64", "write", "fdatasync", "fsync", "rename", "unlink", "ftruncate",
           "fallocate", "mkdir")


@case(1, "SIGKILL at every write boundary of the state",
      "strace kills at the n-th call of each kind that changes the state, n = 1, 2 ... until a life ends by"
      " itself; of first lives and of later ones", (1,), root=True, needs=("strace",))
def killed_at_each_write(test):
    node, killed = world.Node(test), {}
    for first in (True, False):
        for call in WRITING:
            for n in range(1, 500):
                if first:
                    shutil.rmtree(node.state, ignore_errors=True)
                node.append(3, 1, world.some_minutes_ago())
                if not killed_at(test, node, call, n):
                    break
                killed[call] = killed.get(call, 0) + 1
    kinds = ", ".join(f"{count} x {name}" for name, count in sorted(killed.items()))
    test.proof(sum(killed.values()) >= 40 and {"pwrite64", "fdatasync", "openat"} <= killed.keys(),
               f"{sum(killed.values())} lives ended by SIGKILL: {kinds}")
    test.saw(f"{sum(killed.values())} lives killed; in the end {sum(node.recount())} events, each life"
             " after a kill counted all of them once")


def killed_at(test, node, call, n):
    """Whether that life was killed; the next one counts everything, either way."""
    trace = f"{test.folder}/trace"
    world.once(node, ("strace", "-f", "-qq", "-o", trace, *injection.state_paths(node.state), "-e",
                      f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={n}"))
    with open(trace, errors="replace") as f:
        killed = "killed by SIGKILL" in f.read()
    code, counts, said = world.once(node)
    if not test.equal((code, counts), (0, node.recount()), f"{call} {n}, killed: {killed}"):
        raise RuntimeError(said[-800:])
    return killed


@case(6, "SIGKILL of a running agent at the n-th write and flush of a commit",
      "strace, attached while lines come in, kills at the n-th pwrite64 or fdatasync", (1,), root=True,
      needs=("strace",))
def running_killed_at_writes(test):
    kills = 0
    with world.Node(test) as node:
        node.start()
        node.write(2)
        for turn in range(rounds(1, 30)):
            for call, n in (("pwrite64", 1), ("pwrite64", 2), ("pwrite64", 4), ("fdatasync", 1),
                            ("pwrite64", 7), ("fdatasync", 2), ("pwrite64", 9 + turn)):
                node.grown(3)
                with injection.Tracer(test, node.pid, *injection.state_paths(node.state), "-e",
                                      f"trace={call}", "-e",
                                      f"inject={call}:signal=SIGKILL:when={n}") as tracer:
                    common.wait_until(lambda: not node.agent.alive(), 60, f"killed at {call} {n}")
                kills += "killed by SIGKILL" in tracer.text()
                node.kill()
                node.start()
        test.proof(kills >= 7, f"{kills} SIGKILLs at a call of the state")
        node.settles(f"{kills} kills inside commits")


def fails(test, node, error, every):
    before = node.metric("nines_store_failed_commits_total")
    with injection.Tracer(test, node.pid, *injection.state_paths(node.state), "-e",
                          "trace=pwrite64,fdatasync,fsync", "-e",
                          f"inject=pwrite64,fdatasync,fsync:error={error}:when={every}") as tracer:
        node.grown(40)
        common.wait_until(lambda: node.metric("nines_store_failed_commits_total") > before, 40,
                          f"{error}: a commit fails")
    common.wait_until(lambda: node.metric("nines_store_failing") == 0, 60, f"after {error}: commits again")
    return tracer.injected()


@case(2, "EIO, ENOSPC, EDQUOT (quota) and EROFS at the n-th write and flush",
      "strace makes pwrite64 and fdatasync of a running agent fail, the n-th and every third after it, or all",
      (1, 4, 5), root=True, needs=("strace",))
def failing_writes(test):
    with world.Node(test) as node:
        node.start()
        node.write(2)
        node.grown(5)
        for error in ("EIO", "ENOSPC", "EDQUOT", "EROFS"):
            for every in ("1+3", "1+") if LONG or error == "EIO" else ("1+",):
                count = fails(test, node, error, every)
                test.proof(count > 0, f"{count} calls got {error} (when={every})")
        node.kill()  # in the middle: what was not committed is read again
        node.start()
        node.settles("after all of them and SIGKILL")


SHORT = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
static ssize_t half(int fd, const void *data, size_t size, off_t at) {
  if (size > 512) {
    int note = open(getenv("SHORT_WRITES"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (note >= 0) { syscall(SYS_write, note, "x", 1); close(note); }
    size /= 3;
  }
  return syscall(SYS_pwrite64, fd, data, size, at);
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return half(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) { return half(fd, data, size, at); }
"""


@case(3, "short writes", "a preloaded library writes a third of what pwrite was given, and says so",
      (1,), needs=("cc",))
def short_writes(test):
    notes = f"{test.folder}/short"
    env = {"LD_PRELOAD": injection.library(test, "short", SHORT), "SHORT_WRITES": notes}
    with world.Node(test) as node:
        node.start(env=env)
        node.write(2)
        for _ in range(rounds(3, 50)):
            node.grown(10)
            node.kill()
            node.start(env=env)
        node.grown(10)
        test.proof(os.path.exists(notes) and os.path.getsize(notes) > 10,
                   f"{os.path.getsize(notes) if os.path.exists(notes) else 0} writes were cut")
        node.settles("three kills under short writes")
        test.equal(node.status()["store"]["quarantined"], "", "no file was damaged")


STALLING = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static unsigned turn;
static int stall(long call, int fd) {
  int ms = 500 + (__atomic_fetch_add(&turn, 1, __ATOMIC_RELAXED) * 7919 + getpid() * 31) % 3501;
  struct timespec pause = {ms / 1000, ms % 1000 * 1000000L};
  nanosleep(&pause, 0);
  char text[32];
  int size = snprintf(text, sizeof text, "%d\n", ms);
  int note = open(getenv("STALLS"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (note >= 0) { syscall(SYS_write, note, text, size); close(note); }
  return syscall(call, fd);
}
int fsync(int fd) { return stall(SYS_fsync, fd); }
int fdatasync(int fd) { return stall(SYS_fdatasync, fd); }
"""


def answered(node, answers):
    """How many lines it says to have counted, and into `answers` how long that took, in seconds."""
    began = time.monotonic()
    counts = node.counts()
    answers.append(time.monotonic() - began)
    return sum(counts)


@case(7, "a card that stalls: every flush takes half a second to four seconds",
      "a preloaded library sleeps in fsync and fdatasync, and notes for how long", (1, 3, 8),
      needs=("cc",))
def stalling_flushes(test):
    stalls, receiver = f"{test.folder}/stalls", Receiver()
    env = {"LD_PRELOAD": injection.library(test, "stall", STALLING), "STALLS": stalls}
    receiver.open(200)
    hook = f"webhooks: [{{name: hook, url: \"http://127.0.0.1:{receiver.port}/\"}}]\n"
    answers, kills = [], rounds(2, 40)
    with world.Node(test, extra=hook) as node:
        node.start(env=env)
        common.wait_until(lambda: node.agent.slos(), 120, "it starts")
        node.write(5)
        for _ in range(kills):
            wanted = sum(node.counts()) + 150
            common.wait_until(lambda: answered(node, answers) >= wanted, 120, "lines are counted")
            node.kill()
            node.start(env=env)
            common.wait_until(lambda: node.agent.slos(), 120, "it starts again")
        node.writer.status = 503
        common.wait_until(receiver.delivered, 240, "a page")
        node.writer.status = 200
        kinds = lambda: [event["kind"] for _, event in receiver.delivered()]
        common.wait_until(lambda: "resolved" in kinds(), 240, "its end")
        with open(stalls) as f:
            took = [int(line) for line in f]
        test.proof(len(took) > 20, f"{len(took)} flushes took {sum(took) / 1000:.0f} s")
        node.settles(f"{kills} kills while flushes stall", 120)
        test.that(max(answers) < 1, f"an answer took {max(answers):.2f} s")
        test.equal(len({key for key, _ in receiver.delivered()}), 2, "two events, whatever was repeated")
        test.saw(f"the slowest of {len(answers)} answers meanwhile took {max(answers) * 1000:.0f} ms")
    receiver.shut()


def use_up_inodes(path):
    made = []
    with contextlib.suppress(FileNotFoundError):
        while True:
            name = f"{path}/filler-{len(made)}"
            try:
                os.close(os.open(name, os.O_CREAT | os.O_EXCL))
            except OSError as e:
                return made, e.errno
            made.append(name)
    return made, 0


@case(4, "inode exhaustion", "the state is on a tmpfs of 24 inodes, the rest of which are taken",
      (1, 4, 5), root=True)
def no_inodes(test):
    disk = f"{test.folder}/small"
    injection.tmpfs(disk, "size=32m,nr_inodes=24")
    with world.Node(test, state=f"{disk}/state") as node:
        node.start()
        node.write()
        node.grown(5)
        for what in ("running", "started"):
            if what == "started":
                node.terminate()
            made, code = use_up_inodes(disk)
            test.proof(code == errno.ENOSPC and os.statvfs(disk).f_ffree == 0,
                       f"{len(made)} files took the last inode: {errno.errorcode.get(code)}")
            if what == "started":
                node.start()
            node.grown(20)
            if what == "running":
                node.kill()
                node.start()
                node.grown(20)
            for name in made:
                os.unlink(name)
            commits = node.metric("nines_store_commits_total")
            common.wait_until(lambda: node.metric("nines_store_commits_total") > commits + 1
                              and node.status()["store"]["in_memory"] == "", 60,
                              f"{what}: on disk again")
        node.settles("without inodes, running and at the start")


def flip(data, chance):
    at = chance.randrange(32, len(data))
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1:]


def zero_page(data, chance):
    at = 32 + 4120 * chance.randrange(max(1, (len(data) - 32) // 4120))
    return data[:at + 24] + b"\0" * 4096 + data[at + 24 + 4096:]


def torn_sector(data, chance):
    at = 512 * chance.randrange(1, len(data) // 512)
    return data[:at] + chance.randbytes(512) + data[at + 512:]


def cut(data, chance):
    return data[:chance.randrange(1, len(data))]


@case(5, "damaged write-ahead log: flipped bit, zeroed page, torn sector, cut tail, nothing left",
      "after SIGKILL the bytes of nines.db-wal are changed; the log that was counted is still there", (1, 5))
def damaged_wal(test):
    chance = random.Random(int(os.environ.get("NINES_SEED", "7")))
    damages = {"flipped bit": flip, "zeroed page": zero_page, "torn sector": torn_sector,
               "cut tail": cut, "empty": lambda data, _: b""}
    done = {}
    with world.Node(test) as node:
        node.start()
        for turn in range(rounds(1, 40)):
            for name, damage in damages.items():
                node.append(30, 3)
                if not test.that(_exact(node, 40), f"before {name}: {node.counts()}, {node.recount()}"):
                    return
                common.wait_until(lambda: node.status()["store"]["commits"] > 1, 30, "commits")
                node.kill()
                with open(f"{node.state}/nines.db-wal", "rb") as f:
                    data = f.read()
                common.write(f"{node.state}/nines.db-wal", changed := damage(data, chance))
                done[name] = done.get(name, 0) + (hashlib.sha256(data).digest()
                                                  != hashlib.sha256(changed).digest())
                node.start()
                test.that(_exact(node, 40), f"{name} ({turn}): {node.counts()}, {node.recount()}")
        test.proof(all(done.get(name) for name in damages), f"bytes changed: {done}")
        node.settles("five kinds of damage")


def _exact(node, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if node.counts() == node.recount():
            return True
        time.sleep(0.1)
    return False

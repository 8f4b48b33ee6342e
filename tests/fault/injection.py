"""Faults by the kernel's own means: traced calls that fail, small disks, control groups, a library
that lies about time, another that writes less than it was asked to."""
import atexit
import contextlib
import glob
import os
import re
import signal
import subprocess
import time

import trial
import common

STATE_FILES = ("nines.db", "nines.db-wal", "nines.db-journal", "nines.boot", "nines.boot.new",
               "nines.ballast", "")


def state_paths(state):
    return [word for name in STATE_FILES for word in ("-P", os.path.join(state, name).rstrip("/"))]


class Tracer:
    """strace on a running process while the context lasts; `injected()` calls were tampered with."""

    def __init__(self, test, pid, *options):
        self.path = f"{test.folder}/trace-{time.monotonic_ns()}"
        self.process = subprocess.Popen(["strace", "-f", "-qq", "-o", self.path, "-p", str(pid),
                                         *options], stderr=subprocess.PIPE)
        self.pid = pid

    def __enter__(self):
        def attached():
            if self.process.poll() is not None:
                raise trial.Skipped("strace may not trace here: "
                                    + self.process.stderr.read().decode(errors="replace")[-200:])
            with open(f"/proc/{self.pid}/status") as f:
                return "TracerPid:\t0\n" not in f.read()
        common.wait_until(attached, 20, "strace attaches")
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGINT)  # detaches
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def text(self):
        with open(self.path, errors="replace") as f:
            return f.read()

    def injected(self):
        return self.text().count("(INJECTED)")


def do(*command):
    done = common.run(*command)
    if done.returncode != 0:
        raise trial.Skipped(f"{' '.join(map(str, command))}: {done.stderr.decode().strip()[-200:]}")


def tmpfs(path, options):
    os.makedirs(path, exist_ok=True)
    do("mount", "-t", "tmpfs", "-o", options, "tmpfs", path)
    atexit.register(common.run, "umount", "--lazy", path)  # before the folder goes


class ControlGroup:
    """A group of a cgroup v1 or v2 controller; processes are put in, limits written and read."""

    def __init__(self, test, controller):
        self.folder = test.folder
        parents = [f"/sys/fs/cgroup/{controller}"]
        with contextlib.suppress(OSError), open("/sys/fs/cgroup/cgroup.subtree_control") as f:
            if controller in f.read().split():
                parents.append("/sys/fs/cgroup")
        parent = next((p for p in parents if os.path.exists(f"{p}/cgroup.procs")), None)
        if parent is None:
            raise trial.Skipped(f"no {controller} control group can be made here")
        self.two = parent == "/sys/fs/cgroup"
        self.path = f"{parent}/nines-fault-{os.getpid()}"
        try:
            os.mkdir(self.path)
        except OSError as e:
            raise trial.Skipped(f"no {controller} control group: {e}") from e
        atexit.register(self.remove)

    def set(self, name, value):
        try:
            with open(f"{self.path}/{name}", "w") as f:
                f.write(str(value))
        except OSError as e:
            raise trial.Skipped(f"{self.path}/{name}: {e}") from e

    def get(self, name):
        with open(f"{self.path}/{name}") as f:
            return f.read()

    def figure(self, file, key):
        found = re.search(rf"^{key} (\d+)$", self.get(file), re.M)
        return int(found[1]) if found else 0

    def take(self, pid):
        self.set("cgroup.procs", pid)

    @contextlib.contextmanager
    def around(self):
        """Programs of Nines started here are in the group from their first instruction on."""
        real, wrapper = os.environ["NINES_BIN"], f"{self.folder}/in-the-group"
        common.write(wrapper, f'#!/bin/sh\necho $$ > "{self.path}/cgroup.procs" && exec "{real}" "$@"\n')
        os.chmod(wrapper, 0o755)
        os.environ["NINES_BIN"] = wrapper
        try:
            yield
        finally:
            os.environ["NINES_BIN"] = real

    def remove(self):
        with contextlib.suppress(OSError):
            os.rmdir(self.path)


class CpuQuota(ControlGroup):
    def __init__(self, test):
        super().__init__(test, "cpu")

    def percent(self, of_one_core):
        """None: no quota."""
        period = 50_000
        quota = None if of_one_core is None else max(1000, int(period * of_one_core / 100))
        if self.two:
            self.set("cpu.max", f"{quota or 'max'} {period}")
        else:
            self.set("cpu.cfs_period_us", period)
            self.set("cpu.cfs_quota_us", quota or -1)

    def throttled(self):
        return self.figure("cpu.stat", "nr_throttled")


class FalseClock:
    """libfaketime: the wall clock of a program is what a file says, and may be told anew meanwhile. The
    monotonic clock stays right, as on a machine whose clock is set."""

    def __init__(self, test, first):
        library = next(iter(glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")), "")
        if not library:
            raise trial.Skipped("libfaketime is not there")
        self.path = f"{test.folder}/clock"
        self.tell(first)
        self.env = {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": self.path,
                    "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                    "DONT_FAKE_MONOTONIC": "1"}

    def tell(self, text):
        with open(f"{self.path}.new", "w") as f:
            f.write(text + "\n")
        os.rename(f"{self.path}.new", self.path)


def library(test, name, source):
    """A library to be preloaded, compiled here."""
    common.write(f"{test.folder}/{name}.c", source)
    out = f"{test.folder}/{name}.so"
    done = subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", out, f"{test.folder}/{name}.c",
                           "-ldl"], capture_output=True)
    if done.returncode != 0:
        raise trial.Skipped("no C compiler: " + done.stderr.decode(errors="replace")[-200:])
    return out

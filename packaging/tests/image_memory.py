#!/usr/bin/env python3
"""packaging/tests/image_memory.py PROGRAM LOGGEN [MEGABYTES]
What the image's program takes under a memory cgroup of 64 MiB while it reads as fast as it can: from the
image's own root, no OOM kill, its own (anonymous) memory below the budget, all lines counted. Page
cache of the logs is counted by the cgroup as well and given back under pressure: it is not ours.
Exit 77: cannot be tried here, says why.
"""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests/e2e"))
import common  # noqa: E402
import load  # noqa: E402

LIMIT = 64 << 20
ANONYMOUS_BUDGET = 24 << 20  # the goal of the whole process at full speed


def skip(why):
    print(f"SKIPPED: {why}: nothing is known about the image's memory")
    sys.exit(77)


class Group:
    """A memory cgroup of either version."""

    def __init__(self):
        self.v2 = os.path.exists("/sys/fs/cgroup/cgroup.controllers")
        self.path = f"/sys/fs/cgroup/{'' if self.v2 else 'memory/'}nines-image-{os.getpid()}"
        try:
            os.mkdir(self.path)
            self.write("memory.max" if self.v2 else "memory.limit_in_bytes", LIMIT)
        except OSError as error:
            skip(f"no memory cgroup can be made ({error})")
        for name in ("memory.swap.max", "memory.swappiness"):  # swap would hide what is too much
            if os.path.exists(f"{self.path}/{name}"):
                self.write(name, 0)

    def write(self, name, value):
        with open(f"{self.path}/{name}", "w", encoding="ascii") as f:
            f.write(str(value))

    def fields(self, name):
        with open(f"{self.path}/{name}", encoding="ascii") as f:
            return {k: int(v) for k, v in (line.split() for line in f)}

    def anonymous(self):
        stat = self.fields("memory.stat")
        return stat["anon"] if self.v2 else stat["rss"]

    def kills(self):
        return self.fields("memory.events" if self.v2 else "memory.oom_control")["oom_kill"]

    def peak(self):
        name = "memory.peak" if self.v2 else "memory.max_usage_in_bytes"
        if not os.path.exists(f"{self.path}/{name}"):
            return 0
        with open(f"{self.path}/{name}", encoding="ascii") as f:
            return int(f.read())


def records(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith("nines_source_records_total"))


def main():
    program, loggen = sys.argv[1:3]
    megabytes = int(sys.argv[3]) if len(sys.argv) > 3 else 1000
    if os.geteuid() != 0:
        skip("needs root (chroot, cgroup)")
    if not shutil.which("buildah"):
        skip("buildah is not installed")
    group, checks = Group(), common.Checks()
    folder = tempfile.mkdtemp()
    agent = None
    try:
        root, port = load.image_root("amd64", program, folder), common.free_port()
        wanted = load.prepare(root, loggen, megabytes)
        common.write(f"{root}/etc/nines/nines.yaml", f"listen: 127.0.0.1:{port}\nlimits: {{cpu: 100}}\n")

        def enter():
            group.write("cgroup.procs", os.getpid())
            os.chroot(root)
            os.chdir("/var/lib/nines")
        started = time.monotonic()
        with open(f"{folder}/log", "wb") as out:
            agent = subprocess.Popen(["/usr/bin/nines", "agent"], preexec_fn=enter, env={}, stdout=out, stderr=out)
        most, seen = 0, 0
        while seen < wanted and time.monotonic() < started + 900:
            if agent.poll() is not None:
                break
            most = max(most, group.anonymous())
            try:
                seen = records(port)
            except OSError:
                pass
            time.sleep(0.02)
        took = time.monotonic() - started
        most = max(most, group.anonymous())
        checks.that(agent.poll() is None, f"it lives: {open(f'{folder}/log', encoding='utf-8').read()[-2000:]}")
        checks.equal(seen, wanted, "every line was read once")
        checks.equal(group.kills(), 0, "no OOM kill")
        checks.that(0 < most <= ANONYMOUS_BUDGET, f"anonymous memory {most >> 10} KiB, {ANONYMOUS_BUDGET >> 10} at most")
        print(f"{megabytes} MB, {wanted} lines, 20 SLOs in {took:.1f} s: anonymous memory at most {most / 2**20:.1f} MiB; "
              f"with page cache {group.peak() / 2**20:.1f} of {LIMIT >> 20} MiB")
        if agent.poll() is None:
            agent.send_signal(signal.SIGTERM)
            checks.equal(agent.wait(120), 0, "ends well")
    finally:
        if agent is not None:
            agent.kill()
            agent.wait()
        for _ in range(50):  # the kernel lets go of the dead a little later
            try:
                os.rmdir(group.path)
                break
            except OSError:
                time.sleep(0.1)
        shutil.rmtree(folder, ignore_errors=True)
    checks.finish()


if __name__ == "__main__":
    main()

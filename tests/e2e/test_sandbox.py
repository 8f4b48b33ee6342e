#!/usr/bin/env python3
"""Least privilege: the agent as a user that owns nothing, without a capability, on a read-only system,
behind a filter made of the unit's own lines (sandbox.py), tails a log of group adm, counts exactly,
answers HTTP, takes a write with the token, keeps its state, reloads, stops, goes on where it was. And
the same sandbox stops what is forbidden, which its user could do without."""
import json
import mmap
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.request

import common
import sandbox

UNIT = f"{common.REPO}/packaging/systemd/nines.service"
# What a user without a right could do, were it not for the filter. Each says OK or the errno's name.
PROBE = r"""
import ctypes, errno, mmap, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long  # an address is one, too
def call(name, number, *arguments):
    result = libc.syscall(number, *arguments)
    print(name, "OK" if result != -1 else errno.errorcode[ctypes.get_errno()])
def attempt(name, what):
    try:
        what()
        print(name, "OK")
    except OSError as e:
        print(name, errno.errorcode[e.errno])
null = ctypes.c_void_p(None)
call("ptrace", 101, 0, 0, null, null)
call("mount", 165, b"none", b"/mnt", b"tmpfs", 0, null)
call("bpf", 321, 0, null, 0)
call("unshare", 272, 0x10000000)
call("perf_event_open", 298, null, 0, -1, -1, 0)
call("keyexec", 9, null, 4096, 7, 0x22, -1, 0)
call("init_module", 175, null, 0, b"")
call("setuid", 105, 0)
attempt("netlink", lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW))
attempt("packet", lambda: socket.socket(17, socket.SOCK_RAW))
attempt("inet", lambda: socket.socket(socket.AF_INET, socket.SOCK_STREAM))
attempt("write /etc", lambda: open("/etc/nines-was-here", "w"))
attempt("write outside", lambda: open(sys.argv[1], "a"))
attempt("read root's", lambda: open(sys.argv[2]))
attempt("write state", lambda: open(sys.argv[3], "w"))
"""
# Allowed without the filter, so that its refusal is the filter's doing.
FILTERED = {"ptrace", "unshare", "keyexec", "netlink"}
REFUSED = FILTERED | {"mount", "bpf", "perf_event_open", "init_module", "setuid", "packet", "write /etc",
                      "write outside", "read root's"}


def lines(path, good, bad):
    """Of minutes that are over, so that they count at once."""
    at = time.time() - 90
    with open(path, "a", encoding="ascii") as f:
        f.write(common.AccessLog.line(200, at) * good + common.AccessLog.line(503, at) * bad)


class World:
    def __init__(self, checks):
        self.checks, self.folder = checks, common.scratch("sandbox")
        os.chmod(self.folder, 0o755)
        self.port, self.log = common.free_port(), f"{self.folder}/logs/access.log"
        self.state, self.said = f"{self.folder}/state", f"{self.folder}/agent.log"
        os.mkdir(self.state, 0o750)
        os.chown(self.state, sandbox.NOBODY, sandbox.NOBODY)
        common.write(self.log, "")
        os.chown(self.log, 0, sandbox.ADM)
        os.chmod(self.log, 0o640)
        self.secret = common.write(f"{self.folder}/secret", "root's")
        os.chmod(self.secret, 0o600)
        self.slo("web", "status < 500")
        self.config = common.write(f"{self.folder}/etc/nines.yaml", common.node_yaml(self.port, "slos: [slos/]\n"))
        self.program = f"{self.folder}/nines"  # nobody need not be able to enter where it was built
        shutil.copy(common.tool("NINES_BIN"), self.program)
        os.chmod(self.program, 0o755)
        self.process = self.refusals = None

    def slo(self, name, good):
        common.write(f"{self.folder}/etc/slos/{name}.yaml", common.ratio_slo(
            name, f'paths: ["{self.log}"], format: nginx', good, "", "0.9", "1d"))

    def start(self):
        command = [self.program, "agent", "--config", self.config, "--state", self.state]
        with open(self.said, "ab") as log:
            self.process, self.refusals = sandbox.start(UNIT, [self.state], command, stdout=log, stderr=log,
                                                        cwd=self.state)
        common.wait_until(lambda: common.get(self.port, "/readyz")[0] == 200 or self.process.poll() is not None,
                          60, "/readyz")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.refusals.join(10)
        return code

    def slos(self):
        status, body = common.get(self.port, "/api/slo")
        return {s["slo"]: (s["good"], s["bad"], s["total"]) for s in json.loads(body)} if status == 200 else {}

    def counts(self, name, wanted, what):
        try:
            common.wait_until(lambda: self.slos().get(name) == wanted, 60, what)
        except TimeoutError:
            pass
        self.checks.equal(self.slos().get(name), wanted, what)

    def text(self):
        with open(self.said, encoding="utf-8", errors="replace") as f:
            return f.read()


def check_privileges(checks, world):
    """What the kernel says of every thread of it."""
    for thread in os.listdir(f"/proc/{world.process.pid}/task"):
        with open(f"/proc/{world.process.pid}/task/{thread}/status", encoding="ascii") as f:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
        checks.equal(status["Uid"].split(), [str(sandbox.NOBODY)] * 4, "user")
        checks.equal(status["Groups"].split(), [str(sandbox.ADM)], "groups")
        for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
            checks.equal(int(status[f"Cap{kind}"], 16), 0, f"Cap{kind}")
        checks.equal((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"), "no_new_privs, filter")
    with open(f"/proc/{world.process.pid}/mounts", encoding="utf-8") as f:
        modes = {line.split()[1]: line.split()[3].split(",")[0] for line in f}
    checks.equal((modes["/"], modes[world.state]), ("ro", "rw"), "mounts")


def check_writes(checks, world):
    """A write with the token of the state directory, which only its user reads."""
    path = f"{world.state}/api.token"
    checks.equal((stat.S_IMODE(os.stat(path).st_mode), os.stat(path).st_uid), (0o600, sandbox.NOBODY), "token")
    with open(path, encoding="ascii") as f:
        token = f.read().strip()
    request = urllib.request.Request(f"http://127.0.0.1:{world.port}/api/changes", method="POST", data=json.dumps(
        {"kind": "note", "text": "from a sandbox"}).encode(), headers={
            "Authorization": f"Bearer {token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        checks.that(answer.status in (200, 201), f"a note is taken: {answer.status}")
    checks.equal(common.get(world.port, "/metrics")[0], 200, "/metrics")


def check_life(checks, world):
    lines(world.log, 300, 20)
    world.start()
    if not checks.that(world.process.poll() is None, f"it starts: {world.text()[-1500:]}"):
        return
    check_privileges(checks, world)
    world.counts("web", (300, 20, 320), "what was there")
    lines(world.log, 40, 2)
    world.counts("web", (340, 22, 362), "what was written since")
    os.rename(world.log, f"{world.log}.1")
    common.write(world.log, "")
    os.chown(world.log, 0, sandbox.ADM)
    os.chmod(world.log, 0o640)
    lines(world.log, 10, 1)
    world.counts("web", (350, 23, 373), "after a rotation")
    check_writes(checks, world)
    world.slo("strict", "status < 300")
    world.process.send_signal(signal.SIGHUP)
    common.wait_until(lambda: "strict" in world.slos(), 60, "the reload")
    lines(world.log, 5, 0)
    world.counts("web", (355, 23, 378), "after the reload")
    checks.equal(world.stop(), 0, "exit code after SIGTERM")
    refused = list(world.refusals.names)
    owners = {os.stat(f"{world.state}/{name}").st_uid for name in os.listdir(world.state)}
    checks.equal(owners, {sandbox.NOBODY}, "owner of the state")
    lines(world.log, 7, 0)
    world.start()
    world.counts("web", (362, 23, 385), "the second life, nothing twice")
    checks.equal(world.stop(), 0, "exit code of the second life")
    refused += world.refusals.names
    print(f"refused by the filter: {sorted(set(refused)) or 'nothing'}")
    checks.equal(refused, [], "nothing that the agent does is refused")


def check_forbidden(checks, world):
    """What stops the probe stops an agent that somebody took over."""
    probe = common.write(f"{world.folder}/probe.py", PROBE)
    outside = common.write(f"{world.folder}/anybody", "")
    os.chmod(outside, 0o666)

    python = next(p for p in ("/usr/bin/python3", sys.executable) if os.path.exists(p))  # anybody may run it

    def run(filtered):
        process, refusals = sandbox.start(UNIT, [world.state], [python, probe, outside, world.secret,
                                                                f"{world.state}/probe"], filtered,
                                          stdout=subprocess.PIPE, text=True)
        said, _ = process.communicate(timeout=60)
        refusals.join(10)
        return dict(line.rsplit(" ", 1) for line in said.splitlines()), refusals.names

    free, nobody_asked = run(False)
    checks.equal(nobody_asked, [], "without a filter nobody is asked")
    for name in sorted(FILTERED):
        checks.equal(free.get(name), "OK", f"without the filter, {name}")
    held, asked = run(True)
    for name in sorted(REFUSED):
        checks.that(held.get(name) in ("EPERM", "EROFS", "EACCES"), f"{name} is refused: {held.get(name)}")
    for name in ("inet", "write state"):
        checks.equal(held.get(name), "OK", f"{name} is not refused")
    for name in ("ptrace", "mount", "bpf", "unshare", "perf_event_open", "mmap", "init_module", "setuid", "socket"):
        checks.that(name in asked, f"the filter saw {name}: {asked}")
    print(f"the probe was refused: {sorted(name for name, said in held.items() if said != 'OK')}")


def main():
    why = sandbox.why_not()
    if why:
        common.skip(why)
    with open(common.tool("NINES_BIN"), "rb") as f, mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as program:
        if program.find(b"__asan_init") >= 0 or program.find(b"__tsan_init") >= 0:
            common.skip("a sanitizer needs more memory and calls than the unit allows")
    checks = common.Checks()
    world = World(checks)
    try:
        check_forbidden(checks, world)
        check_life(checks, world)
    finally:
        if world.process and world.process.poll() is None:
            world.process.kill()
            world.process.wait()
        if checks.failures:
            print(world.text()[-3000:])
    checks.finish()


if __name__ == "__main__":
    main()

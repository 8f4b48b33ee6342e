#!/usr/bin/env python3
"""What the unit's hardening does to a program, without systemd: sandbox.py SOCKET_FD UNIT [--no-filter]
WRITABLE... -- COMMAND... makes everything read-only but WRITABLE (a mount namespace), drops every capability,
becomes nobody with group adm, sets no_new_privs and the unit's limits, installs a seccomp filter made
of the unit's own lines, and runs COMMAND. Refused calls get EPERM, as in the unit, and whoever holds
the other end of SOCKET_FD learns which (Refusals). Root, x86-64, linux-libc-dev, systemd-analyze.
"""
import array
import ctypes
import fcntl
import os
import platform
import re
import resource
import select
import shutil
import socket
import struct
import subprocess
import sys
import threading

NOBODY, ADM = 65534, 4
UNISTD = "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"
LIBC = ctypes.CDLL(None, use_errno=True)
MS_RDONLY, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
CLONE_NEWNS = 0x20000
CLONE_NEW_ANY = 0x02000000 | 0x04000000 | 0x08000000 | 0x10000000 | 0x20000000 | 0x40000000 | CLONE_NEWNS
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
SYS_SECCOMP, SET_MODE_FILTER, NEW_LISTENER = 317, 1, 8
ALLOW, ERRNO, USER_NOTIF, EPERM = 0x7fff0000, 0x00050000, 0x7fc00000, 1
AUDIT_ARCH_X86_64 = 0xc000003e
LD, JEQ, JGE, AND, RET = 0x20, 0x15, 0x35, 0x54, 0x06
NOTIF_RECV, NOTIF_SEND = 0xc0502100, 0xc0182101
FAMILIES = {"AF_UNIX": 1, "AF_INET": 2, "AF_INET6": 10, "AF_NETLINK": 16}
# systemd lets these through whatever a list says, so that a program can begin and end.
ALWAYS = ("@default", "execve")


def why_not():
    """What is missing to use this; empty when nothing is."""
    if os.geteuid() != 0:
        return "this user is not root: nothing can be made read-only"
    if platform.machine() != "x86_64" or not os.path.exists(UNISTD):
        return f"numbers of system calls are known for x86-64 only, from {UNISTD}"
    if not shutil.which("systemd-analyze"):
        return "there is no systemd-analyze: what @system-service is, is not known"
    done = subprocess.run(["unshare", "--mount", "--propagation", "private", "true"], capture_output=True, text=True)
    if done.returncode != 0:
        return f"this root has no mount namespaces: {done.stderr.strip()}"
    return ""


def numbers():
    with open(UNISTD, encoding="ascii") as f:
        return {name: int(n) for name, n in re.findall(r"#define __NR_(\w+) (\d+)", f.read())}


def members(word, seen=None):
    """Names of the system calls of `word`, which is a name or an @group."""
    if not word.startswith("@"):
        return {word}
    text = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", word], capture_output=True,
                          text=True, check=True).stdout
    words = [line.strip() for line in text.splitlines()[1:]]
    return set().union(*(members(w) for w in words if w and not w.startswith("#")))


def settings(unit, key):
    with open(unit, encoding="utf-8") as f:
        return re.findall(rf"(?m)^{key}=(.*)$", f.read())


def allowed(unit):
    """Names that the lines SystemCallFilter= of the unit let through."""
    names = set().union(*(members(word) for word in ALWAYS))
    for line in settings(unit, "SystemCallFilter"):
        words = set().union(*(members(w) for w in line.removeprefix("~").split()))
        names = names - words if line.startswith("~") else names | words
    return names


def filter_of(unit):
    """BPF: everything that is not let through goes to the listener."""
    known = numbers()
    rules = []

    def refuse_if_any(name, argument, bits):
        load = 16 + 8 * argument
        rules.extend([(JEQ, 0, 4, known[name]), (LD, 0, 0, load), (AND, 0, 0, bits), (JEQ, 1, 0, 0),
                      (RET, 0, 0, USER_NOTIF), (LD, 0, 0, 0)])

    def refuse_if_all(name, argument, bits):
        load = 16 + 8 * argument
        rules.extend([(JEQ, 0, 4, known[name]), (LD, 0, 0, load), (AND, 0, 0, bits), (JEQ, 0, 1, bits),
                      (RET, 0, 0, USER_NOTIF), (LD, 0, 0, 0)])

    if settings(unit, "MemoryDenyWriteExecute") == ["yes"]:
        refuse_if_all("mmap", 2, 6)  # PROT_WRITE | PROT_EXEC
        refuse_if_any("mprotect", 2, 4)
    if settings(unit, "RestrictNamespaces") == ["yes"]:
        refuse_if_any("clone", 0, CLONE_NEW_ANY)
        refuse_if_any("unshare", 0, CLONE_NEW_ANY)
    families = [FAMILIES[w] for w in " ".join(settings(unit, "RestrictAddressFamilies")).split()]
    if families:
        rules += [(JEQ, 0, 2 + 2 * len(families), known["socket"]), (LD, 0, 0, 16)]
        for family in families:
            rules += [(JEQ, 0, 1, family), (RET, 0, 0, ALLOW)]
        rules += [(RET, 0, 0, USER_NOTIF)]
    head = [(LD, 0, 0, 4), (JEQ, 1, 0, AUDIT_ARCH_X86_64), (RET, 0, 0, ERRNO | EPERM),
            (LD, 0, 0, 0), (JGE, 0, 1, 0x40000000), (RET, 0, 0, ERRNO | EPERM)]
    tail = []
    for number in sorted(known[name] for name in allowed(unit) if name in known):
        tail += [(JEQ, 0, 1, number), (RET, 0, 0, ALLOW)]
    return head + rules + tail + [(RET, 0, 0, USER_NOTIF)]


def must(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def mount(source, target, flags):
    must(LIBC.mount(source.encode(), target.encode(), None, ctypes.c_ulong(flags), None), f"mount {target}")


def make_read_only(writable):
    must(LIBC.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", MS_REC | MS_PRIVATE)
    for path in writable:
        mount(path, path, MS_BIND)
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        points = [re.sub(r"\\(\d{3})", lambda m: chr(int(m[1], 8)), line.split()[4]) for line in f]
    for point in points:
        if point in writable:
            continue
        # Its other restrictions may be locked; what cannot be said again cannot be entered either.
        if LIBC.mount(b"none", point.encode(), None, ctypes.c_ulong(MS_REMOUNT | MS_BIND | MS_RDONLY), None):
            if os.access(point, os.W_OK) and not point.startswith(("/proc", "/sys", "/dev")):
                raise OSError(ctypes.get_errno(), f"cannot make {point} read-only")


def bytes_of(text):
    if text == "infinity":
        return resource.RLIM_INFINITY
    unit = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(text[-1], 1)
    return int(text.rstrip("KMG")) * unit


def limit(unit):
    for name in ("DATA", "STACK", "CORE", "NOFILE"):
        for value in settings(unit, f"Limit{name}"):
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (bytes_of(value),) * 2)


def become_nobody():
    with open("/proc/sys/kernel/cap_last_cap", encoding="ascii") as f:
        last = int(f.read())
    for capability in range(last + 1):
        must(LIBC.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0), "PR_CAPBSET_DROP")
    os.setgroups([ADM])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    must(LIBC.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    os.umask(0o077)


def install(program, to):
    """The filter; its listener is sent to the other end of `to`."""
    code = b"".join(struct.pack("<HBBI", op, yes, no, k) for op, yes, no, k in program)
    buffer = ctypes.create_string_buffer(code)
    head = struct.pack("<HxxxxxxQ", len(program), ctypes.addressof(buffer))
    listener = must(LIBC.syscall(SYS_SECCOMP, SET_MODE_FILTER, NEW_LISTENER, head), "seccomp")
    to.sendmsg([b"listener"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])
    os.close(listener)


class Refusals(threading.Thread):
    """Answers what the filter does not let through with EPERM, and keeps its name."""

    def __init__(self):
        super().__init__(daemon=True)
        self.ours, self.theirs = socket.socketpair()
        self.names, self.known = [], {n: name for name, n in numbers().items()}
        self.start()

    def run(self):
        self.ours.settimeout(60)
        try:
            _, control, _, _ = self.ours.recvmsg(64, socket.CMSG_SPACE(4))
        except OSError:
            return
        if not control:
            return  # it was not to be filtered
        listener = array.array("i", control[0][2])[0]
        poll = select.poll()
        poll.register(listener, select.POLLIN)
        while True:
            events = poll.poll()
            if not events[0][1] & select.POLLIN:
                os.close(listener)
                return  # everybody it watched is gone
            request = bytearray(80)
            try:
                fcntl.ioctl(listener, NOTIF_RECV, request)
                identity, _, _, number = struct.unpack_from("<QIIi", request)
                self.names.append(self.known.get(number, str(number)))
                fcntl.ioctl(listener, NOTIF_SEND, bytearray(struct.pack("<QqiI", identity, 0, -EPERM, 0)))
            except OSError:
                continue  # who asked was killed meanwhile


def start(unit, writable, command, filtered=True, **options):
    """(process, Refusals)"""
    refusals = Refusals()
    process = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), str(refusals.theirs.fileno()), unit,
         *([] if filtered else ["--no-filter"]), *writable, "--", *map(str, command)],
        pass_fds=[refusals.theirs.fileno()], **options)
    refusals.theirs.close()
    return process, refusals


def main():
    fd, unit, *rest = sys.argv[1:]
    writable, command = rest[:rest.index("--")], rest[rest.index("--") + 1:]
    filtered = "--no-filter" not in writable
    program = filter_of(unit) if filtered else []
    to = socket.socket(fileno=int(fd))
    make_read_only([path for path in writable if path != "--no-filter"])
    limit(unit)
    become_nobody()
    if filtered:
        install(program, to)
    to.close()
    os.execv(command[0], command)


if __name__ == "__main__":
    main()

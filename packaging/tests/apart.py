"""A machine within this one, so that a kubelet leaves nothing behind: own mounts, processes, network and
control groups (below one group that is removed afterwards). /var/log, /var/lib and /run are a test's own,
and so are the few sysctls of the kernel that a kubelet sets: files that stand for them. When the first
process ends, all of them end.

    outside: code, changed = apart.run([sys.executable, __file__, "--inside", folder])
    inside:  apart.settle(folder)   before anything else
Needs root, and control groups of version 1 (version 2 was not tried).
"""
import ctypes
import os
import shutil
import signal
import subprocess
import time

GROUPS = "/sys/fs/cgroup"
# A kubelet sets the first four and a container's network the fifth, which is each network's own.
SYSCTLS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
           "net/ipv4/ip_forward"]
KEYS = ["kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes"]
LEAVINGS = ["/var/log/pods", "/var/log/containers", "/var/lib/kubelet", "/var/lib/cni", "/var/lib/containerd",
            "/var/lib/nines-agent", "/etc/cni", "/opt/cni", "/opt/containerd", "/run/containerd", "/run/netns",
            "/run/flannel", "/usr/libexec/kubernetes", "/var/run/kubernetes", "/sys/fs/cgroup/memory/kubepods",
            "/sys/fs/cgroup/memory/k8s.io"]


def cannot():
    """Why it can't be done here; None: it can."""
    if os.geteuid() != 0:
        return "needs root (namespaces, control groups)"
    if os.path.exists(f"{GROUPS}/cgroup.controllers"):
        return "control groups of version 2 alone: not tried yet"
    for one in ("memory", "cpu", "cpuacct", "cpuset", "devices", "pids"):
        if not os.path.isdir(f"{GROUPS}/{one}"):
            return f"there is no control group '{one}'"
    for program in ("unshare", "mount", "ip", "iptables"):
        if not shutil.which(program):
            return f"'{program}' is not here"
    try:
        os.mkdir(f"{GROUPS}/memory/{_name()}")
        os.rmdir(f"{GROUPS}/memory/{_name()}")
    except OSError as error:
        return f"no control group can be made ({error})"
    done = subprocess.run(["unshare", "--mount", "--net", "--pid", "--cgroup", "--fork", "true"], capture_output=True,
                          text=True)
    return None if done.returncode == 0 else f"no namespaces: {done.stderr.strip()}"


def state():
    """What of this machine a kubelet would change."""
    found = {f"sysctl {one}": _read(f"/proc/sys/{one}") for one in SYSCTLS + KEYS}
    for path in LEAVINGS:
        found[path] = sorted(os.listdir(path)) if os.path.isdir(path) else None
    found["mounts of a cluster"] = [line for line in _read("/proc/self/mountinfo").split("\n")
                                    if "kubelet" in line or "containerd" in line or "/nines-rollout" in line]
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True).stdout
    found["packet filter"] = [line for line in rules.split("\n") if "KUBE" in line or "CNI" in line]
    found["network"] = sorted(os.listdir("/sys/class/net"))
    return found


def run(command):
    """The exit code of `command`, run apart, and what is not as before (a list). A group can only be removed
    when no process is left in it."""
    before = state()
    groups = _make_groups()

    def enter():
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: not without us
        for group in groups:
            with open(f"{group}/cgroup.procs", "w", encoding="ascii") as f:
                f.write(str(os.getpid()))
    try:
        code = subprocess.run(["unshare", "--mount", "--net", "--pid", "--ipc", "--uts", "--cgroup", "--fork",
                               "--kill-child", *command], preexec_fn=enter).returncode
    finally:
        _remove(groups)
    after = state()
    return code, [f"{key}: {before[key]!r} before, {after[key]!r} after" for key in before
                  if before[key] != after[key]] + [f"{group} is still there" for group in groups if os.path.exists(group)]


def settle(folder):
    """Inside: mounts and network of its own."""
    _mount("--make-rprivate", "/")
    _mount("--make-rshared", "/")  # among the pods, as kubelets want it
    _mount("-t", "proc", "proc", "/proc")
    for one in SYSCTLS[:4] + KEYS:
        stand_in = f"{folder}/sysctl/{one}"
        os.makedirs(os.path.dirname(stand_in), exist_ok=True)
        with open(stand_in, "w", encoding="ascii") as f:
            f.write(_read(f"/proc/sys/{one}") + "\n")
        _mount("--bind", stand_in, f"/proc/sys/{one}")
    controllers = sorted(os.listdir(GROUPS))
    _mount("-t", "sysfs", "sysfs", "/sys")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", GROUPS)
    for one in controllers:
        os.mkdir(f"{GROUPS}/{one}")
        if one == "unified":
            _mount("-t", "cgroup2", "cgroup2", f"{GROUPS}/{one}")
        else:
            _mount("-t", "cgroup", "-o", "none,name=systemd" if one == "systemd" else one, "cgroup", f"{GROUPS}/{one}")
    for one in ("log", "lib"):
        os.makedirs(f"{folder}/var-{one}")
        os.chmod(f"{folder}/var-{one}", 0o755)
        _mount("--bind", f"{folder}/var-{one}", f"/var/{one}")
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    for words in ("link set lo up", "link add uplink type veth peer name outside", "address add 10.88.0.1/24 dev uplink",
                  "link set outside up", "link set uplink up", "route add default via 10.88.0.254"):
        subprocess.run(["ip", *words.split()], check=True)


def _name():
    return f"nines-rollout-{os.getpid()}"


def _make_groups():
    made = []
    for one in sorted(os.listdir(GROUPS)):
        path = f"{GROUPS}/{one}/{_name()}"
        os.mkdir(path)
        made.append(path)
        for setting in ("cpuset.cpus", "cpuset.mems") if one == "cpuset" else ():
            with open(f"{path}/{setting}", "w", encoding="ascii") as f:
                f.write(_read(f"{GROUPS}/{one}/{setting}"))
    return made


def _remove(groups):
    for top in groups:
        for path, _, _ in os.walk(top, topdown=False):
            for _ in range(100):  # the kernel lets go of the dead a little later
                try:
                    os.rmdir(path)
                    break
                except OSError:
                    time.sleep(0.1)


def _read(path):
    try:
        with open(path, encoding="ascii") as f:
            return f.read().strip()
    except OSError:
        return None


def _mount(*words):
    subprocess.run(["mount", *words], check=True)

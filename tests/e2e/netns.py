"""Machines on a network of their own: network namespaces joined by a bridge that lies in one, too, so
that nothing of the machine beneath is touched; and the faults that are put between them. Root only."""
import contextlib
import ctypes
import os
import subprocess

import common

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000
TOOLS = ("ip", "nft", "tc")


def do(*command):
    done = subprocess.run([str(c) for c in command], capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stderr.decode().strip()}")


def enter(path):
    with open(path) as namespace:
        if LIBC.setns(namespace.fileno(), CLONE_NEWNET) != 0:
            raise OSError(ctypes.get_errno(), f"setns {path}")


class Network:
    """`names` are machines at 10.77.0.1, .2 ...; what runs inside(name) is on that machine."""

    def __init__(self, names):
        self.names, self.prefix = list(names), f"nines-{os.getpid():x}-"
        self.made = []

    def address(self, name):
        return f"10.77.0.{self.names.index(name) + 1}"

    def namespace(self, name):
        return self.prefix + name

    def __enter__(self):
        try:
            self.add("hub")
            self.within("hub", "ip", "link", "add", "br0", "type", "bridge", "forward_delay", "0")
            self.within("hub", "ip", "link", "set", "br0", "up")
            for n, name in enumerate(self.names):
                self.join(name, f"v{n}")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for name in reversed(self.made):
            subprocess.run(["ip", "netns", "del", self.namespace(name)], capture_output=True)
        self.made = []

    def add(self, name):
        do("ip", "netns", "add", self.namespace(name))
        self.made.append(name)
        self.within(name, "ip", "link", "set", "lo", "up")

    def join(self, name, plug):
        self.add(name)
        do("ip", "link", "add", "eth0", "netns", self.namespace(name), "type", "veth", "peer", "name",
           plug, "netns", self.namespace("hub"))
        self.within("hub", "ip", "link", "set", plug, "master", "br0", "up")
        self.within(name, "ip", "address", "add", f"{self.address(name)}/24", "dev", "eth0")
        self.within(name, "ip", "link", "set", "eth0", "up")
        self.within(name, "nft", "add table inet faults; add chain inet faults in "
                    "{ type filter hook input priority 0; }")

    def within(self, name, *command):
        do("ip", "netns", "exec", self.namespace(name), *command)

    @contextlib.contextmanager
    def inside(self, name):
        """This thread, and what it starts, is on that machine meanwhile."""
        home = f"/proc/self/task/{LIBC.gettid()}/ns/net"
        with open(home) as before:
            enter(f"/run/netns/{self.namespace(name)}")
            try:
                yield
            finally:
                if LIBC.setns(before.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns back")

    # --- faults
    def rule(self, name, text):
        self.within(name, "nft", f"add rule inet faults in iifname eth0 {text}")

    def drop(self, source, target):
        """What `source` sends is not heard by `target`, as if a cable were cut."""
        self.rule(target, f"ip saddr {self.address(source)} counter drop")

    def reset(self, source, target):
        """A firewall that answers for `target`."""
        self.rule(target, f"ip saddr {self.address(source)} meta l4proto tcp reject with tcp reset")

    def part(self, left, right, how=None):
        for a in left:
            for b in right:
                (how or self.drop)(a, b)
                (how or self.drop)(b, a)

    def lose(self, name, percent):
        """Of the packets that come to `name`."""
        self.rule(name, f"numgen random mod 100 < {percent} counter drop")

    def throttle(self, name, rate):
        """What `name` sends: bits a second, as tc has them (256kbit)."""
        self.within(name, "tc", "qdisc", "replace", "dev", "eth0", "root", "tbf", "rate", rate,
                    "burst", "16kb", "latency", "800ms")

    def heal(self):
        for name in self.names:
            self.within(name, "nft", "flush chain inet faults in")
            subprocess.run(["ip", "netns", "exec", self.namespace(name), "tc", "qdisc", "del", "dev",
                            "eth0", "root"], capture_output=True)


def need_namespaces():
    """Ends the test, and says so loudly, where namespaces or what faults are made with are missing."""
    why = "not root" if os.geteuid() != 0 else ", ".join(
        f"no {tool}" for tool in TOOLS if common.shutil.which(tool) is None)
    if not why:
        try:
            with Network(["a", "b"]) as network:
                network.drop("a", "b")
                network.lose("b", 30)
                network.reset("b", "a")
                network.throttle("a", "1mbit")
            return
        except (RuntimeError, OSError) as e:
            why = str(e)
    print("#" * 70 + f"\n##  NETWORK FAULTS SKIPPED: {why}\n"
          "##  Nothing is known about partitions and loss after this run.\n" + "#" * 70)
    common.skip("no network namespaces")

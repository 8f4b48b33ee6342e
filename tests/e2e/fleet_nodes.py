"""Agents that run beside each other on this machine, as several tests need them: a folder of its own
for each, with its configuration, state and log; certificates of nines pki; start, and an end that
leaves nothing behind and shows what they logged when something failed."""
import contextlib
import json
import os

import common


def pki(directory, *arguments):
    done = common.run(common.tool("NINES_BIN"), "pki", *arguments, "--dir", directory)
    assert done.returncode == 0, done


def issue(directory, names):
    """An authority of the cluster `shop`, and a certificate for each of its nodes."""
    pki(directory, "init", "--cluster", "shop")
    for name in names:
        pki(directory, "issue", name)


def peers_yaml(certificates, others, listen=None, more=""):
    """`peers:` of nines.yaml. `certificates`: folder of its own; `others`, `listen`: ports."""
    dialled = ", ".join(f"127.0.0.1:{port}" for port in others)
    heard = f"  listen: 127.0.0.1:{listen}\n" if listen else ""
    return (f"peers:\n  cluster: shop\n{heard}  nodes: [{dialled}]\n{more}"
            f"  ca_file: {certificates}/ca.crt\n  cert_file: {certificates}/node.crt\n"
            f"  key_file: {certificates}/node.key\n")


class Node:
    """One agent. Who inherits writes what it reads, and configures it."""

    def __init__(self, folder, name, called=None):
        self.name, self.called = name, called or name
        self.folder, self.port = f"{folder}/{self.called}", common.free_port()
        self.agent, self.writer = None, None
        os.makedirs(self.folder)

    def configure(self, text):
        """As `common.node_yaml`, under its own name."""
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(
            self.port, text).replace("node: test", f"node: {self.called}"))

    def environment(self):
        return {}

    def start(self):
        # The same relative paths everywhere: nodes count the same thing, each in its own log.
        self.agent = common.Agent(self.config, f"{self.folder}/state", self.port,
                                  log=f"{self.folder}/agent.log", cwd=self.folder,
                                  env=self.environment())

    def own_log(self):
        with open(f"{self.folder}/agent.log", errors="replace") as f:
            return f.read()

    def fleet(self):
        status, body = common.get(self.port, "/api/fleet")
        return json.loads(body) if status == 200 else {"nodes": [], "slos": []}

    def alive(self):
        return [n["node"] for n in self.fleet()["nodes"] if n["state"] == "alive"]


def hear_each_other(nodes, seconds=90, what="all hear all"):
    names = sorted(n.called for n in nodes)
    common.wait_until(lambda: all(n.alive() == names for n in nodes), seconds, what)


@contextlib.contextmanager
def running(checks, nodes, receiver=None):
    """Starts them, with those that write their logs; in the end none of it is left, nor of who
    received their pages."""
    try:
        for node in nodes:
            if node.writer is not None:
                node.writer.start()
            node.start()
        yield nodes
    finally:
        for node in nodes:
            if node.writer is not None:
                node.writer.ending.set()
            if node.agent is not None:
                node.agent.kill()
                if checks.failures:
                    print(f"--- {node.called}\n{node.own_log()[-2500:]}")
        if receiver is not None:
            receiver.shut()

#!/usr/bin/env python3
"""Roles of certificates, with agents over mutual TLS: an observer sees the fleet and is no part of it,
a leaf tells of itself only and may not ask queries, nodes are shown with the address where they can
be dialled, one that is denied by name is shut out by a reload, and no key is ever written down."""
import json
import os
import re
import signal
import socket
import ssl
import struct

import common
import fleet_nodes

ROLES = {"a": "node", "b": "node", "edge": "leaf", "laptop": "observer"}


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, ports):
        super().__init__(folder, name)
        common.write(f"{self.folder}/access.log", common.AccessLog.line(200))
        common.write(f"{self.folder}/slos/web.yaml", common.ratio_slo(
            "web", "paths: [access.log], format: nginx", "status < 500", "", "0.9", "1h"))
        self.pki, self.peers = f"{folder}/pki/{name}", ports
        self.deny("")

    def deny(self, names):
        others = [port for name, port in self.peers.items() if name != self.name]
        self.configure(fleet_nodes.peers_yaml(self.pki, others, self.peers.get(self.name),
                                              f"  deny: [{names}]\n"))

    def nodes(self):
        status, body = common.get(self.port, "/api/fleet")
        return {n["node"]: n for n in json.loads(body)["nodes"]} if status == 200 else {}

    def slos_of(self):
        return {name: node["slos"] for name, node in self.nodes().items()}


def ask(port, folder, certificate, opening):
    """What a node answers to the first message of a query connection: (kind, text)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_verify_locations(f"{folder}/pki/ca.crt")
    if certificate:
        context.load_cert_chain(f"{folder}/pki/{certificate}/node.crt",
                                f"{folder}/pki/{certificate}/node.key")
    context.set_alpn_protocols(["nines-query/1"])
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as raw:
            with context.wrap_socket(raw) as connection:
                connection.sendall(opening)
                header = connection.recv(8)
                if len(header) < 8:
                    return None, ""
                _, _, kind, size = struct.unpack(">4sBBH", header)
                return kind, connection.recv(size).decode()
    except OSError as error:
        return None, str(error)


def opening(kind, body):
    return b"NINQ" + struct.pack(">BBH", 1, kind, len(body)) + body


def check_view(checks, nodes, ports):
    a, edge, laptop = nodes["a"], nodes["edge"], nodes["laptop"]
    common.wait_until(lambda: a.slos_of() == {"a": 1, "b": 1, "edge": 1, "laptop": 0}, 90,
                      "a knows all, and nothing of what the laptop counts")
    common.wait_until(lambda: laptop.slos_of() == {"a": 1, "b": 1, "edge": 1, "laptop": 1}, 90,
                      "the laptop sees all")
    common.wait_until(lambda: edge.slos_of() == {"a": 0, "b": 0, "edge": 1}, 90,
                      "the leaf is told of nobody")
    seen = a.nodes()
    checks.equal({name: seen[name]["role"] for name in seen}, ROLES, "roles")
    checks.equal(seen["b"]["address"], f"127.0.0.1:{ports['b']}", "where b can be dialled")
    checks.equal([seen[n]["address"] for n in ("edge", "laptop")], ["", ""],
                 "who only connects has no address")
    shown = common.run(common.tool("NINES_BIN"), "fleet", "nodes", "--agent", f"127.0.0.1:{a.port}")
    text = shown.stdout.decode()
    checks.that("alive, leaf" in text and "alive, observer" in text, f"nines fleet nodes: {text}")


def check_queries(checks, folder, port):
    kind, why = ask(port, folder, "edge", opening(1, b"a"))
    checks.that(kind == 5 and "may not ask queries" in why, f"a leaf asks: {kind} {why}")
    kind, why = ask(port, folder, "", opening(1, b"a"))
    checks.that(kind is None and why, f"without a certificate: {kind} {why}")
    kind, why = ask(port, folder, "b", opening(2, b"t" * 16 + b"b"))
    checks.that(kind == 5 and "no such call" in why, f"a token nobody gave: {kind} {why}")
    kind, _ = ask(port, folder, "b", b"GET / HTTP/1.1\r\n\r\n")
    checks.equal(kind, None, "what is no query is hung up on")


def check_deny(checks, nodes):
    a, b = nodes["a"], nodes["b"]
    a.deny("b")
    a.agent.process.send_signal(signal.SIGHUP)
    common.wait_until(lambda: "b is refused: peers denies it" in a.own_log(), 60, "b is denied")
    common.wait_until(lambda: sorted(a.nodes()) == ["a", "edge", "laptop"], 60, "a is without b")
    common.wait_until(lambda: "this node denies b" in b.own_log(), 60, "b is told")
    checks.that(a.agent.alive(), "without a restart")


def check_secrets(checks, folder, nodes):
    told = "".join(node.own_log() for node in nodes.values())
    for node in nodes.values():
        for path in ("/api/fleet", "/metrics", "/api/slo"):
            told += common.get(node.port, path)[1].decode(errors="replace")
    secrets = []
    for name in ROLES:
        with open(f"{folder}/pki/{name}/node.key", encoding="ascii") as f:
            secrets += [line.strip() for line in f if "KEY" not in line]
    checks.that(len(secrets) >= 2 * len(ROLES), "keys were read")
    checks.that("PRIVATE KEY" not in told, "no PEM key is told")
    checks.equal([s for s in secrets if s[:24] in told], [], "no part of a key is told")
    warnings = re.findall(r"the key (\S+) has mode 0644", told)
    checks.equal(set(warnings), {f"{folder}/pki/b/node.key"}, "keys that others can read")


def main():
    checks = common.Checks()
    folder = common.scratch("roles")
    fleet_nodes.pki(f"{folder}/pki", "init", "--cluster", "shop")
    for name, role in ROLES.items():
        fleet_nodes.pki(f"{folder}/pki", "issue", name, "--role", role)
    os.chmod(f"{folder}/pki/b/node.key", 0o644)
    ports = {name: common.free_port() for name in ("a", "b")}
    nodes = {name: Node(folder, name, ports) for name in ROLES}
    with fleet_nodes.running(checks, nodes.values()):
        check_view(checks, nodes, ports)
        check_queries(checks, folder, ports["a"])
        check_secrets(checks, folder, nodes)
        check_deny(checks, nodes)
        _, metrics = common.get(nodes["b"].port, "/metrics")
        checks.that(b"nines_peer_beyond_role_total" in metrics, "/metrics counts what roles forbid")
    checks.finish()


if __name__ == "__main__":
    main()

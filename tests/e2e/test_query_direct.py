#!/usr/bin/env python3
"""`nines query --nodes` from a machine that has a certificate and no agent: the nodes under peers: of
its nines.yaml are asked from there. The answer is that of one query over all the files; who may not
ask is refused in words; who is missing is told and the exit code says so; how far each node is shows
on a terminal, and an interrupt reaches the nodes."""
import json
import os
import pty
import signal
import subprocess
import threading

import common
import fleet_nodes
from test_query_agents import COUNTS, ERRORS, alone, rows_of
from test_query_nodes import write_log

NODES = ["a", "b", "c"]
LONG = ("SELECT service, level, count(DISTINCT message) AS m, count(DISTINCT request_id) AS r, "
        "percentile(ms, 0.9) AS p FROM logs('app') GROUP BY service, level")


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, ports, called=None):
        super().__init__(folder, name, called)
        self.ports = ports
        self.log = f"{self.folder}/app.log"
        write_log(self.log, 3000 + 700 * NODES.index(name), NODES.index(name))
        others = [ports[n] for n in NODES if n != name]
        self.configure(f"sources: [{{name: app, paths: [\"{self.log}\"], format: json}}]\n" +
                       fleet_nodes.peers_yaml(f"{folder}/pki/{name}", others, ports[name]))

    def cpu_s(self):
        with open(f"/proc/{self.agent.process.pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Laptop:
    """No agent: a configuration with a certificate and where to find the nodes."""

    def __init__(self, folder, name, addresses, pki, deny=""):
        self.folder, self.port = f"{folder}/{name}", common.free_port()
        common.write(f"{self.folder}/nines.yaml", common.node_yaml(self.port, (
            f"peers:\n  cluster: shop\n  nodes: [{', '.join(addresses)}]\n  deny: [{deny}]\n"
            f"  ca_file: {pki}/ca.crt\n  cert_file: {pki}/node.crt\n  key_file: {pki}/node.key\n")))

    def command(self, sql, *options):
        return [common.tool("NINES_BIN"), "query", sql, *options, "--config",
                f"{self.folder}/nines.yaml", "-o", "json"]

    def ask(self, sql, *options):
        done = common.run(*self.command(sql, *options), timeout=120)
        return done.returncode, json.loads(done.stdout or b"{}"), done.stderr.decode()


def check_answers(checks, laptop, nodes):
    for sql in (COUNTS, ERRORS):
        code, answer, said = laptop.ask(sql.format("logs('app')"), "--nodes", "all")
        checks.equal((code, rows_of(answer)), (0, alone(sql, nodes)), f"{sql[:40]}: {said}")
        checks.equal(answer.get("nodes_ok"), NODES, "who answered")
        checks.that("no agent answers" in said, f"the way is told: {said}")
    code, answer, said = laptop.ask(COUNTS.format("logs('app')"), "--direct", "--nodes", "b,c")
    checks.equal((code, rows_of(answer), said), (0, alone(COUNTS, nodes[1:]), ""), "two of three")
    code, answer, said = laptop.ask(COUNTS.format("logs('app') AT NODES ('a')"), "--direct")
    checks.equal((code, rows_of(answer)), (0, alone(COUNTS, nodes[:1])), f"AT NODES: {said}")
    code, _, said = laptop.ask(COUNTS.format("logs('app')"), "--direct", "--nodes", "nobody")
    checks.that(code == 3 and "nobody" in said and "a, b, c" in said, f"an unknown node: {said}")
    code, _, said = laptop.ask(COUNTS.format("files('/etc/passwd')"), "--direct")
    checks.that(code != 0, f"files of other nodes are not read: {said}")


def check_rights(checks, folder, addresses, nodes):
    leaf = Laptop(folder, "gadget", addresses, f"{folder}/pki/gadget")
    code, answer, said = leaf.ask(COUNTS.format("logs('app')"), "--nodes", "all")
    checks.that(code == 3 and not rows_of(answer) and "role leaf may not ask" in said,
                f"a leaf does not ask: {code} {said}")
    stranger = Laptop(folder, "stranger", addresses, f"{folder}/foreign/stranger")
    code, answer, said = stranger.ask(COUNTS.format("logs('app')"), "--nodes", "all")
    checks.that(code == 3 and not rows_of(answer) and "TLS" in said,
                f"a certificate of another authority: {code} {said}")
    denying = Laptop(folder, "denying", addresses, f"{folder}/pki/laptop", deny="b")
    code, answer, said = denying.ask(COUNTS.format("logs('app')"), "--nodes", "all")
    checks.equal((code, answer.get("nodes_ok")), (0, ["a", "c"]), f"whom we deny is not asked: {said}")
    nobody = Laptop(folder, "alone", [], f"{folder}/pki/laptop")
    code, _, said = nobody.ask(COUNTS.format("logs('app')"), "--direct")
    checks.that(code == 2 and "names no peers" in said, f"nobody is known: {code} {said}")


def check_liar(checks, folder, ports):
    """A node that calls itself otherwise than its certificate does is not asked under that name."""
    liar = Node(folder, "b", {**ports, "b": common.free_port()}, "bank")
    port = liar.ports["b"]
    liar.start()
    try:
        common.wait_until(lambda: common.get(liar.port, "/healthz")[0] == 200, 60, "the liar is up")
        asking = Laptop(folder, "wary", [f"127.0.0.1:{port}"], f"{folder}/pki/laptop")
        code, answer, said = asking.ask(COUNTS.format("logs('app')"), "--nodes", "all")
        checks.that(code == 3 and not rows_of(answer) and
                    "it says it is node bank, its certificate is of b" in said, f"{code} {said}")
    finally:
        liar.agent.kill()


def check_missing(checks, laptop, nodes, ports):
    a, b, c = nodes
    b.agent.process.send_signal(signal.SIGSTOP)
    code, answer, said = laptop.ask(COUNTS.format("logs('app')"), "--direct")
    b.agent.process.send_signal(signal.SIGCONT)
    checks.equal((code, rows_of(answer)), (3, alone(COUNTS, [a, c])), f"a stopped node: {said}")
    checks.equal(answer.get("nodes_failed"), [f"127.0.0.1:{ports['b']}"], "who is missing")
    b.agent.kill()
    code, answer, said = laptop.ask(COUNTS.format("logs('app')"), "--direct")
    checks.equal((code, rows_of(answer), answer.get("complete")), (3, alone(COUNTS, [a, c]), False),
                 f"a killed node: {said}")
    code, answer, said = laptop.ask(COUNTS.format("logs('app')"), "--direct", "--nodes", "a,b")
    checks.equal((code, rows_of(answer), answer.get("nodes_failed")),
                 (3, alone(COUNTS, [a]), ["b"]), f"a killed node by its name: {said}")
    code, answer, said = laptop.ask(COUNTS.format("logs('app')"), "--direct", "--nodes", "a*")
    checks.equal((code, rows_of(answer), answer.get("nodes_failed")),
                 (3, alone(COUNTS, [a]), [f"127.0.0.1:{ports['b']}"]), "who is silent may be an a*")
    code, answer, said = laptop.ask(COUNTS.format("logs('app')"), "--direct", "--nodes", "a,c")
    checks.equal((code, rows_of(answer)), (0, alone(COUNTS, [a, c])), f"b was not asked for: {said}")
    code, answer, said = laptop.ask(COUNTS.format("logs('app')") + " WITH (partial='refuse')",
                                    "--direct")
    checks.that(code == 3 and not rows_of(answer), f"refused when not whole: {code} {said}")


def enlarge(log, megabytes):
    with open(log, "rb") as f:
        block = b"".join(f.readlines(2**20))
    with open(log, "ab") as f:
        for _ in range(megabytes * 2**20 // len(block)):
            f.write(block)


def quiet(node):
    """Until the agent does nothing on its own; its CPU seconds."""
    seen = []

    def still():  # within a second, from one look to the next
        seen.append(node.cpu_s())
        return len(seen) > 1 and seen[-1] - seen[-2] < 0.1
    common.wait_until(still, 120, f"{node.name} is quiet", poll=1)
    return node.cpu_s()


def full_run(checks, laptop, node):
    """CPU seconds of a whole LONG; its log grows until that takes long enough to be interrupted."""
    for _ in range(5):
        before = quiet(node)
        code, answer, said = laptop.ask(LONG, "--direct", "--nodes", node.name)
        took = node.cpu_s() - before
        # More than the deadline of a query at a node allows is as good.
        late = code == 3 and "deadline" in " ".join(answer.get("notes", [])) and took >= 0.4
        if took >= 1.5 or late:
            return took
        print(f"{os.path.getsize(node.log) >> 20} MiB: {code}, {took:.2f} s, {answer.get('notes')}")
        enlarge(node.log, 256)
    checks.that(False, f"a long query takes {took} s only: {said} {answer}")
    return took


def check_interrupt(checks, laptop, node):
    full = full_run(checks, laptop, node)
    before = quiet(node)
    ours, theirs = pty.openpty()
    seen, query = [], subprocess.Popen(laptop.command(LONG, "--direct"), stdout=subprocess.PIPE,
                                       stderr=theirs)
    os.close(theirs)

    def watch():
        try:
            while block := os.read(ours, 4096):
                seen.append(block)
        except OSError:
            pass
    watcher = threading.Thread(target=watch)
    watcher.start()
    common.wait_until(lambda: node.cpu_s() - before > 0.12 and b"c" in b"".join(seen), 60, "it runs")
    query.send_signal(signal.SIGINT)
    out, _ = query.communicate(timeout=60)
    watcher.join()
    os.close(ours)
    after = quiet(node) - before
    print(f"CPU of the node: {full:.2f} s whole, {after:.2f} s interrupted", flush=True)
    checks.that(query.returncode != 0, f"interrupted: {query.returncode} {out[:300]}")
    checks.that(after < full * 0.75, f"the node went on: {after} of {full} s")
    board = b"".join(seen).decode(errors="replace")
    checks.that(all(f"{name} " in board for name in ("a", "c")), f"a line for each node: {board[:500]}")


def main():
    checks = common.Checks()
    folder = common.scratch("query-direct")
    ports = {name: common.free_port() for name in NODES}
    fleet_nodes.pki(f"{folder}/pki", "init", "--cluster", "shop")
    fleet_nodes.pki(f"{folder}/foreign", "init", "--cluster", "shop")
    fleet_nodes.pki(f"{folder}/foreign", "issue", "stranger")
    for name, role in [*((n, "node") for n in NODES), ("laptop", "observer"), ("gadget", "leaf")]:
        fleet_nodes.pki(f"{folder}/pki", "issue", name, "--role", role)
    nodes = [Node(folder, name, ports) for name in NODES]
    addresses = [f"127.0.0.1:{ports[n]}" for n in NODES]
    laptop = Laptop(folder, "laptop", addresses, f"{folder}/pki/laptop")
    with fleet_nodes.running(checks, nodes):
        common.wait_until(lambda: all(common.get(n.port, "/readyz")[0] == 200 for n in nodes), 60,
                          "all are ready")
        check_answers(checks, laptop, nodes)
        check_rights(checks, folder, addresses, nodes)
        check_liar(checks, folder, ports)
        check_missing(checks, laptop, nodes, ports)
        check_interrupt(checks, laptop, nodes[2])
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""`nines query --nodes` over three agents that are peers with certificates; one of them only connects
outwards and is called back. The answer is that of one query over all the files; a node that is
killed or stopped is told by name and the exit code says so; all the same over the API."""
import json
import signal

import common
import fleet_nodes
from test_query_nodes import write_log

NODES = ["a", "b", "c"]
OUTWARDS = "c"  # listens nowhere
COUNTS = ("SELECT service, count(*) AS n, sum(ms) AS total, percentile(ms, 0.9) AS p90 FROM {} "
          "GROUP BY service ORDER BY service")
ERRORS = "SELECT request_id, ms FROM {} WHERE level = 'error' ORDER BY ms DESC, request_id LIMIT 20"


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, ports):
        super().__init__(folder, name)
        self.log = f"{self.folder}/app.log"
        write_log(self.log, 3000 + 700 * NODES.index(name), NODES.index(name))
        others = [ports[n] for n in NODES if n not in (name, OUTWARDS)]
        listen = ports[name] if name != OUTWARDS else None
        self.configure(f"sources: [{{name: app, paths: [\"{self.log}\"], format: json}}]\n" +
                       fleet_nodes.peers_yaml(f"{folder}/pki/{name}", others, listen))

    def ask(self, sql, nodes="all"):
        done = common.run(common.tool("NINES_BIN"), "query", sql, "--nodes", nodes, "--agent",
                          f"127.0.0.1:{self.port}", "--state", f"{self.folder}/state", "-o", "json",
                          timeout=60)
        return done.returncode, json.loads(done.stdout or b"{}"), done.stderr.decode()


def rows_of(answer):
    return answer.get("data")


def alone(sql, nodes):
    files = [n.log for n in nodes]
    done = common.run(common.tool("NINES_BIN"), "query", sql.format("logs('*')"), *files, "-o", "json")
    return rows_of(json.loads(done.stdout))


def check_all(checks, nodes):
    for node in nodes:
        for sql in (COUNTS, ERRORS):
            code, answer, said = node.ask(sql.format("logs('app')"))
            checks.equal(code, 0, f"{node.name}: {said}")
            checks.equal(rows_of(answer), alone(sql, nodes), f"{node.name}: {sql[:40]}")
            checks.equal(answer.get("nodes_ok"), NODES, f"{node.name}: who answered")
    code, answer, said = nodes[0].ask(COUNTS.format("logs('app')"), "b,c")
    checks.equal((code, rows_of(answer)), (0, alone(COUNTS, nodes[1:])), f"two of three: {said}")
    code, answer, said = nodes[0].ask("SELECT node, count(*) AS n FROM logs('app') GROUP BY node")
    checks.equal([row["node"] for row in rows_of(answer) or []], NODES,
                 f"rows say where they are from: {said}")
    code, _, said = nodes[0].ask(COUNTS.format("logs('app')"), "nobody")
    checks.that(code != 0 and "nobody" in said and "a, b, c" in said, f"an unknown node: {said}")
    code, _, said = nodes[0].ask(COUNTS.format("files('/etc/passwd')"))
    checks.that(code != 0, f"files of other nodes are not read: {said}")


def check_kept(checks, nodes):
    """Who was asked a moment ago is asked again over the same connection, called back or not."""
    def kept():
        text = common.get(nodes[0].port, "/metrics")[1].decode()
        return sum(float(line.split()[-1]) for line in text.splitlines()
                   if line.startswith("nines_peer_queries_kept_total"))

    def ask():
        code, answer, said = nodes[0].ask(COUNTS.format("logs('app')"))
        checks.equal((code, rows_of(answer)), (0, alone(COUNTS, nodes)), f"again: {said}")
        return kept()

    before = kept()
    common.wait_until(lambda: ask() >= before + 2 * (len(nodes) - 1), 60,
                      "the others are asked over connections of earlier queries")


def check_missing(checks, nodes):
    a, b, _ = nodes
    b.agent.process.send_signal(signal.SIGSTOP)
    code, answer, said = a.ask(COUNTS.format("logs('app')"))
    b.agent.process.send_signal(signal.SIGCONT)
    checks.equal(code, 3, f"a stopped node: {said}")
    checks.equal(answer.get("nodes_failed"), ["b"], "who is missing")
    checks.equal(rows_of(answer), alone(COUNTS, [nodes[0], nodes[2]]), "what the others said")
    b.agent.kill()
    code, answer, said = a.ask(COUNTS.format("logs('app')"))
    checks.equal((code, answer.get("nodes_failed"), answer.get("complete")), (3, ["b"], False),
                 f"a killed node: {said}")
    code, answer, said = a.ask(COUNTS.format("logs('app')") + " WITH (partial='refuse')")
    checks.that(code == 3 and "b" in said, f"refused when not whole: {code} {said}")


def main():
    checks = common.Checks()
    folder = common.scratch("query-agents")
    ports = {name: common.free_port() for name in NODES}
    fleet_nodes.issue(f"{folder}/pki", NODES)
    nodes = [Node(folder, name, ports) for name in NODES]
    with fleet_nodes.running(checks, nodes):
        fleet_nodes.hear_each_other(nodes)
        check_all(checks, nodes)
        check_kept(checks, nodes)
        check_missing(checks, nodes)
    checks.finish()


if __name__ == "__main__":
    main()

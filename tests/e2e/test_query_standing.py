#!/usr/bin/env python3
"""Standing queries of nines.yaml: every record is looked at once and every row is told once, through
rotation, restarts and kill -9; what cannot stand is refused at its place; reload; what is shown."""
import collections
import http.server
import json
import os
import signal
import threading
import time
import urllib.error
import urllib.request

import common

START = 1_772_323_200  # 2026-03-01T00:00:00Z


def line(n, **fields):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(START + n))
    return json.dumps({"ts": f"{stamp}Z", "n": n, **fields}) + "\n"


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


class Receiver:
    """A webhook. A message that comes again has the key it had before, and counts once."""

    def __init__(self, statuses=()):
        self.messages, self.keys, self.tries = [], set(), []
        statuses = collections.deque(statuses)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                key = self.headers["Idempotency-Key"]
                status = statuses.popleft() if statuses else 204
                outer.tries.append(key)
                if status < 300 and key not in outer.keys:
                    outer.keys.add(key)
                    outer.messages.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def rows(self, query):
        return [row for m in list(self.messages) if m["query"] == query for row in m["rows"]]


class Node:
    """A nines.yaml with one source `app`, and its agent."""

    def __init__(self, folder, hooks, queries):
        self.folder, self.port, self.log = folder, common.free_port(), f"{folder}/app.log"
        self.hooks, self.said = hooks, f"{folder}/agent.log"
        common.write(self.log, "")
        self.configure(queries)

    def configure(self, queries):
        hooks = "".join(f"  - {{name: {name}, url: \"{hook.url}\"}}\n" for name, hook in self.hooks.items())
        text = f"sources:\n  - {{name: app, paths: [\"{self.log}\"]}}\n"
        if hooks:
            text += f"webhooks:\n{hooks}"
        self.config = common.write(f"{self.folder}/nines.yaml",
                                   common.node_yaml(self.port, f"{text}queries:\n{queries}"))

    def agent(self):
        return common.Agent(self.config, f"{self.folder}/state", self.port, log=self.said)

    def queries(self):
        status, body = common.get(self.port, "/api/queries")
        return {q["name"]: q for q in json.loads(body)} if status == 200 else {}

    def post(self, body):
        with open(f"{self.folder}/state/api.token") as f:
            token = f.read().strip()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/query", method="POST", data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def wait_for_run(self, name):
        """Until a run that began after now is over."""
        common.wait_until(lambda: name in self.queries(), 20, "the agent")
        before = self.queries()[name]["runs"]
        common.wait_until(lambda: self.queries().get(name, {}).get("runs", 0) >= before + 2, 30,
                          f"a run of {name}")

    def hang_up(self, agent, word):
        def said():
            with open(self.said) as f:
                return f.read().count(word)
        before = said()
        agent.process.send_signal(signal.SIGHUP)
        common.wait_until(lambda: said() > before, 30, f"{word!r} in the log")


def told_once(checks, folder):
    ops, other = Receiver(statuses=[503, 503]), Receiver()
    node = Node(folder, {"ops": ops, "other": other}, """
  - name: failures
    sql: "SELECT n, message FROM logs('app') WHERE message LIKE '%failed%'"
    every: 1s
    notify: [ops]
    severity: page
  - name: by-user
    sql: "SELECT user, count(*) AS n FROM logs('app') WHERE user IS NOT NULL GROUP BY user HAVING n >= 3"
    every: 1s
    notify: other
""")
    append(node.log, line(0, message="login failed, long ago"))
    with node.agent():
        node.wait_for_run("failures")
        append(node.log, line(1, message="login failed") + line(2, message="fine"))
        common.wait_until(lambda: ops.messages, 30, "the third try")
        checks.equal(len(set(ops.tries[:3])), 1, "the same message again until it is taken")
        first = ops.messages[0]
        checks.equal((first["kind"], first["severity"], first["omitted"], first["rows"]),
                     ("rows", "page", 0, [{"n": 1, "message": "login failed"}]), "a message")
        checks.that("failures: 1 row" in first["summary"] and first["since"] < first["at"],
                    f"when it looked: {first}")
        append(node.log, "".join(line(10 + i, user="eve" if i < 3 else "bob") for i in range(4)))
        common.wait_until(lambda: other.messages, 30, "a group")
        checks.equal(other.rows("by-user"), [{"user": "eve", "n": 3}], "HAVING over one run")
        os.rename(node.log, node.log + ".1")
        append(node.log + ".1", line(20, message="failed as it was rotated"))
        common.write(node.log, line(21, message="failed in the new file"))
        common.wait_until(lambda: len(ops.rows("failures")) >= 3, 30, "rows of both generations")
        shown = node.queries()["failures"]
        status, metrics = common.get(node.port, "/metrics")
        rows = sum(m.startswith("nines_query_rows_total{query=\"failures\"} ")
                   and int(float(m.split()[-1])) for m in metrics.decode().splitlines())
        checks.equal((rows, shown["error"], shown["lag_bytes"]), (3, None, 0), "what is shown")
        for name in ["runs_total", "errors_total", "lag_bytes", "last_duration_seconds",
                     "last_run_timestamp_seconds"]:
            checks.that(f"nines_query_{name}{{query=\"by-user\"}}".encode() in metrics, name)
    checks.equal(sorted(r["n"] for r in ops.rows("failures")), [1, 20, 21], "each row once")
    checks.equal({m["query"] for m in ops.messages}, {"failures"}, "told to whom it should be")
    checks.equal({m["query"] for m in other.messages}, {"by-user"}, "and to nobody else")


def through_kills(checks, folder):
    hook = Receiver()
    node = Node(folder, {"ops": hook}, """
  - {name: every, sql: "SELECT n FROM logs('app') WHERE n % 2 = 0", every: 1s, limit: 1000}
""")
    with node.agent():
        node.wait_for_run("every")
    n = 0
    for life in range(6):
        with node.agent() as agent:
            ending = threading.Event()

            def write():
                nonlocal n
                while not ending.is_set():
                    append(node.log, line(n))
                    n += 1
                    ending.wait(0.005)

            writer = threading.Thread(target=write)
            writer.start()
            before = len(hook.messages)
            common.wait_until(lambda: len(hook.messages) > before + life % 2, 30, "messages")
            if life == 3:  # rotated, and killed before anybody can have looked
                os.rename(node.log, node.log + ".1")
            agent.kill()
            ending.set()
            writer.join()
        append(node.log, line(n))  # nobody is there
        n += 1
    with node.agent() as agent:
        wanted = list(range(0, n, 2))
        common.wait_until(lambda: len(hook.rows("every")) >= len(wanted), 30,
                          f"{len(wanted)} rows, {len(hook.rows('every'))} came")
        node.wait_for_run("every")
        agent.process.terminate()
        checks.equal(agent.process.wait(20), 0, "a clean end")
    checks.equal(sorted(r["n"] for r in hook.rows("every")), wanted, "each row once through kill -9")


def sequences(checks, folder):
    """What is open at the end of a run goes on with the next one."""
    hook = Receiver()
    node = Node(folder, {"ops": hook}, """
  - name: paid-twice
    every: 1s
    sql: >
      SELECT request_id FROM logs('app')
      SEQUENCE BY request_id WITHIN '1m' (a: message = 'paid', b: message = 'paid')
""")
    with node.agent():
        node.wait_for_run("paid-twice")
        append(node.log, line(1, request_id="r1", message="paid"))
        node.wait_for_run("paid-twice")
        append(node.log, line(2, request_id="r2", message="paid"))
        node.wait_for_run("paid-twice")
        append(node.log, line(3, request_id="r1", message="paid"))
        common.wait_until(lambda: hook.messages, 30, "a match over several runs")
    checks.equal(hook.rows("paid-twice"), [{"request_id": "r1"}], "the match, once")


def limits(checks, folder):
    hook = Receiver()
    node = Node(folder, {"ops": hook}, """
  - {name: few, sql: "SELECT n FROM logs('app')", every: 1s, limit: 5, start: beginning}
  - {name: top, sql: "SELECT n FROM logs('app') ORDER BY n DESC LIMIT 2", every: 1s, start: beginning}
  - {name: large, sql: "SELECT n, blob FROM logs('app') WHERE blob IS NOT NULL", every: 1s, start: beginning}
""")
    append(node.log, "".join(line(i) for i in range(20)) +
           "".join(line(i, blob="x" * 10_000) for i in range(20, 30)))
    with node.agent():
        common.wait_until(lambda: len(hook.messages) >= 3, 30, "three messages")
        append(node.log, line(30))
        common.wait_until(lambda: len(hook.messages) >= 5, 30, "two more")
        checks.equal(node.queries()["few"]["omitted"], 25, "what was left out is shown")
    by = {m["query"]: m for m in reversed(hook.messages)}
    checks.equal(([r["n"] for r in by["few"]["rows"]], by["few"]["omitted"]), ([0, 1, 2, 3, 4], 25),
                 "the first rows, and how many more there were")
    checks.equal([r["n"] for r in hook.rows("top")], [29, 28, 30], "ORDER BY and LIMIT are of a run")
    checks.equal(([r["n"] for r in by["large"]["rows"]], by["large"]["omitted"]), ([20, 21, 22], 7),
                 "a message has a largest size")


def refusals(checks, folder):
    hook = Receiver()
    node = Node(folder, {"ops": hook}, "")

    def lint():
        done = common.run(common.tool("NINES_BIN"), "slo", "lint", "--config", node.config)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    cases = [  # query, line within it, column, words
        ("  - name: x\n    sql: \"SELECT cuont(*) FROM logs('app')\"\n", 2, 18,
         "unknown function 'cuont'; did you mean 'count'?\n  SELECT cuont(*) FROM logs('app')\n         ^"),
        ("  - name: x\n    sql: |\n      SELECT n FROM logs('app')\n      WHERE (n > 5\n", 4, 13,
         "this '(' is never closed"),
        ("  - name: x\n    sql: SELECT n FROM logs('ap')\n", 2, 29, "did you mean 'app'?"),
        ("  - name: x\n    sql: SELECT n FROM logs('app')\n    notify: [oops]\n", 3, 14,
         "did you mean 'ops'?"),
        ("  - name: x\n    sql: SELECT n FROM logs('app')\n    evry: 5s\n", 3, 5, "did you mean 'every'?"),
        ("  - name: x\n    sql: SELECT n FROM logs('app')\n    every: 100ms\n", 3, 12, "1s..1d"),
        ("  - name: x\n    sql: SELECT n FROM logs('app') SINCE '-1h'\n", 2, 10, "stand still"),
        ("  - name: x\n    sql: \"SELECT n FROM logs('app') WHERE ts > now()\"\n", 2, 11, "stand still"),
        ("  - name: x\n    sql: \"SELECT a.n FROM logs('app') a JOIN logs('app') b ON a.n = b.n\"\n", 2,
         11, "cannot have joins"),
        ("  - name: x\n    sql: \"@nosuch\"\n", 2, 11, "no query is saved as 'nosuch'"),
        ("  - name: a/b\n    sql: SELECT n FROM logs('app')\n", 1, 11, "cannot name a query"),
        ("  - name: x\n", 1, 5, "sql"),
    ]
    for text, row, column, words in cases:
        node.configure(text)
        base = open(node.config).read().split("queries:\n")[0].count("\n") + 1
        code, said = lint()
        checks.equal(code, 2, f"{text} is refused ({said})")
        checks.that(f"{node.config}:{base + row}:{column}: error: " in said and words in said,
                    f"{text}: {base + row}:{column} {words!r} in {said}")
    saved = common.write(f"{folder}/queries/wrong.sql", "SELECT n\nFROM logs('app') WHERE )\n")
    node.configure("  - {name: x, sql: \"@wrong\"}\n")
    code, said = lint()
    checks.that(code == 2 and f"{saved}:2:24: error: " in said, f"a saved query that is wrong: {said}")
    node.configure("  - {name: x, sql: \"SELECT n FROM logs('app')\"}\n")
    checks.equal(lint()[0], 0, "one that is right")


def reload(checks, folder):
    hook = Receiver()
    one = "  - {name: one, sql: \"SELECT n FROM logs('app') WHERE n % 2 = 1\", every: 1s}\n"
    node = Node(folder, {"ops": hook}, one)
    with node.agent() as agent:
        node.wait_for_run("one")
        append(node.log, line(1))
        common.wait_until(lambda: hook.rows("one"), 30, "a row")
        node.configure(one.replace("n % 2", "n %% 2"))
        node.hang_up(agent, "not reloaded")
        append(node.log, line(2) + line(3))
        common.wait_until(lambda: len(hook.rows("one")) >= 2, 30, "the running query stays")
        common.write(f"{folder}/queries/even.sql", "SELECT n, n * 2 AS twice FROM logs('app') WHERE n % 2 = 0\n")
        node.configure(one.replace("SELECT n ", "SELECT n, 'new' AS v ") +
                       "  - {name: even, sql: \"@even\", every: 1s}\n")
        node.hang_up(agent, "reloading")
        node.wait_for_run("even")
        append(node.log, line(4) + line(5))
        common.wait_until(lambda: len(hook.rows("one")) >= 3 and hook.rows("even"), 30, "both")
        common.wait_until(lambda: set(node.queries()) == {"one", "even"}, 30, "the list")
        ask = lambda sql: common.run(common.tool("NINES_BIN"), "query", sql, "-o", "csv", "--config",
                                     node.config, "--state", f"{folder}/state", env={"HOME": folder})
        checks.equal(ask("@one").stdout.split(), [b"n,v", b"1,new", b"3,new", b"5,new"],
                     "nines query @NAME asks the agent the same, of all that is there")
        checks.equal(ask("@even").stdout.split(), [b"n,twice", b"2,4", b"4,8"], "saved beside nines.yaml")
        status, body = node.post({"sql": "@even", "output": "csv"})
        checks.equal((status, body.split()), (200, [b"n,twice", b"2,4", b"4,8"]), "by name over HTTP")
        status, body = node.post({"sql": "@on"})
        checks.that(status == 404 and b"one, even" in body, f"names there are: {body}")
        done = ask("@on")
        checks.that(done.returncode == 2 and b"one" in done.stderr and b"even" in done.stderr,
                    f"names there are: {done.stderr}")
        listed = common.run(common.tool("NINES_BIN"), "query", "--list", "-o", "json", "--config",
                            node.config, env={"HOME": folder})
        checks.equal([r["name"] for r in json.loads(listed.stdout)["data"]], ["even", "one"], "--list")
        # Without the query its place is forgotten: it begins anew.
        node.configure("  - {name: other, sql: \"SELECT n FROM logs('app')\", every: 1s}\n")
        node.hang_up(agent, "reloading")
        node.wait_for_run("other")
        append(node.log, line(7))
        common.wait_until(lambda: hook.rows("other"), 30, "the other one")
        node.configure(one)
        node.hang_up(agent, "reloading")
        node.wait_for_run("one")
        append(node.log, line(9))
        common.wait_until(lambda: len(hook.rows("one")) >= 4, 30, "once more")
    checks.equal([(r["n"], r.get("v")) for r in hook.rows("one")],
                 [(1, None), (3, None), (5, "new"), (9, None)], "each row once, by the query of its time")
    checks.equal(hook.rows("even"), [{"n": 4, "twice": 8}], "a new query looks at what comes")
    checks.equal(hook.rows("other"), [{"n": 7}], "the last one")


def main():
    checks, folder = common.Checks(), common.scratch("query-standing")
    for part in [told_once, through_kills, sequences, limits, refusals, reload]:
        os.makedirs(f"{folder}/{part.__name__}")
        part(checks, f"{folder}/{part.__name__}")
    checks.finish()


if __name__ == "__main__":
    main()

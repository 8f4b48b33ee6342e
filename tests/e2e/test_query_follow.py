#!/usr/bin/env python3
"""`nines query` that stands, is interrupted, explains what it did, is saved and completed."""
import collections
import http.server
import json
import os
import signal
import subprocess
import threading
import time

import common

START = 1_772_323_200  # 2026-03-01T00:00:00Z


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"


def line(ms, **fields):
    return json.dumps({"ts": stamp(ms), **fields}) + "\n"


class Standing:
    """A `nines query --follow -o ndjson`; rows as they come."""

    def __init__(self, sql, *files, options=()):
        self.process = subprocess.Popen(
            [common.tool("NINES_BIN"), "query", "--follow", "-o", "ndjson", *options, sql, *files],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.rows, self.answer = [], None
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for text in self.process.stdout:
            row = json.loads(text)
            if "_answer" in row:
                self.answer = row["_answer"]
            else:
                self.rows.append(row)

    def wait(self, count, what):
        common.wait_until(lambda: len(self.rows) >= count, 20, f"{what} ({self.rows})")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        self.process.wait(10)
        self.reader.join(10)
        return self.process.returncode


def append(path, text):
    with open(path, "a") as f:
        f.write(text)


def rows_as_they_come(checks, folder):
    log = f"{folder}/rows.log"
    common.write(log, "".join(line(START * 1000 + i, n=i, level="error" if i % 2 else "info")
                              for i in range(6)))
    q = Standing("SELECT n, message WHERE level = 'ERROR'", log)
    q.wait(3, "what is there")
    append(log, line(START * 1000 + 7, n=7, level="error", message="late \"one\""))
    q.wait(4, "what is appended")
    os.rename(log, log + ".1")
    append(log + ".1", line(START * 1000 + 9, n=9, level="error"))
    common.write(log, line(START * 1000 + 11, n=11, level="error"))
    q.wait(6, "what both generations hold")
    checks.equal(q.stop(), 0, "an interrupt is the end of a standing query")
    checks.equal(sorted(r["n"] for r in q.rows), [1, 3, 5, 7, 9, 11], "each record once")
    checks.equal(q.rows[3]["message"], "late \"one\"", "fields of a row")
    checks.equal((q.answer["complete"], q.answer["rows"]), (True, 6), "its answer")

    q = Standing("SELECT n", log, options=["--from", "end"])
    common.wait_until(lambda: os.path.exists(f"/proc/{q.process.pid}/fd") and any(
        os.readlink(f"/proc/{q.process.pid}/fd/{fd}").endswith("rows.log")
        for fd in os.listdir(f"/proc/{q.process.pid}/fd")), 20, "the file is open")
    append(log, line(START * 1000 + 13, n=13))
    q.wait(1, "what is appended")
    q.stop()
    checks.equal([r["n"] for r in q.rows], [13], "--from end passes over what is there")

    q = Standing("SELECT n LIMIT 2", f"{folder}/rows.log*")
    q.process.wait(20)
    checks.equal((q.stop(), len(q.rows)), (0, 2), "LIMIT ends it")

    q = Standing("SELECT ms WHERE ms > 5 AND message IS NOT NULL", f"{folder}/new*.log",
                 options=["--format", "json"])
    q.stop()
    q = Standing("SELECT ms FROM logs('*') EXTRACT message PATTERN 'took <ms:num> ms' WHERE ms > 5",
                 f"{folder}/new*.log")
    common.write(f"{folder}/new1.log", line(1, message="took 3 ms") + line(2, message="took 8 ms"))
    q.wait(1, "a file that is new")
    q.stop()
    checks.equal([r["ms"] for r in q.rows], [8], "EXTRACT and WHERE as in scans")

    q = Standing("SELECT n, ctx_offset FROM logs('*') WHERE n = 3 CONTEXT 1 BEFORE 1 AFTER",
                 f"{folder}/rows.log.1")
    q.wait(3, "context")
    q.stop()
    checks.equal([[r["n"], r["ctx_offset"]] for r in q.rows], [[2, -1], [3, 0], [4, 1]], "CONTEXT")


def buckets(checks, folder):
    """Two files whose records interleave in time; the answer of the closed buckets is that of a
    query over everything."""
    logs = [f"{folder}/b0.log", f"{folder}/b1.log"]
    texts = ["", ""]
    for i in range(5000):
        texts[i % 2] += line(START * 1000 + i * 37, n=i, service=f"s{i % 3}")
    for path, text in zip(logs, texts):
        common.write(path, text)
    sql = "SELECT bucket(ts, '10s') AS b, service, count(*) AS c, sum(n) AS s GROUP BY b, service ORDER BY c DESC, service"
    whole = json.loads(common.run(common.tool("NINES_BIN"), "query", "-o", "json", sql, *logs).stdout)
    newest = START * 1000 + 4999 * 37
    closed = [r for r in whole["data"] if r["b"] < stamp((newest - 2000) // 10000 * 10000)[:19]]
    q = Standing(sql, *logs)
    q.wait(len(closed), "buckets that are over")
    key = lambda r: (r["b"], r["service"])
    checks.equal(sorted(q.rows, key=key), sorted(closed, key=key), "closed buckets, exactly")
    checks.equal([r["b"] for r in q.rows], sorted(r["b"] for r in q.rows), "bucket after bucket")
    # WHERE chooses nothing of it, and yet time goes on.
    append(logs[0], line(newest + 20_000, service="s0"))
    rest = sorted((r for r in whole["data"] if r not in closed), key=key)
    q.wait(len(whole["data"]), "the next bucket")
    checks.equal(sorted(q.rows[len(closed):], key=key), rest, "the buckets before the new record")
    # Late; what follows it in its file closes the bucket of the record before.
    append(logs[1], line(START * 1000, service="s0") + line(newest + 40_000, service="s0"))
    q.wait(len(whole["data"]) + 1, "the bucket after a late record")
    q.stop()
    checks.equal(len(q.rows), len(whole["data"]) + 1, "a late record changes no bucket that was told")
    checks.equal((q.answer["late"], q.answer["complete"]), (1, True), "and is counted")

    q = Standing("SELECT bucket(ts, '1s') AS b, count(*) AS c WHERE n = 5 GROUP BY b", logs[0])
    q.stop()


def events(checks, folder):
    log = f"{folder}/events.log"
    ms = START * 1000
    common.write(log, line(ms, request_id="a", message="paid") + line(ms + 500, request_id="b", message="paid") +
                 line(ms + 1000, request_id="a", message="invoiced"))
    q = Standing("SELECT * FROM logs('*') SEQUENCE BY request_id WITHIN '5s' "
                 "(p: message = 'paid', i: message = 'invoiced')", log)
    s = Standing("SELECT request_id, n, state FROM logs('*') WHERE request_id IS NOT NULL "
                 "SESSION BY request_id IDLE '2s'", log)
    append(log, line(ms + 60_000, message="nobody's"))
    q.wait(1, "a match")
    s.wait(2, "sessions that are over, although WHERE passes over what tells")
    q.stop()
    s.stop()
    checks.equal([(r["request_id"], r["state"]) for r in q.rows], [("a", "matched")], "SEQUENCE")
    checks.equal(sorted((r["request_id"], r["n"], r["state"]) for r in s.rows),
                 [("a", 2, "closed"), ("b", 1, "closed")], "SESSION")


def refusals(checks, folder):
    log = common.write(f"{folder}/r.log", line(1, n=1))
    for sql, words in [("SELECT count(*)", "bucket(ts, '1m')"),
                       ("SELECT n ORDER BY n", "ORDER BY"),
                       ("SELECT bucket(ts,'1m') b, count(*) GROUP BY b LIMIT 3", "HAVING"),
                       ("WITH x AS (SELECT n FROM logs('*')) SELECT * FROM x JOIN x y ON 1", "joins"),
                       ("EXPLAIN ANALYZE SELECT n", "leave --follow out")]:
        done = common.run(common.tool("NINES_BIN"), "query", "--follow", sql, log, timeout=20)
        checks.equal(done.returncode, 2, f"{sql} is refused")
        checks.that(words in done.stderr.decode(), f"{sql}: {done.stderr.decode()}")
    done = common.run(common.tool("NINES_BIN"), "query", "--follow", "SELECT n FROM logs('x')", timeout=20)
    checks.equal(done.returncode, 2, "logs of the agent cannot be followed")


def interrupts(checks, folder):
    """A pipe that never ends, and a pipe that says nothing."""
    nines = common.tool("NINES_BIN")
    read, write = os.pipe()
    going = threading.Event()

    def feed():
        i = 0
        try:
            while not going.is_set():
                os.write(write, line(START * 1000 + i, n=i).encode())
                i += 1
        except BrokenPipeError:
            pass
        os.close(write)

    feeder = threading.Thread(target=feed)
    feeder.start()
    q = subprocess.Popen([nines, "query", "-o", "json", "--threads", "2", "SELECT count(*) AS c", "-"],
                         stdin=read, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    os.close(read)
    common.wait_until(lambda: rchar(q.pid) > 300_000, 30, "the query reads")
    at = time.monotonic()
    q.send_signal(signal.SIGINT)
    out, _ = q.communicate(timeout=20)
    took = time.monotonic() - at
    going.set()
    feeder.join(10)
    answer = json.loads(out)
    checks.that(took < 1, f"an interrupt ends within a second: {took}")
    checks.equal((q.returncode, answer["complete"]), (3, False), "what is there so far, and the truth")
    checks.that(answer["data"][0]["c"] > 1000, f"rows before the interrupt: {answer}")

    for sql in ["SELECT count(*) WITH (deadline='300ms')",
                "SELECT a.n FROM logs('*') a JOIN logs('*') b ON a.n = b.n WITH (deadline='300ms')"]:
        at = time.monotonic()
        q = subprocess.Popen([nines, "query", "-o", "json", sql, "-"], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        q.wait(20)
        took = time.monotonic() - at
        answer = json.loads(q.stdout.read())
        q.stdin.close()
        checks.that(took < 2, f"the deadline ends a wait for a silent pipe: {took}")
        checks.equal((q.returncode, answer["complete"]), (3, False), "an answer cut by its deadline")
        checks.that("deadline" in answer["notes"][-1], f"says so: {answer['notes']}")
    q = subprocess.Popen([nines, "query", "SELECT 1 AS one, count(*) "
                          "WITH (deadline='300ms', partial='refuse')", "-"],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    q.wait(20)
    checks.equal((q.returncode, q.stdout.read()), (3, b""), "partial='refuse' shows nothing of it")
    checks.that(b"refuses partial" in q.stderr.read(), "and says why")


def rchar(pid):
    try:
        with open(f"/proc/{pid}/io") as f:
            return int(f.readline().split()[1])
    except OSError:
        return 0


def analyze(checks, folder):
    log = common.write(f"{folder}/a.log", "".join(
        line((START + i * 60) * 1000, n=i, service=f"s{i % 5}") for i in range(20_000)))
    sql = (f"EXPLAIN ANALYZE SELECT service, count(*) SINCE '{stamp((START + 600_000) * 1000)}' "
           "WHERE n % 2 = 0 GROUP BY service")
    done = common.run(common.tool("NINES_BIN"), "query", "-o", "json", sql, log)
    answer = json.loads(done.stdout)
    did = answer["inputs"][0]
    checks.equal((did["rows"], did["files"], did["evicted"]), (5, 1, 0), "what an input did")
    size = os.path.getsize(log)
    checks.equal(did["bytes_scanned"] + did["bytes_skipped"], size, "all bytes are accounted for")
    checks.that(did["bytes_skipped"] > size // 3, f"SINCE skips: {did}")
    checks.that(10_000 <= did["records"] < 15_000, f"records looked at: {did}")
    checks.that(any("group by service" in text for text in answer["plan"]), "the plan")
    checks.equal(answer["answer"]["rows"], 5, "the answer")
    text = common.run(common.tool("NINES_BIN"), "query", sql, log).stdout.decode()
    checks.that("  = " in text and "5 rows out" in text and "skipped" in text, f"for people: {text}")


class Receiver:
    """A webhook that answers as it is told."""

    def __init__(self, statuses):
        self.bodies, self.keys, statuses = [], [], collections.deque(statuses)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                status = statuses.popleft() if statuses else 204
                outer.keys.append(self.headers["Idempotency-Key"])
                outer.bodies.append((status, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def notifications(checks, folder):
    log = common.write(f"{folder}/n.log", "".join(line(i, n=i) for i in range(3)))
    hook = Receiver([503])
    q = Standing("SELECT n", log, options=["--notify", hook.url])
    common.wait_until(lambda: len(hook.bodies) >= 2, 20, "a second try")
    append(log, line(9, n=9))
    common.wait_until(lambda: len(hook.bodies) >= 3, 20, "another batch")
    checks.equal(q.stop(), 0, "all rows were told")
    told = [row["n"] for status, body in hook.bodies if status < 300 for row in body["rows"]]
    checks.equal(told, [0, 1, 2, 9], "each row once")
    checks.equal(hook.keys[0], hook.keys[1], "a repeat has the key of the first try")
    checks.that(hook.keys[2] != hook.keys[1], "another batch another key")
    checks.equal((hook.bodies[0][1]["query"], hook.bodies[0][1]["lost"]), ("SELECT n", 0), "body")
    hook = Receiver([400] * 20)
    q = Standing("SELECT n", log, options=["--notify", hook.url])
    common.wait_until(lambda: hook.bodies, 20, "a request")
    checks.equal(q.stop(), 3, "rows that nobody took are told")
    checks.that("not told" in q.answer["notes"][-1], f"by number: {q.answer['notes']}")
    done = common.run(common.tool("NINES_BIN"), "query", "--follow", "--notify", "ftp://x", "SELECT n", log)
    checks.equal(done.returncode, 2, "no URL")


def saved(checks, folder):
    log = common.write(f"{folder}/s.log", line(1, n=1, level="error") + line(2, n=2))
    env = {"XDG_CONFIG_HOME": f"{folder}/config"}
    run = lambda *arguments: common.run(common.tool("NINES_BIN"), "query", *arguments, env=env)
    checks.equal(run("--save", "errs", "SELECT n WHERE level = 'error'").returncode, 0, "saved")
    checks.equal(run("-o", "csv", "@errs", log).stdout, b"n\r\n1\r\n", "a saved query runs")
    checks.equal([r["name"] for r in json.loads(run("--list", "-o", "json").stdout)["data"]],
                 ["errs"], "the list")
    checks.equal(run("--save", "../x", "SELECT n").returncode, 2, "names stay in their folder")
    checks.equal(run("--save", "bad", "SELECT n WHERE (").returncode, 2, "no statement, not saved")
    done = run("@err", log)
    checks.equal(done.returncode, 2, "an unknown name")
    checks.that(b"errs" in done.stderr, f"names those there are: {done.stderr}")


def completion(checks, folder):
    log = common.write(f"{folder}/c.log", line(1, customer_id=7, level="error", **{"odd name": 1}))
    names = common.run(common.tool("NINES_BIN"), "query", "--complete-fields", log).stdout.decode()
    checks.that({"customer_id", "\"odd name\"", "ts", "raw"} <= set(names.splitlines()), names)
    script = f"{common.REPO}/packaging/completion/nines.bash"
    bin_folder = os.path.dirname(common.tool("NINES_BIN"))

    def complete(*words):
        """What bash offers behind these words."""
        text = "\n".join([
            f"PATH={bin_folder}:$PATH", f"source {script}",
            "COMP_WORDS=(" + " ".join("'" + w.replace("'", "'\\''") + "'" for w in words) + ")",
            f"COMP_CWORD={len(words) - 1}", "_nines nines 2>/dev/null",
            "printf '%s\\n' \"${COMPREPLY[@]}\""])
        done = common.run("bash", "--norc", "-c", text, cwd=folder)
        return done.stdout.decode().splitlines()

    checks.that({"agent", "query", "tail", "slo"} <= set(complete("nines", "")), "commands")
    checks.equal(complete("nines", "que"), ["query"], "a command")
    checks.that({"--follow", "--format"} <= set(complete("nines", "query", "--fo")), "options")
    checks.that("status" in complete("nines", "slo", "st"), "a command of a command")
    checks.that("ndjson" in complete("nines", "query", "-o", ""), "values of an option")
    checks.equal(complete("nines", "query", "SELECT n", log[:-2]), [log], "a file behind a statement")
    checks.equal(complete("nines", "query", log, "'SELECT cust"), ["SELECT customer_id"], "a field of a file on the line")
    checks.equal(complete("nines", "query", f"\"SELECT level, cust FROM files('{log}') WHERE cust"),
                 [f"SELECT level, cust FROM files('{log}') WHERE customer_id"], "of FROM files()")
    checks.equal(complete("nines", "query", "'SELECT n WHERE lev"), ["SELECT n WHERE level"],
                 "fields of every format")


def main():
    checks, folder = common.Checks(), common.scratch("query-follow")
    for part in [rows_as_they_come, buckets, events, refusals, interrupts, analyze, notifications,
                 saved, completion]:
        os.makedirs(f"{folder}/{part.__name__}")
        part(checks, f"{folder}/{part.__name__}")
    checks.finish()


if __name__ == "__main__":
    main()

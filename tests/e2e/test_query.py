#!/usr/bin/env python3
"""`nines query` over real files against an independent recount in Python."""
import collections
import csv
import gzip
import io
import json
import math
import os
import random
import shutil
import subprocess
import time
import urllib.request

import common

START = 1_772_323_200  # 2026-03-01T00:00:00Z
SERVICES = ["auth", "cart", "orders", "search", "ship"]


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"


def make_records(count, seed):
    """Sessions of 3-8 records that interleave; one in 40 records is an error."""
    chance = random.Random(seed)
    open_sessions, records, ms = [], [], START * 1000
    while len(records) < count:
        ms += chance.randrange(1, 40)
        if len(open_sessions) < 20:
            key = f"req-{chance.getrandbits(40):010x}"
            open_sessions.append([key, chance.randrange(3, 9), 0])
        session = chance.choice(open_sessions)
        key, length, done = session
        error = chance.random() < 1 / 40
        message = ("payment authorized" if done == 1 else
                   "invoice created" if done == 2 and chance.random() < 0.8 else
                   f"timeout after {chance.randrange(100, 5000)} ms" if error else
                   f"step {done} of \"{key}\"")
        records.append({"ts": ms, "level": "error" if error else "info",
                        "service": chance.choice(SERVICES), "request_id": key,
                        "message": message, "duration_ms": chance.randrange(1, 2000)})
        session[2] += 1
        if session[2] == length:
            open_sessions.remove(session)
    return records


def line_of(record):
    return json.dumps({**record, "ts": stamp(record["ts"])})


class Query:
    def __init__(self, checks, folder):
        self.checks, self.folder = checks, folder

    def run(self, sql, *files, options=(), code=0, stdin=None):
        done = common.run(common.tool("NINES_BIN"), "query", sql, *files, *options,
                          input=stdin, timeout=120)
        self.checks.equal(done.returncode, code, f"exit code of {sql}: {done.stderr.decode()}")
        return done

    def ask(self, sql, *files, **more):
        """Rows as lists of values, and the whole answer, the same in one thread and in three, and
        by both ways."""
        answers = []
        for options in (["--threads", "1"], ["--threads", "3"], ["--by-sqlite"]):
            done = self.run(sql, *files, options=["-o", "json", *options], **more)
            if done.returncode != 0:
                return [], {}
            answers.append(json.loads(done.stdout))
        rows = [[list(row.values()) for row in a["data"]] for a in answers]
        ordered = "ORDER BY" in sql or "BY " not in sql
        plain = [r if ordered else sorted(r, key=repr) for r in rows]
        self.checks.equal(plain[1], plain[0], f"three threads as one: {sql}")
        self.checks.equal(plain[2], plain[0], f"by SQLite as natively: {sql}")
        return rows[0], answers[0]

    def equal(self, sql, wanted, *files, **more):
        rows, _ = self.ask(sql, *files, **more)
        self.checks.equal(rows, wanted, sql)


def groups(q, log, records):
    errors = collections.Counter(r["service"] for r in records if r["level"] == "error")
    q.equal("SELECT service, count(*) FROM logs('*') WHERE level = 'ERROR' GROUP BY service ORDER BY 1",
            sorted([s, n] for s, n in errors.items()), log)
    q.equal("SELECT count(*) WHERE message ~ 'timeout after [0-9]+'",
            [[sum("timeout after" in r["message"] for r in records)]], log)
    sums = collections.defaultdict(lambda: [0, 0, 0])
    for r in records:
        minute = r["ts"] // 60000 * 60000
        row = sums[minute]
        row[0] += 1
        row[1] += r["duration_ms"]
        row[2] = max(row[2], r["duration_ms"])
    q.equal("SELECT bucket(ts, '1m') AS minute, count(*), sum(duration_ms), max(duration_ms) "
            "GROUP BY minute ORDER BY minute",
            [[stamp(m).replace(".000Z", "Z"), *v] for m, v in sorted(sums.items())], log)
    for service in SERVICES:
        values = sorted(r["duration_ms"] for r in records if r["service"] == service)
        exact = values[math.ceil(len(values) * 0.99) - 1]
        rows, _ = q.ask(f"SELECT percentile(duration_ms, 0.99) WHERE service = '{service}'", log)
        q.checks.that(abs(rows[0][0] - exact) <= 0.011 * exact,
                      f"p99 of {service}: {rows[0][0]} for {exact}")
    q.equal("SELECT count_distinct(service), count(DISTINCT level), min(ts) ",
            [[len(SERVICES), 2, stamp(records[0]["ts"]).replace(".000Z", "Z")]], log)
    q.equal("SELECT service, count(*) n GROUP BY service HAVING n > 0 ORDER BY n DESC, service LIMIT 2",
            [[s, n] for s, n in sorted(collections.Counter(r["service"] for r in records).items(),
                                       key=lambda i: (-i[1], i[0]))[:2]], log)


def times(q, log, records):
    middle = records[len(records) // 2]["ts"] // 1000 * 1000
    later = sum(r["ts"] >= middle for r in records)
    q.equal(f"SELECT count(*) SINCE '{stamp(middle)}'", [[later]], log)
    q.equal(f"SELECT count(*) UNTIL '{stamp(middle)}'", [[len(records) - later]], log)


def context(q, log, records):
    lines = [line_of(r) for r in records]
    hits = [i for i, r in enumerate(records) if r["level"] == "error"]
    wanted, last = [], None
    for i in sorted({j for h in hits for j in range(max(0, h - 2), min(len(lines), h + 4))}):
        if last is not None and i != last + 1:
            wanted.append("--")
        wanted.append(lines[i])
        last = i
    done = q.run("SELECT raw FROM logs('*') WHERE level = 'error' CONTEXT 2 BEFORE 3 AFTER", log,
                 options=["-o", "raw"])
    got = [line for line in done.stdout.decode().splitlines() if line != "--"]
    q.checks.equal(got, [line for line in wanted if line != "--"], "context as grep has it")


def peak_of(q, sql, size, *files, stdin=None):
    """The most memory that two threads took to print `size` bytes."""
    process = subprocess.Popen(
        [common.tool("NINES_BIN"), "query", sql, *files, "-o", "raw", "--threads", "2"],
        stdin=stdin, stdout=subprocess.PIPE)
    got, peak = 0, 0
    while part := process.stdout.read(1 << 20):
        got, peak = got + len(part), max(peak, common.peak_rss_bytes(process))
    q.checks.equal(process.wait(timeout=60), 0, f"exit code of a long {sql}")
    q.checks.equal(got, size, f"bytes of a long {sql}")
    return peak


def long_files(q, folder):
    """What is printed of files that are read in one piece waits for nobody: two threads need hardly
    more memory than one, however long the files are."""
    line = json.dumps({"level": "error", "message": "x" * 400}) + "\n"
    size = 150_000 * len(line)
    log = common.write(f"{folder}/long.log", line * 150_000)
    packed = f"{folder}/long.log.1.gz"
    with gzip.open(packed, "wt", compresslevel=1) as f:
        f.write(line * 150_000)
    more = shutil.copy(packed, f"{folder}/long.log.2.gz")
    context = "SELECT raw WHERE level = 'error' CONTEXT 1"
    for name, sql, files in (("CONTEXT", context, [log]), ("CONTEXT of two", context, [log, packed]),
                             (".gz", "SELECT raw", [packed]),
                             ("two .gz", "SELECT raw", [packed, more]),
                             ("standard input", "SELECT raw", ["-"])):
        with subprocess.Popen(["cat", log], stdout=subprocess.PIPE) as cat:  # a pipe, no file
            peak = peak_of(q, sql, size * len(files), *files, stdin=cat.stdout)
            cat.kill()
        q.checks.that(0 < peak < 48 << 20, f"a long {name} took {peak / 2**20:.1f} MiB")


def sessions(q, log, records):
    seen = collections.defaultdict(list)
    for r in records:
        seen[r["request_id"]].append(r)
    count, rows = 0, 0
    for items in seen.values():
        last = None
        for r in items:
            if last is None or r["ts"] - last > 2000:
                count += 1
            last = r["ts"]
            rows += 1
    done = q.run("SELECT count(*), sum(n) FROM (SELECT request_id, n FROM logs('*') "
                 "SESSION BY request_id IDLE '2s')", log, options=["-o", "csv"])
    q.checks.equal(done.stdout.decode().splitlines()[1], f"{count},{rows}", "sessions")

    matched = 0
    for items in seen.values():
        at = None
        for r in items:
            if r["message"] == "payment authorized":
                at = r["ts"]
            elif r["message"] == "invoice created" and at is not None:
                matched += r["ts"] - at <= 5000
                at = None
    done = q.run("SELECT count(*) FROM (SELECT * FROM logs('*') SEQUENCE BY request_id WITHIN '5s' "
                 "(a: message = 'payment authorized', b: message = 'invoice created')) "
                 "WHERE state = 'matched'", log, options=["-o", "csv"])
    q.checks.equal(done.stdout.decode().splitlines()[1], str(matched), "sequences")


def around(q, log, records):
    """Plain SQL around blocks: joins, window functions, common table expressions."""
    errors = collections.Counter(r["service"] for r in records if r["level"] == "error")
    every = collections.Counter(r["service"] for r in records)
    done = q.run("WITH e AS (SELECT service, count(*) n FROM logs('*') WHERE level = 'error' GROUP BY "
                 "service), a AS (SELECT service, count(*) n FROM logs('*') GROUP BY service) "
                 "SELECT a.service, e.n, a.n, row_number() OVER (ORDER BY a.n DESC) FROM a JOIN e "
                 "ON a.service = e.service ORDER BY a.service", log, options=["-o", "csv"])
    rank = {s: i + 1 for i, (s, _) in enumerate(sorted(every.items(), key=lambda i: -i[1]))}
    q.checks.equal([r[:3] for r in csv.reader(io.StringIO(done.stdout.decode()))][1:],
                   [[s, str(errors[s]), str(every[s])] for s in sorted(errors)], "a join")
    q.checks.that(len(set(every.values())) < len(every) or
                  [r[3] for r in csv.reader(io.StringIO(done.stdout.decode()))][1:] ==
                  [str(rank[s]) for s in sorted(errors)], "a window function")


def inputs(q, folder, records):
    lines = [line_of(r) + "\n" for r in records]
    third = len(lines) // 3
    with gzip.open(f"{folder}/r.log.2.gz", "wt") as f:
        f.writelines(lines[:third])
    common.write(f"{folder}/r.log.1", "".join(lines[third:2 * third]))
    common.write(f"{folder}/r.log", "".join(lines[2 * third:]))
    q.equal("SELECT count(*), count_distinct(request_id)",
            [[len(records), len({r["request_id"] for r in records})]], f"{folder}/r.log*")
    done = q.run("SELECT count(*) FROM files('-')", stdin="".join(lines).encode(),
                 options=["-o", "csv"])
    q.checks.equal(done.stdout.decode().split(), ["count(*)", str(len(lines))], "standard input")

    damaged(q, folder, lines)

    table = f"{folder}/t.csv"
    common.write(table, "ts,status,path\n" + "".join(
        f"{stamp(START * 1000 + i)},{(200, 500)[i % 3 == 0]},\"/a,{i % 2}\"\n" for i in range(300)))
    q.equal("SELECT path, count(*) WHERE status >= 500 GROUP BY path ORDER BY path",
            [["/a,0", 50], ["/a,1", 50]], table)

    broken = f"{folder}/broken.log"
    common.write(broken, "".join(lines[:50]) + "not json at all\n{\"cut\": \n" + "".join(lines[50:90]))
    rows, answer = q.ask("SELECT raw, _error WHERE _error IS NOT NULL ORDER BY raw", broken)
    q.checks.equal(rows, [["not json at all", "no_match"], ["{\"cut\": ", "no_match"]],
                   "malformed lines are rows")
    q.checks.equal(answer["malformed"], 2, "malformed lines are counted")


def damaged(q, folder, lines):
    """What could be read of a file that was cut is no complete answer."""
    packed = gzip.compress("".join(lines).encode())
    cut = f"{folder}/cut.log.gz"
    with open(cut, "wb") as f:
        f.write(packed[:len(packed) // 2])
    for sql in ("SELECT count(*)", "SELECT raw"):
        for threads in "13":
            done = q.run(sql, cut, options=["-o", "json", "--threads", threads], code=3)
            answer = json.loads(done.stdout)
            q.checks.equal(answer["complete"], False, f"of a file that was cut: {sql}")
            q.checks.that(any("cut.log.gz: ends within its compressed" in note
                              for note in answer["notes"]), f"what was cut: {answer['notes']}")
            got = answer["data"][0]["count(*)"] if "count" in sql else len(answer["data"])
            q.checks.that(0 < got < len(lines), f"{got} rows up to there")
    refused = q.run("SELECT count(*) WITH (partial = 'refuse')", cut, options=["-o", "json"],
                    code=3)
    q.checks.equal(refused.stdout, b"", "no partial answer where it is refused")


def outputs(q, log, records):
    done = q.run("SELECT ts, level, duration_ms FROM logs('*') LIMIT 3", log, options=["-o", "ndjson"])
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    q.checks.equal([line["duration_ms"] for line in lines[:3]],
                   [r["duration_ms"] for r in records[:3]], "ndjson")
    q.checks.equal((lines[3]["_answer"]["rows"], lines[3]["_answer"]["complete"]), (3, True),
                   "the answer's summary")
    done = q.run("SELECT level, message FROM logs('*') LIMIT 3", log)
    q.checks.that(done.stdout.startswith(b"level  message"), f"table: {done.stdout.decode()}")
    hint = "field 'durations_ms' occurs in no record; did you mean 'duration_ms'?"
    for options in (["--threads", "1"], ["--threads", "3"], ["--by-sqlite"]):
        sql = "SELECT count(*) AS n WHERE durations_ms > 100"
        done = q.run(sql, log, options=["-o", "json", *options])
        q.checks.equal(json.loads(done.stdout)["notes"], [hint], "a field that nobody logs, JSON")
        done = q.run(sql, log, options=options)
        q.checks.that(hint in done.stdout.decode(), f"the same, table: {done.stdout.decode()}")
        done = q.run(sql, log, options=["-o", "csv", *options])
        q.checks.that(hint in done.stderr.decode(), f"the same, CSV: {done.stderr.decode()}")
    done = q.run("SELECT message FROM logs('*')", log, options=["-o", "raw"], code=2)
    q.checks.that(b"SELECT raw" in done.stderr, "raw needs raw")


def mistakes(q, log):
    for sql, part in [("SELECT cuont(*) FROM logs('*')", "count"),
                      ("SELECT count(* FROM logs('*')", "^"),
                      ("SELECT count(*) FROM logs('*') WHERE message ~ '(a)\\1'", "linear"),
                      ("SELECT percentile(duration_ms, 99) FROM logs('*')", "0.99")]:
        done = q.run(sql, log, code=2)
        q.checks.that(part in done.stderr.decode(), f"{sql}: {done.stderr.decode()}")
    done = q.run("SELECT count(*) WHERE mesage = 'x'", log, options=["-o", "csv"])
    q.checks.equal(done.stdout.split(), [b"count(*)", b"0"], "a field that nobody logs is NULL")
    q.checks.equal(done.stderr, b"nines query: field 'mesage' occurs in no record; "
                   b"did you mean 'message'?\n", "and what it may be")
    done = q.run("SELECT count(*) WHERE message = 'x' AND other = 1", log, options=["-o", "csv"])
    q.checks.equal(done.stderr, b"nines query: field 'other' occurs in no record\n",
                   "for one that is like no other nothing is guessed")
    done = q.run("SELECT count(*)", "/nonexistent/x.log", code=3)
    q.checks.that(b"/nonexistent" in done.stderr, done.stderr.decode())


def agent(q, folder, log, records):
    port = common.free_port()
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port, f"""
sources:
  - name: shop
    service: shop
    paths: ["{log}"]
"""))
    state = f"{folder}/state"
    with common.Agent(config, state, port) as running:
        common.wait_until(lambda: common.get(port, "/healthz")[0] == 200, 20, "the agent")
        token = open(f"{state}/api.token").read().strip()
        wanted = [["count(*)"], [str(len(records))]]
        done = common.run(common.tool("NINES_BIN"), "query", "SELECT count(*) FROM logs('shop')",
                          "-o", "csv", "--agent", f"127.0.0.1:{port}", "--state", state)
        q.checks.equal([r for r in csv.reader(io.StringIO(done.stdout.decode()))], wanted,
                       f"the agent answers {done.stderr.decode()}")

        def post(body, headers):
            request = urllib.request.Request(f"http://127.0.0.1:{port}/api/query", method="POST",
                                             data=json.dumps(body).encode(), headers=headers)
            try:
                with urllib.request.urlopen(request, timeout=30) as answer:
                    return answer.status, json.loads(answer.read())
            except urllib.error.HTTPError as error:
                return error.code, json.loads(error.read())

        allowed = {"Authorization": f"Bearer {token}"}
        q.checks.equal(post({"sql": "SELECT 1"}, {})[0], 401, "no token")
        status, body = post({"sql": "SELECT count(*) FROM logs('*')"}, allowed)
        q.checks.equal((status, body.get("complete")), (200, True), "a query with the token")
        status, body = post({"sql": "SELECT raw FROM files('/etc/passwd')"}, allowed)
        q.checks.equal(status, 400, "the agent reads no files that are none of its sources")
        status, body = post({"sql": "SELECT count(*) FROM logs('nosuch')"}, allowed)
        q.checks.that(status == 404 and "shop" in body["detail"], f"unknown source: {body}")
        asked_to_explain(q, post, allowed, log, records, config, state)
        q.checks.that(running.alive(), "the agent lives")


def asked_to_explain(q, post, allowed, log, records, config, state):
    """EXPLAIN, EXPLAIN ANALYZE and partial='refuse' of the running agent."""
    sql = "SELECT service, count(*) FROM logs('shop') GROUP BY service"
    status, body = post({"sql": "EXPLAIN " + sql}, allowed)
    q.checks.equal((status, list(body)), (200, ["plan"]), "EXPLAIN runs nothing")
    q.checks.that(any("group by service" in text for text in body["plan"]), f"the plan: {body}")
    status, body = post({"sql": "EXPLAIN ANALYZE " + sql}, allowed)
    did, services = body["inputs"][0], len({r["service"] for r in records})
    q.checks.equal((status, did["records"], did["rows"], did["files"]),
                   (200, len(records), services, 1), "EXPLAIN ANALYZE by the agent")
    q.checks.equal(did["bytes_scanned"] + did["bytes_skipped"], os.path.getsize(log),
                   "all bytes are accounted for")
    q.checks.equal(body["answer"]["rows"], services, "rows of the answer, which are not shown")

    def ask(sql, *options):
        return common.run(common.tool("NINES_BIN"), "query", sql, "--config", config, "--state",
                          state, *options)

    said = ask("EXPLAIN ANALYZE " + sql).stdout.decode()
    q.checks.that(f"{services} rows out" in said and "group by service" in said, f"for people: {said}")
    said = ask("EXPLAIN ANALYZE " + sql, "-o", "csv").stdout.decode().splitlines()
    q.checks.equal(said[0], "plan", "a column for tables")

    # Each record with each two that came later: far more than the deadline allows, and nothing to keep.
    late = ("SELECT count(*) AS n FROM logs('shop') a JOIN logs('shop') b ON a.ts < b.ts "
            "JOIN logs('shop') c ON b.ts < c.ts WITH (deadline='100ms', partial='{}')")
    status, body = post({"sql": late.format("allow")}, allowed)
    q.checks.equal((status, body.get("complete")), (200, False), f"a part, which says so: {body}")
    done = ask(late.format("allow"), "-o", "csv")
    q.checks.equal(done.returncode, 3, "a part of the answer by the agent, on the command line")
    q.checks.that(b"not complete" in done.stderr, done.stderr.decode())
    for explain in ["", "EXPLAIN ANALYZE "]:
        status, body = post({"sql": explain + late.format("refuse")}, allowed)
        q.checks.equal(status, 503, f"{explain}partial='refuse'")
        q.checks.that("refuses partial" in body["detail"] and "deadline" in
                      body["detail"], f"says what is missing: {body}")
    done = ask(late.format("refuse"))
    q.checks.equal((done.returncode, done.stdout), (3, b""), "the same on the command line")
    q.checks.that(b"refuses partial" in done.stderr, done.stderr.decode())


def main():
    checks = common.Checks()
    folder = common.scratch("query")
    records = make_records(20_000, 7)
    log = common.write(f"{folder}/app.log", "".join(line_of(r) + "\n" for r in records))
    q = Query(checks, folder)
    groups(q, log, records)
    times(q, log, records)
    context(q, log, records)
    long_files(q, folder)
    sessions(q, log, records)
    around(q, log, records)
    inputs(q, f"{folder}", records[:3000])
    outputs(q, log, records)
    mistakes(q, log)
    agent(q, folder, log, records)
    checks.finish()


if __name__ == "__main__":
    main()

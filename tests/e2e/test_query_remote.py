#!/usr/bin/env python3
"""`nines query` of remote tables: stand-ins of the search APIs, well and badly behaved."""
import json
import random
import signal
import subprocess
import threading
import time

import common
import remote_servers as remote

NOW_MS = int(time.time()) * 1000
SERVICES = ["auth", "cart", "orders"]


def make_records(count, seed=5):
    chance = random.Random(seed)
    ms, records = NOW_MS - 3_600_000, []
    for n in range(count):
        ms += chance.choice([0, 0, 0, 1, 20])
        records.append((ms, {"level": chance.choice(["info", "info", "error"]),
                             "service": chance.choice(SERVICES), "request_id": f"r{n % 97}",
                             "message": f"took {n} ms \"quoted\" é", "duration_ms": n % 1000}))
    return records


class Bench:
    def __init__(self, checks):
        self.checks, self.folder = checks, common.scratch("query-remote")

    def configure(self, kind, url, extra=""):
        return common.write(f"{self.folder}/nines.yaml",
                            f"remotes:\n  - name: far\n    kind: {kind}\n    url: {url}\n{extra}")

    def ask(self, sql, config, code=0, *files, options=()):
        done = common.run(common.tool("NINES_BIN"), "query", sql, *files, "--config", config, "-o",
                          "json", *options, timeout=60)
        self.checks.equal(done.returncode, code, f"exit code of {sql}: {done.stderr.decode()}")
        return json.loads(done.stdout) if done.stdout else {"data": [], "notes": [
            done.stderr.decode()], "complete": False, "rows": 0}

    def told(self, answer, *words):
        self.checks.that(not answer["complete"], f"it says that it is complete: {answer['notes']}")
        for word in ("remote 'far'", *words):
            self.checks.that(any(word in note for note in answer["notes"]),
                             f"{word!r} is not in {answer['notes']}")


def counts(records):
    out = {}
    for _, fields in records:
        if fields["level"] == "error":
            out[fields["service"]] = out.get(fields["service"], 0) + 1
    return [{"service": s, "n": out[s]} for s in sorted(out)]


def make_servers(records):
    return [("elasticsearch", remote.Elasticsearch(records)),
            ("opensearch", remote.Elasticsearch(records, "opensearch")),
            ("elasticsearch", remote.Elasticsearch(records, "none")),
            ("loki", remote.Loki(records)), ("graylog", remote.Graylog(records)),
            ("splunk", remote.Splunk(records))]


def test_answers(bench, checks, records):
    """Each system's records over many pages, with ties across pages, as a recount has them."""
    for kind, server in make_servers(records):
        config = bench.configure(kind, server.url)
        answer = bench.ask("SELECT service, count(*) AS n FROM remote('far') WHERE level = 'ERROR' "
                           "GROUP BY service ORDER BY service", config)
        checks.equal(answer["data"], counts(records), f"errors by service in {kind}")
        checks.that(answer["complete"], f"{kind}: complete")
        middle = records[len(records) // 2][0]
        for condition in (f"SINCE '{remote.iso(middle)}'", f"WHERE ts >= '{remote.iso(middle)}'"):
            server.requests.clear()
            part = bench.ask(f"SELECT count(*) AS n, min(ts) AS t, sum(duration_ms) AS d FROM "
                             f"remote('far') {condition}", config)
            late = [(ms, f) for ms, f in records if ms >= middle]
            checks.equal(part["data"], [{"n": len(late), "t": part["data"][0]["t"], "d": sum(
                f["duration_ms"] for _, f in late)}], f"{kind} {condition}")
            checks.equal(remote.ns_of(part["data"][0]["t"]), late[0][0] * 10**6, f"{kind}: first")
            sent = sum(len(body) + len(path) for _, path, body in server.requests)
            checks.that(sent > 0, "it was asked")
        one = bench.ask("SELECT ts, level, message, service, request_id, source, raw FROM "
                        "remote('far') LIMIT 1", config)["data"][0]
        checks.equal(one["message"].startswith("took 0 ms \"quoted\" é") or kind == "splunk", True,
                     f"{kind}: message {one}")
        checks.equal((one["level"], one["service"], one["request_id"]),
                     (records[0][1]["level"].upper(), records[0][1]["service"], "r0"), kind)
        checks.that("quoted" in one["raw"], f"{kind}: raw {one['raw']}")
        if isinstance(server, remote.Elasticsearch):
            checks.equal(server.open, set(), f"{kind}: points in time that were left open")
        server.close()


def test_pushdown(bench, checks, records):
    server = remote.Loki(records)
    config = bench.configure("loki", server.url, "    index: team-a\n")
    bench.ask("SELECT ts FROM remote('far', '{app=\"x\"} |= \"y\"') LIMIT 3", config)
    checks.equal(len(server.requests), 1, "requests for LIMIT 3")
    checks.that("limit=3&" in server.requests[0][1], f"a small page: {server.requests[0][1]}")
    checks.that("query=%7Bapp%3D%22x%22%7D%20%7C%3D%20%22y%22" in server.requests[0][1],
                f"the query as it was written: {server.requests[0][1]}")
    server.requests.clear()
    far = bench.ask("SELECT count(*) AS n FROM remote('far') SINCE '100d'", config)
    checks.equal(far["data"], [{"n": len(records)}], "windows of 30 days")
    lines = remote.Loki([(NOW_MS, {"service": "auth", "line": "level=warn plain text"})])
    config = bench.configure("loki", lines.url)
    row = bench.ask("SELECT message, raw, level, cluster, service FROM remote('far')", config)
    checks.equal(row["data"], [{"message": "level=warn plain text", "raw": "level=warn plain text",
                                "level": "INFO", "cluster": "eu", "service": "auth"}],
                 "a line of text: labels and structured metadata are fields")
    numbers = bench.ask("SELECT * FROM remote('far', 'rate({a=\"b\"}[1m])')", config, 3)
    bench.told(numbers, "ask for log lines")
    elastic = remote.Elasticsearch(records)
    config = bench.configure("elasticsearch", elastic.url, "    query: orders\n")
    orders = sum('"orders"' in json.dumps(f) for _, f in records)
    checks.equal(bench.ask("SELECT count(*) AS n FROM remote('far')", config)["data"],
                 [{"n": orders}], "the query of the configuration")
    explained = common.run(common.tool("NINES_BIN"), "query", "EXPLAIN SELECT ts FROM "
                           "remote('far', 'a b')").stdout.decode()
    checks.that("remote('far', 'a b')" in explained, explained)
    for s in (server, lines, elastic):
        s.close()


def test_join(bench, checks, records):
    server = remote.Graylog(records)
    config = bench.configure("graylog", server.url)
    path = common.write(f"{bench.folder}/orders.log", "".join(json.dumps(
        {"ts": remote.iso(NOW_MS), "request_id": f"r{n}", "customer": f"c{n}"}) + "\n"
        for n in range(5)))
    sql = (f"SELECT o.customer, count(*) AS n FROM remote('far') r JOIN files('{path}') o "
           "ON o.request_id = r.request_id WHERE r.level >= 'ERROR' GROUP BY o.customer "
           "ORDER BY o.customer")
    wanted = [{"customer": f"c{n}", "n": sum(f["request_id"] == f"r{n}" and f["level"] == "error"
                                             for _, f in records)} for n in range(5)]
    checks.equal(bench.ask(sql, config)["data"], wanted, "a remote joined with a file")
    sessions = bench.ask("SELECT request_id, n FROM remote('far') SESSION BY request_id IDLE '1h' "
                         "ORDER BY request_id LIMIT 2", config)
    checks.equal(sessions["data"][0]["n"], sum(f["request_id"] == "r0" for _, f in records),
                 "sessions over a remote")
    server.close()


def slow(handler):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b"{")
    handler.wfile.flush()
    threading.Event().wait(20)


def test_faults(bench, checks, records):
    """Whatever goes wrong is told, and what came before stays."""
    faults = {
        "429": (lambda h: h.answer(429, {"error": "slow down"}, [("Retry-After", "30")]),
                ("429", "too many requests", "asks to wait 30 s")),
        "500": (lambda h: h.answer(500, b"\x1b[2Jboom"), ("500",)),
        "redirect": (lambda h: h.answer(302, b"", [("Location", "http://127.0.0.1:1/")]), ("302",)),
        "garbage": (lambda h: h.answer(200, b"<html>login</html>"), ()),
        "cut": (lambda h: h.answer(200, b'{"hits": {"hits": [{"_id": "x"'), ()),
        "other": (lambda h: h.answer(200, b'{"a": [1, "x", null]}'), ()),
        "array": (lambda h: h.answer(200, b'[[[]]]'), ()),
        "deep": (lambda h: h.answer(200, b"[" * 3_000_000), ("nested too deeply",)),
        "empty": (lambda h: h.answer(200, b""), ()),
        "huge": (lambda h: h.answer(200, b'"' + b"x" * (33 << 20) + b'"'), ()),
        "slow": (slow, ("300 ms",)),
    }
    for kind, server in make_servers(records):
        config = bench.configure(kind, server.url, "    timeout: 300ms\n")
        for name, (fault, words) in faults.items():
            server.faults = [fault]
            answer = bench.ask("SELECT count(*) AS n FROM remote('far')", config, 3)
            streamed = kind == "splunk" and name in ("huge", "deep")
            bench.told(answer, *(() if streamed else words))
            checks.that("\x1b" not in "".join(answer["notes"]), f"{kind} {name}: escapes in notes")
        server.close()


def test_broken_in_the_middle(bench, checks, records):
    for kind, server in make_servers(records)[:5]:
        config = bench.configure(kind, server.url)
        good = server.serve
        seen = []

        def third_fails(h, good=good, seen=seen):
            pages = "search" in h.route.rsplit("/", 1)[-1] or "query_range" in h.route or (
                "absolute" in h.route)
            seen.append(1) if pages and h.command != "DELETE" else None
            return h.answer(503, b"going down") if len(seen) == 3 else good(h)

        server.serve = third_fails
        answer = bench.ask("SELECT ts FROM remote('far')", config, 3)
        bench.told(answer, "503")
        checks.that(1000 < answer["rows"] < len(records), f"{kind}: {answer['rows']} rows stay")
        server.close()
    splunk = remote.Splunk(records)
    splunk.cut = True
    answer = bench.ask("SELECT ts FROM remote('far')", bench.configure("splunk", splunk.url), 3)
    bench.told(answer, "cut short")
    checks.that(1000 < answer["rows"] < len(records), f"splunk: {answer['rows']} rows stay")
    bench.told(bench.ask("SELECT ts FROM remote('far', '| syntaxerror')",
                         bench.configure("splunk", splunk.url), 3), "Unknown search command")
    splunk.close()


def test_limits(bench, checks, records):
    for kind, server in make_servers(records):
        config = bench.configure(kind, server.url, "    max_rows: 2500\n")
        answer = bench.ask("SELECT ts FROM remote('far')", config, 3)
        checks.equal(answer["rows"], 2500, f"{kind}: max_rows")
        bench.told(answer, "max_rows", "2500")
        server.close()
    same = [(NOW_MS, {"level": "info", "service": "auth", "message": str(n)})
            for n in range(12000)]
    for kind, server, words in (("elasticsearch", remote.Elasticsearch(same, "none"), "instant"),
                                ("loki", remote.Loki(same), "nanosecond"),
                                ("graylog", remote.Graylog(same), "millisecond")):
        bench.told(bench.ask("SELECT ts FROM remote('far')", bench.configure(kind, server.url), 3),
                   f"of one {words}")
        server.close()


def test_logins(bench, checks, records):
    few = records[:10]
    common.write(f"{bench.folder}/token", "s3cret\n")
    for kind, server, login in (
            ("elasticsearch", remote.Elasticsearch(few), "ApiKey s3cret"),
            ("loki", remote.Loki(few), "Bearer s3cret"),
            ("graylog", remote.Graylog(few), remote.basic("s3cret", "token")),
            ("splunk", remote.Splunk(few), "Bearer s3cret")):
        server.login = login
        answer = bench.ask("SELECT count(*) AS n FROM remote('far')",
                           bench.configure(kind, server.url, "    token_file: token\n"))
        checks.equal(answer["data"], [{"n": 10}], f"{kind} with a token")
        server.login = remote.basic("me", "s3cret")
        answer = bench.ask("SELECT count(*) AS n FROM remote('far')", bench.configure(
            kind, server.url, "    user: me\n    password_file: token\n"))
        checks.equal(answer["data"], [{"n": 10}], f"{kind} with a password")
        none = bench.ask("SELECT ts FROM remote('far')", bench.configure(kind, server.url), 3)
        bench.told(none, "401", "token_file")
        checks.that("s3cret" not in json.dumps(none), "a secret in a note")
        server.close()


def test_deadline_and_stop(bench, checks, records):
    server = remote.Loki(records)
    config = bench.configure("loki", server.url)
    server.faults = [slow]
    begin = time.monotonic()
    answer = bench.ask("SELECT ts FROM remote('far') WITH (deadline='500ms')", config, 3)
    checks.that(time.monotonic() - begin < 5, "the deadline holds while an answer is waited for")
    checks.that(any("deadline" in note for note in answer["notes"]), str(answer["notes"]))
    server.faults = [slow]
    server.requests.clear()
    process = subprocess.Popen([common.tool("NINES_BIN"), "query", "SELECT ts FROM remote('far')",
                                "--config", config, "-o", "json"], stdout=subprocess.PIPE)
    common.wait_until(lambda: server.requests, 10, "the request")
    begin = time.monotonic()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=10)
    checks.that(time.monotonic() - begin < 3, "Ctrl-C ends it at once")
    checks.that("cancelled" in str(json.loads(out)["notes"]), "and is told")
    server.close()


def test_unknown(bench, checks):
    config = bench.configure("loki", "http://127.0.0.1:1")
    done = common.run(common.tool("NINES_BIN"), "query", "SELECT ts FROM remote('near')",
                      "--config", config)
    checks.that(b"called 'near'; there are far" in done.stderr, done.stderr.decode())
    bench.told(bench.ask("SELECT ts FROM remote('far')", config, 3), "nothing listens there")
    followed = common.run(common.tool("NINES_BIN"), "query", "--follow",
                          "SELECT ts FROM remote('far')", "--config", config, timeout=20)
    checks.equal(followed.returncode, 2, "a remote that is to be followed")
    checks.that(b"cannot be followed" in followed.stderr, followed.stderr.decode())
    bad = common.run(common.tool("NINES_BIN"), "query", "SELECT ts FROM remote(far)")
    checks.that(b"remote('central')" in bad.stderr, bad.stderr.decode())


def main():
    checks = common.Checks()
    bench = Bench(checks)
    records = make_records(11_000)
    test_answers(bench, checks, records)
    test_pushdown(bench, checks, records)
    test_join(bench, checks, records)
    test_faults(bench, checks, records)
    test_broken_in_the_middle(bench, checks, records)
    test_limits(bench, checks, records)
    test_logins(bench, checks, records)
    test_deadline_and_stop(bench, checks, records)
    test_unknown(bench, checks)
    checks.finish()


if __name__ == "__main__":
    main()

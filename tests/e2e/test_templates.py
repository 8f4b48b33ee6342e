#!/usr/bin/env python3
"""Each template of `nines slo template`, run on a small log with known counts; and what the program
says of templates."""
import http.server
import json
import os
import threading
import time

import common

START = 1_772_323_200  # 2026-03-01T00:00:00Z
SECONDS = 3600


def stamp(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms / 1000)) + f".{ms % 1000:03}Z"


def access(path, answers):
    lines = []
    for i, (url, status, duration_ms) in enumerate(answers):
        at = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(START + i))
        lines.append(f'10.0.0.1 - - [{at}] "GET {url} HTTP/1.1" {status} 12 "-" "t" '
                     f"{duration_ms / 1000:.3f}\n")
    return common.write(path, "".join(lines))


def records(path, items):
    """items: (ms after START, fields)."""
    return common.write(path, "".join(
        json.dumps({"time": stamp(START * 1000 + ms), "level": "info", **fields}) + "\n"
        for ms, fields in sorted(items, key=lambda item: item[0])))


class Runner:
    def __init__(self, checks, folder):
        self.checks, self.folder = checks, folder

    def render(self, name, **settings):
        command = [common.tool("NINES_BIN"), "slo", "template", name]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        done = common.run(*command)
        self.checks.equal((done.returncode, done.stderr.decode()), (0, ""), f"template {name}")
        return common.write(f"{self.folder}/{name}.yaml", done.stdout)

    def counts(self, name, **settings):
        document = self.render(name, **settings)
        config = common.write(f"{self.folder}/empty.yaml", "")
        lint = common.run(common.tool("NINES_BIN"), "slo", "lint", document, "--config", config)
        self.checks.that(b" 0 error(s), 0 warning(s)" in lint.stdout,
                         f"lint of {name}: {lint.stdout.decode()}")
        done = common.run(common.tool("NINES_BIN"), "agent", "--once", "--clock", "log", "--config",
                          config, "--slo", document, "-o", "json")
        self.checks.equal(done.returncode, 0, f"run of {name}: {done.stderr.decode()}")
        return {s["slo"]: (s["good"], s["bad"]) for s in json.loads(done.stdout)}

    def equal(self, name, wanted, **settings):
        self.checks.equal(self.counts(name, **settings), wanted, f"counts of {name}")


def access_templates(run):
    log = access(f"{run.folder}/access.log",
                 [("/a", (200, 301, 404, 503, 299)[i % 5], (100, 500, 501, 800)[i % 4])
                  for i in range(1200)] + [("/healthz", 503, 1)] * 10)
    run.equal("api-availability", {"api-availability": (720, 490)}, paths=log)
    run.equal("dashboard-availability", {"dashboard-availability": (480, 720)}, paths=log)
    # 20 minutes, each 5 of them with a quarter of the answers above 750 ms: 4 bad slices. The last
    # ten seconds belong to a fifth that is not over.
    got = run.counts("api-latency", paths=log)
    run.checks.equal(got["api-latency"], (610, 600), "counts of api-latency")
    run.checks.equal(got["api-latency-p95"], (0, 4), "slices of api-latency-p95")


def record_templates(run):
    items = [(i * 1000, {"msg": "query", "query_ms": (100, 101)[i % 50 == 0]})
             for i in range(1500)] + [(5, {"msg": "other"})]
    got = run.counts("db-latency", paths=records(f"{run.folder}/db.json", items))
    run.checks.equal(got["db-latency"], (1470, 30), "counts of db-latency")
    run.checks.equal(got["db-latency-p99"][1], 0, "bad slices of db-latency-p99")
    jobs = [(i * 100, {"msg": "done", "job_type": ("email", "report", "sync")[i % 3],
                       "duration_ms": 45_000}) for i in range(300)]
    run.equal("background-jobs",
              {"background-jobs": (200, 100), "background-jobs{email}": (0, 100),
               "background-jobs{report}": (100, 0), "background-jobs{sync}": (100, 0)},
              paths=records(f"{run.folder}/jobs.json", jobs))
    pages = [(i * 100, {"msg": "load", "load_ms": 2999 + i % 3}) for i in range(300)]
    run.equal("page-load", {"page-load": (200, 100)},
              paths=records(f"{run.folder}/pages.json", pages))


def message_template(run):
    published, stored = [], []
    for i in range(1000):
        published.append((i * 10, {"msg": "published", "event_id": i}))
        if i % 100 != 7:  # ten are never stored
            stored.append((i * 10 + (499 if i % 10 else 500), {"msg": "stored", "event_id": str(i)}))
    published.append((400_000, {"msg": "delivery failed"}))
    stored.append((400_000, {"msg": "cannot store", "level": "error"}))
    run.equal("message-processing",
              {"messages-lag": (890, 110), "messages-errors": (990, 1),
               "messages-delivery": (1000, 1)},
              published=records(f"{run.folder}/pub.json", published),
              stored=records(f"{run.folder}/store.json", stored))


def slice_templates(run):
    # A sign of life every two minutes, save for the time from 20 to 40 minutes.
    beats = [(m * 60_000, {"message": "backup finished"}) for m in range(0, 61, 2)
             if not 20 <= m < 40]
    beats += [(m * 60_000, {"message": "something else"}) for m in range(61)]
    run.equal("heartbeat", {"heartbeat": (8, 4)},
              paths=records(f"{run.folder}/beats.json", beats))
    busy = [(m * 60_000 + i * 10, {"msg": "event"}) for m in range(30)
            for i in range(99 if m == 7 else 0 if m == 9 else 100)] + [(1_800_000, {"msg": "event"})]
    run.equal("throughput", {"throughput": (28, 2)},
              paths=records(f"{run.folder}/busy.json", busy))


def late_comers(run):
    """SLOs with a join and with groups that come late count what the logs still hold, and go on."""
    shift = (int(time.time()) - START) * 1000 - 600_000
    published = [(shift + i * 10, {"msg": "published", "event_id": i}) for i in range(1000)]
    stored = [(shift + i * 10 + (100 if i % 10 else 900), {"msg": "stored", "event_id": i})
              for i in range(1000) if i % 100 != 7]
    jobs = [(shift + i * 10, {"msg": "done", "job_type": ("email", "sync")[i % 2],
                              "duration_ms": 45_000}) for i in range(100)]
    logs = {name: records(f"{run.folder}/late-{name}.json", items)
            for name, items in (("pub", published), ("store", stored), ("jobs", jobs))}
    first = run.render("page-load", paths=f"{run.folder}/late-*.json", value="1")
    late = [run.render("message-processing", published=logs["pub"], stored=logs["store"]),
            run.render("background-jobs", paths=logs["jobs"])]
    state = ["--state", f"{run.folder}/late-state", "--config", f"{run.folder}/empty.yaml"]
    nines = common.tool("NINES_BIN")

    def slos(documents):
        return sum((["--slo", d] for d in documents), [])

    def counts():
        done = common.run(nines, "agent", "--once", *state, *slos([first, *late]), "-o", "json")
        run.checks.equal(done.returncode, 0, f"run after the backfill: {done.stderr.decode()}")
        return {s["slo"]: (s["good"], s["bad"]) for s in json.loads(done.stdout)
                if s["slo"].startswith(("messages-lag", "background"))}

    wanted = {"messages-lag": (890, 110), "background-jobs": (50, 50),
              "background-jobs{email}": (0, 50), "background-jobs{sync}": (50, 0)}
    common.run(nines, "agent", "--once", *state, *slos([first]), "-o", "json")
    done = common.run(nines, "slo", "backfill", *state, *slos([first, *late]))
    run.checks.equal(done.returncode, 0, f"backfill: {done.stderr.decode()}")
    for attempt in ("after the backfill", "once more"):
        run.checks.equal(counts(), wanted, attempt)
    with open(logs["jobs"], "a") as f:
        f.write(json.dumps({"time": stamp(START * 1000 + shift + 5000), "level": "info", "msg": "done",
                            "job_type": "sync", "duration_ms": 61_000}) + "\n")
    run.checks.equal(counts(), {**wanted, "background-jobs": (50, 51),
                                "background-jobs{sync}": (50, 1)}, "a line later")


class Endpoint(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b"# TYPE rabbitmq_queue_messages_ready gauge\nrabbitmq_queue_messages_ready 1001\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def queue_template(run):
    server = http.server.HTTPServer(("127.0.0.1", 0), Endpoint)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    document = run.render("queue-depth", url=f"http://127.0.0.1:{server.server_port}/metrics")
    port = common.free_port()
    config = common.write(f"{run.folder}/live.yaml", common.node_yaml(port))
    with common.Agent(config, f"{run.folder}/state", port, extra=["--slo", document]):
        common.wait_until(lambda: b'nines_source_records_total' in common.get(port, "/metrics")[1]
                          and b'queue-depth' in common.get(port, "/metrics")[1], 20, "a scrape")
        def totals():
            slo = [line for line in common.get(port, "/metrics")[1].decode().splitlines()
                   if line.startswith("nines_slo_events_total") and "queue-depth" in line]
            return sum(int(float(line.rsplit(" ", 1)[1])) for line in slo
                       if 'result="bad"' in line)
        try:
            common.wait_until(lambda: totals() > 0, 30, "a depth above the limit")
        except TimeoutError as e:
            run.checks.that(False, f"queue-depth: {e}")
    server.shutdown()


def words(run):
    nines = common.tool("NINES_BIN")
    listed = common.run(nines, "slo", "template")
    names = [line.split()[0] for line in listed.stdout.decode().splitlines()]
    run.checks.that(len(names) >= 10 and names == sorted(names), f"listed: {names}")
    wrong = common.run(nines, "slo", "template", "api-avail")
    run.checks.equal(wrong.returncode, 2, "exit code of an unknown template")
    run.checks.that(b"api-availability" in wrong.stderr, "an unknown template names those there are")
    bad = common.run(nines, "slo", "template", "api-availability", "--set", "target=99.9")
    run.checks.equal(bad.returncode, 2, "exit code of an impossible value")
    run.checks.that(b"targetPercent" in bad.stderr, f"its way out: {bad.stderr.decode()}")


def main():
    checks = common.Checks()
    run = Runner(checks, common.scratch("templates"))
    os.makedirs(run.folder, exist_ok=True)
    words(run)
    access_templates(run)
    record_templates(run)
    message_template(run)
    slice_templates(run)
    late_comers(run)
    queue_template(run)
    checks.finish()


if __name__ == "__main__":
    main()

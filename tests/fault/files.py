"""What is read is hostile, or goes away."""
import csv
import io
import json
import os
import re
import time

import common
import injection
import world
from trial import LONG, case


@case(30, "log directory unmounted and mounted again", "the logs lie on an ext4 of their own; umount --lazy,"
      " lines into the bare directory, mount again", (1, 2, 5), root=True, needs=("mkfs.ext4", "losetup"))
def unmounted(test):
    with world.Node(test, pattern="*.log*") as node:
        logs, image = os.path.dirname(node.log), f"{test.folder}/logs.img"
        with open(image, "wb") as f:
            f.truncate(16 << 20)
        injection.do("mkfs.ext4", "-q", "-m", "0", image)
        device = common.run("losetup", "--find", "--show", image).stdout.decode().strip()
        try:
            injection.do("mount", device, logs)
            os.rmdir(f"{logs}/lost+found")
            node.append(10)
            node.start()
            common.wait_until(lambda: sum(node.counts()) == 10, 60, "lines before")
            seen = [0, 0]
            for turn in range(2):
                node.append(40, 4)
                mounted = node.recount()
                injection.do("umount", "--lazy", logs)
                test.proof(not os.path.ismount(logs), "umount: the directory is bare")
                common.write(f"{logs}/bare{turn}.log", world.stamped(200, path="/bare") * 7
                             + world.stamped(503))
                bare = node.recount()
                seen = [a + b for a, b in zip(mounted, bare)]
                common.wait_until(lambda: list(node.counts()) == seen, 90,
                                  f"{seen} counted without the disk")
                injection.do("mount", device, logs)
                node.append(20, 2)
                seen = [a + b for a, b in zip(node.recount(), bare)]
                common.wait_until(lambda: list(node.counts()) == seen, 90, f"{seen} counted with it")
            node.append(5)
            node.settles("two times gone", wanted=tuple(a + b for a, b in zip(node.recount(), bare)))
        finally:
            node.end()
            common.run("umount", "--lazy", logs)
            common.run("losetup", "--detach", device)


@case(31, "a line of 1 GB", "1 GiB without a line feed between good lines; read by --once and by a live agent",
      (1, 2))
def endless_line(test):
    with world.Node(test, limits=world.CALM.replace("}", ", cpu: 100}")) as node:
        at = world.some_minutes_ago()
        node.append(50, 5, at)
        with open(node.log, "ab") as f:
            block = b"x" * (8 << 20)
            for _ in range(128):
                f.write(block)
            f.write(b"\n")
        node.append(50, 5, at)
        test.proof(os.path.getsize(node.log) > 1 << 30, f"{os.path.getsize(node.log)} bytes of log")
        node.start()
        began = time.monotonic()
        while node.counts() != (100, 10) and time.monotonic() < began + 120:
            node.note_memory()
            time.sleep(0.1)
        test.saw(f"live: {sum(node.counts())} of 110 events after {time.monotonic() - began:.1f} s")
        test.equal(node.counts(), (100, 10), "live")
        test.that(node.metric("nines_overflow_policy_total", '{limit="tailer_lines_cut"}') >= 1,
                  "the cut is told")
        node.note_memory()
        node.terminate()
        code, counts, _ = world.once(node)
        test.equal((code, counts), (0, (100, 10)), "--once goes on from there")


EVIL = ("\x1b[31mred\x1b]0;title\x07", "a\r\nX-Injected: yes\r\n\r\nb", "nul\0byte", 'q"},{"x":1',
        '\n# HELP evil\nevil 1\n', "</script><script>alert(1)</script>", "=cmd|' /C calc'!A0",
        "\u202egnp.exe", "\x9b31mC1", "\x7f\b\b\b", "%s%n{}\\", "a,b;c\td|e")
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\x80-\x9f]")


def evil_log(path):
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 20))
    with open(path, "w", encoding="utf-8") as f:
        for n, text in enumerate(EVIL * 3):
            f.write(json.dumps({"time": stamp, "level": "error" if n % 3 == 0 else "info", "msg": text,
                                "service": text, "user": text, "id": n}) + "\n")
        f.write("\x1b[2J\x1b[31mnot JSON at all\x07\n")  # becomes an example of what is malformed
    return len(EVIL) * 3


def outputs(test, node, log):
    """(what, text, kind) of everything that shows words of the log."""
    def program(*words):
        done = common.run(common.tool("NINES_BIN"), *words)
        test.that(done.returncode in (0, 1, 3), f"{words[:2]}: {done.returncode} {done.stderr[-300:]}")
        return done.stdout.decode(), done.stderr.decode()

    sql = f"SELECT service, user, message, count(*) AS n FROM files('{log}') GROUP BY service, user, message"
    for form in ("table", "json", "ndjson", "csv"):
        out, said = program("query", sql, "-o", form)
        yield f"query -o {form}", out, form
        yield f"what query -o {form} says", said, "table"
    yield "tail", program("tail", log, "--once", "-o", "json")[0], "ndjson"
    for form in ("table", "json"):
        yield f"slo status -o {form}", program("slo", "status", "--config", node.config, "-o", form)[0], form
    yield "doctor", program("doctor", "--config", node.config)[0], "table"
    yield "incident list", program("incident", "list", "--config", node.config)[0], "table"
    for path, kind in (("/metrics", "metrics"), ("/api/slo", "json"), ("/api/status", "json"),
                       ("/api/alerts", "json"), ("/api/incidents", "json"), ("/", "page")):
        yield path, common.get(node.port, path)[1].decode(), kind
    yield "its own log", node.own_log(), "table"


@case(32, "ANSI, CRLF, NUL, quotes, bidi and formulae in every field of a log",
      "a JSON log of such texts, grouped by one of them; every output that shows them is parsed", (9,))
def injected_text(test):
    with world.Node(test) as node:
        log = f"{node.folder}/logs/evil.json"
        lines = evil_log(log)
        common.write(f"{node.folder}/slos/evil.yaml", common.ratio_slo(
            "evil", f'paths: ["{log}"], format: json, groupBy: {{field: user, max: 20, alerts: true}}',
            "level < 'ERROR'", "", "0.9", "2h"))
        node.start()
        common.wait_until(lambda: node.agent.slos().get("evil", {}).get("total") == lines, 60,
                          "all of them are counted")
        shown = 0
        for what, text, kind in outputs(test, node, log):
            shown += "gnp.exe" in text
            check_output(test, what, text, kind)
        test.proof(shown >= 6, f"{lines} lines; {shown} outputs showed their texts")
        test.saw(f"{lines} events, {node.agent.slos()['evil']['total']} counted")
        node.note_memory()


def check_output(test, what, text, kind):
    if kind == "metrics":  # the format escapes only these
        text = text.replace("\x9b", "")
    if kind in ("table", "metrics", "page"):
        found = CONTROL.search(text)
        test.that(found is None, f"{what}: a control character:"
                  f" {text[max(0, found.start() - 60):found.end() + 20]!r}" if found else "")
    if kind in ("json", "ndjson"):
        try:
            for piece in [text] if kind == "json" else text.splitlines():
                json.loads(piece)
        except ValueError as e:
            test.that(False, f"{what}: {e}")
        found = CONTROL.search(text)
        test.that(found is None, f"{what}: a raw control character: {found}")
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(text, newline="")))
        test.equal({len(r) for r in rows}, {4}, f"{what}: fields of each row")
        # And those that are no JSON, under the name of the file.
        test.equal(len(rows), 1 + len(EVIL) + 1, f"{what}: rows")
    if kind == "metrics":
        test.that(not re.search(r"^evil 1", text, re.M), f"{what}: a metric of the log's own")
        promtool = os.environ.get("NINES_PROMTOOL", "")
        if os.path.exists(promtool):
            done = common.run(promtool, "check", "metrics", input=text.encode())
            test.equal(done.returncode, 0, f"promtool: {done.stderr[-300:]}")
    if kind == "page":
        test.that("<script>alert(1)" not in text, f"{what}: a script of the log's own")


@case(33, "JSON depth bombs", "lines of 100,000 nested arrays and objects, closed and not; also posted to the"
      " API", (1, 2, 9))
def depth_bombs(test):
    with world.Node(test) as node:
        log, deep = f"{node.folder}/logs/deep.json", 1_000_000 if LONG else 100_000
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 20))
        good = json.dumps({"time": stamp, "level": "info", "msg": "fine"}) + "\n"
        bombs = ["[" * deep, "[" * deep + "]" * deep, '{"a":' * deep, '{"a":' * deep + "1" + "}" * deep,
                 f'{{"time":"{stamp}","level":' + "[" * deep + "]" * deep + "}",
                 '{"msg":' + '{"a":[' * deep + f'1,"time":"{stamp}","level":"info"']
        with open(log, "w") as f:
            for bomb in bombs:
                f.write(good * 10 + bomb + "\n")
            f.write(good * 10)
        test.proof(os.path.getsize(log) > 8 * deep, f"{len(bombs)} bombs, {deep} deep")
        common.write(f"{node.folder}/slos/deep.yaml", common.ratio_slo(
            "deep", f'paths: ["{log}"], format: json', "msg = 'fine'", "msg = 'fine'", "0.9", "2h"))
        node.start()
        wanted = 10 * (len(bombs) + 1)
        common.wait_until(lambda: node.agent.slos().get("deep", {}).get("total") == wanted, 60,
                          f"{wanted} good lines")
        with open(f"{node.state}/api.token") as f:
            token = f.read().strip()
        for path in ("/api/changes", "/api/slo", "/api/query"):
            for bomb in ("[" * 60_000, '{"a":' * 12_000):
                done = common.run("python3", "-c", POST, str(node.port), path, token, input=bomb.encode())
                test.that(re.match(rb"4\d\d", done.stdout), f"POST {path}: {done.stdout} {done.stderr[-200:]}")
        done = common.run(common.tool("NINES_BIN"), "query",
                          f"SELECT count(*) AS n FROM files('{log}') WHERE message = 'fine'", "-o", "json")
        test.that(f"{wanted}" in done.stdout.decode(), f"query: {done.returncode} {done.stdout} {done.stderr}")
        test.saw(f"{wanted} good lines counted between them")
        node.note_memory()
        test.that(node.agent.alive(), "it lives")


POST = """
import http.client, sys
c = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=20)
c.request("POST", sys.argv[2], sys.stdin.buffer.read(), {"Authorization": "Bearer " + sys.argv[3],
          "Content-Type": "application/json"})
print(c.getresponse().status)
"""

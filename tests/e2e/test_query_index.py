#!/usr/bin/env python3
"""The block index of a living agent: it is killed with SIGKILL at random moments while two logs grow,
are rotated, and truncated; after each of them queries with the index give what they give without.
Then the index is damaged, and the agent asked over HTTP. NINES_LONG=1 or --kills N for more."""
import argparse
import glob
import json
import os
import random
import shutil
import threading
import time
import urllib.request

import common

WORDS = ["request completed as usual", "payment authorized", "connection refused by upstream"]
RARE = ["deadlock", "out-of-memory", "checksum"]


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03}Z"


class Writer(threading.Thread):
    """Appends about 10 MB a second to two logs: JSON, rotated by rename, and text, rotated by copy and
    truncate. Every line has two ids that no other has."""

    def __init__(self, folder, seed):
        super().__init__(daemon=True)
        self.folder, self.random = folder, random.Random(seed)
        self.going, self.ending = threading.Lock(), threading.Event()
        self.error = None
        self.lines = 0
        self.written = 0
        self.ids = {"app.log": [], "text.log": []}  # some of each log, oldest first

    def line(self, name, now):
        self.lines += 1
        key = f"{self.random.getrandbits(128):032x}"
        order = f"ord-{self.random.getrandbits(36):09x}"
        if self.lines % 97 == 0:
            self.ids[name] = self.ids[name][-400:] + [key, order]
        level = "error" if self.lines % 5000 == 0 else "info"
        words = WORDS[self.lines % 3] if self.lines % 7001 else RARE[self.lines % 3]
        if name == "app.log":
            return json.dumps({"ts": stamp(now), "level": level, "request_id": key, "order_id": order,
                               "message": words, "duration_ms": self.lines % 900}) + "\n"
        more = "    at some.place(of.it:12)\n" if self.lines % 50 == 0 else ""
        return f"{stamp(now)} {level.upper()} {key} {words} for {order}\n{more}"

    def rotate(self):
        name = self.random.choice(["app.log", "text.log"])
        path = f"{self.folder}/{name}"
        if not os.path.exists(path):
            return
        if name == "app.log":
            if os.path.exists(path + ".1"):
                os.rename(path + ".1", path + ".2")
            os.rename(path, path + ".1")
        else:
            shutil.copyfile(path, path + ".1")
            os.truncate(path, 0)

    def run(self):
        try:
            next_rotation = time.monotonic() + 1.5
            while not self.ending.is_set():
                with self.going:
                    for name in ("app.log", "text.log"):
                        now = time.time()
                        text = "".join(self.line(name, now) for _ in range(500))
                        with open(f"{self.folder}/{name}", "a", encoding="utf-8") as out:
                            self.written += out.write(text)
                    if time.monotonic() >= next_rotation:
                        self.rotate()
                        next_rotation = time.monotonic() + self.random.uniform(0.5, 4)
                time.sleep(0.005)
        except OSError as e:
            self.error = e

    def end(self):
        self.ending.set()
        self.join()
        if self.error:
            raise self.error


class Index:
    def __init__(self, checks, folder, seed):
        self.checks, self.folder, self.chance = checks, folder, random.Random(seed)
        self.state, self.nowhere = f"{folder}/state", f"{folder}/nowhere"
        self.asked = self.skipped_bytes = self.skips = 0

    def condition(self, writer, name):
        ids = writer.ids[name]
        one, other = (self.chance.choice(ids) if ids else "ord-none12345" for _ in range(2))
        field = "request_id" if len(one) == 32 else "order_id"
        wanted = [f"raw LIKE '%{one}%'", f"raw ~ '[ \"]{one}'",
                  f"message LIKE '%{self.chance.choice(RARE)}%'", "level >= ERROR",
                  f"raw LIKE '%{one}%' OR raw LIKE '% {other}%'",
                  f"raw LIKE '%{self.chance.getrandbits(128):032x}%'"]
        if name == "app.log":
            wanted += [f"{field} = '{one}'", f"{field} IN ('{one}', '{other}')",
                       f"{field} = '{one}' AND level = 'error'"]
        text = f"WHERE {self.chance.choice(wanted)}"
        if self.chance.random() < 0.2:
            text = f"SINCE '{stamp(time.time() - self.chance.uniform(0, 20))}' {text}"
        return text

    def ask(self, sql, path, state):
        done = common.run(common.tool("NINES_BIN"), "query", sql, path, "-o", "json", "--state", state,
                          "--threads", str(self.chance.choice([1, 3])))
        if done.returncode != 0:
            raise RuntimeError(f"{sql}: {done.stderr.decode()}")
        return json.loads(done.stdout)

    def compare(self, writer, count, when):
        """Questions to all logs, with and without the index; the logs stand still meanwhile."""
        with writer.going:
            for path in sorted(glob.glob(f"{self.folder}/logs/*")):
                name = os.path.basename(path).replace(".1", "").replace(".2", "")
                for _ in range(count):
                    sql = f"SELECT raw FROM logs('*') {self.condition(writer, name)}"
                    with_it = self.ask(sql, path, self.state)
                    without = self.ask(sql, path, self.nowhere)
                    self.checks.that(with_it["data"] == without["data"] and with_it["complete"],
                                     f"{when}, {os.path.basename(path)}, {sql}: {len(with_it['data'])} "
                                     f"rows with the index, {len(without['data'])} without")
                    more = with_it["bytes_skipped"] - without["bytes_skipped"]
                    self.asked += 1
                    self.skips += more > 0
                    self.skipped_bytes += max(0, more)


def torture(arguments, index, writer, start):
    chance = random.Random(arguments.seed + 1)
    for kill in range(arguments.kills):
        with start() as agent:
            # Some die while they catch up, some in the middle of steady work.
            ends = time.monotonic() + chance.choice([0.1, 0.4, 1.2, 2.5]) * chance.uniform(0.3, 1.3)
            while time.monotonic() < ends:
                if not agent.alive():
                    raise RuntimeError("the agent ended by itself")
                time.sleep(0.005)
        if writer.error:
            raise writer.error
        index.compare(writer, 3, f"kill {kill}")
        if chance.random() < 0.2:
            damage(index, chance)
            index.compare(writer, 2, f"kill {kill}, damaged")


def damage(index, chance):
    """Bytes are overwritten, the end is cut off, another file is put in its place."""
    sidecars = sorted(glob.glob(f"{index.state}/index/*"))
    if not sidecars:
        return
    path = chance.choice(sidecars)
    size = os.path.getsize(path)
    kind = chance.randrange(4)
    if kind == 0:
        os.truncate(path, chance.randrange(size))
    elif kind == 1:
        shutil.copyfile(chance.choice(sidecars), path + ".copy")
        os.rename(path + ".copy", path)
    else:
        with open(path, "r+b") as out:
            out.seek(0 if kind == 2 else chance.randrange(size))
            out.write(chance.randbytes(min(64, size)))


def post(port, token, sql):
    request = urllib.request.Request(f"http://127.0.0.1:{port}/api/query", method="POST",
                                     data=json.dumps({"sql": sql}).encode(),
                                     headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def served(index, writer, port):
    """The agent answers by its own index: the same rows, most of the bytes left out."""
    path = f"{index.folder}/logs/app.log"
    with writer.going:
        token = open(f"{index.state}/api.token", encoding="utf-8").read().strip()
        sql = f"SELECT raw FROM logs('app') WHERE request_id = '{index.chance.choice(writer.ids['app.log'])}'"
        body = post(port, token, sql)
        rows = [r for p in sorted(glob.glob(path + "*")) for r in index.ask(sql, p, index.nowhere)["data"]]
        index.checks.equal(sorted(map(repr, body["data"])), sorted(map(repr, rows)), "by HTTP: " + sql)
        index.checks.that(body["complete"] and body["bytes_skipped"] > 0, f"bytes skipped by HTTP: {body}")
        # Logs that were read before the index was lost have none.
        explain = f"EXPLAIN ANALYZE SELECT raw WHERE raw LIKE '%{index.chance.getrandbits(128):032x}%'"
        told = [index.ask(explain, p, index.state)["inputs"][0] for p in glob.glob(path + "*")]
        index.checks.that(any(t["bytes_skipped"] > 0 for t in told), f"EXPLAIN ANALYZE tells: {told}")


def rebuilt(index, writer, start, port):
    """An index that was lost is made anew of what is written from then on."""
    for path in glob.glob(f"{index.state}/index/*"):
        with open(path, "r+b") as out:
            out.write(b"NINESIDX" + bytes(48))  # of no version that is known
    with start():
        before = writer.written
        common.wait_until(lambda: writer.written > before + 2 * 14_000_000, 60, "more of the logs")

        def skips():
            with writer.going:
                ids = writer.ids["app.log"]
                paths = glob.glob(f"{index.folder}/logs/app.log*")
                return any(index.ask(f"SELECT raw WHERE request_id = '{ids[0]}'", p, index.state)
                           ["bytes_skipped"] > 0 for p in paths)

        common.wait_until(lambda: common.get(port, "/healthz")[0] == 200 and skips(), 60,
                          "blocks of the new index", poll=0.5)
        index.compare(writer, 3, "a new index")
        served(index, writer, port)
    index.compare(writer, 3, "at the end")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=80 if os.environ.get("NINES_LONG") else 12)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.kills} kills", flush=True)
    checks = common.Checks()
    folder = common.scratch("index")
    os.makedirs(f"{folder}/logs")
    port = common.free_port()
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port, f"""
index: {{daily_bytes: 0}}
limits: {{cpu: 100, cpu_pressure: 0, memory_pressure: 0, io_pressure: 0}}
sources:
  - name: app
    paths: ["{folder}/logs/app.log*"]
  - name: text
    paths: ["{folder}/logs/text.log*"]
"""))
    # Only what is counted is read, and indexed on the way.
    common.write(f"{folder}/slos/index.yaml", "".join(
        common.ratio_slo(f"index-{name}", f"source: {name}", "level < ERROR") for name in ("app", "text")))
    writer = Writer(f"{folder}/logs", arguments.seed)
    index = Index(checks, folder, arguments.seed + 2)

    def start():
        return common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")

    writer.start()
    torture(arguments, index, writer, start)
    rebuilt(index, writer, start, port)
    writer.end()
    print(f"{writer.written >> 20} MiB written; {index.asked} questions, {index.skips} by the index, "
          f"which left out {index.skipped_bytes >> 20} MiB", flush=True)
    checks.that(index.skips >= 5, "the index is of use")
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Law 1 for joins and groups: published and stored events lie in two logs, the agent is killed with SIGKILL
while both grow and rotate, and in the end every event counts once: good when it was stored in time,
bad when it was stored late or never. Some records are logged twice. The groups of an SLO on the same
logs add up to it. NINES_LONG=1 for more."""
import argparse
import heapq
import json
import os
import random
import re
import time

import common
import killing

LIMIT_MS, TIMEOUT_MS = 300, 2000


class Writer(killing.LogWriter):
    def __init__(self, folder, seed):
        super().__init__(seed)
        self.folder = folder
        self.rotations, self.next_rotation = 0, time.monotonic() + 1
        self.good = self.bad = self.never = self.twice = self.number = 0
        self.due = []  # (ms, order, name, line) to be written
        self.files = {name: self.open(name) for name in ("pub", "store")}

    def open(self, name):
        return open(os.path.join(self.folder, f"{name}.log"), "ab", buffering=0)

    def say(self, name, at_ms, key, write_ms=None):
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(at_ms / 1000))
        line = json.dumps({"time": f"{stamp}.{at_ms % 1000:03}Z", "level": "info",
                           "msg": "published" if name == "pub" else "stored", "event_id": key})
        self.number += 1
        heapq.heappush(self.due, (write_ms or at_ms, self.number, name, line.encode() + b"\n"))

    def event(self, now_ms):
        key = f"{self.random.getrandbits(64):x}"
        self.say("pub", now_ms, key)
        kind = self.random.random()
        lag = (None if kind < 0.05 else self.random.randrange(LIMIT_MS - 2, LIMIT_MS + 3)
               if kind < 0.3 else self.random.randrange(1200) if kind < 0.95
               else self.random.randrange(TIMEOUT_MS - 1, TIMEOUT_MS + 500))
        self.never += lag is None
        if lag is not None:
            # What stores may say so before the publisher's line is out.
            self.say("store", now_ms + lag, key, now_ms - 100 if kind > 0.9 and lag < 50 else None)
        if self.random.random() < 0.1:
            self.twice += 1
            self.say("pub", now_ms + self.random.randrange(500), key)
        if lag is not None and self.random.random() < 0.1:
            self.say("store", now_ms + lag + self.random.randrange(500), key)
        fast = lag is not None and lag <= LIMIT_MS
        self.good += fast
        self.bad += not fast

    def write_due(self, until_ms):
        while self.due and self.due[0][0] <= until_ms:
            _, _, name, line = heapq.heappop(self.due)
            self.files[name].write(line)

    def rotate(self, name, number):
        path = os.path.join(self.folder, f"{name}.log")
        os.rename(path, f"{path}.{number}")
        self.files[name].close()
        self.files[name] = self.open(name)

    def step(self):
        now_ms = int(time.time() * 1000)
        for _ in range(self.random.randrange(1, 12)):
            self.event(now_ms)
        self.write_due(now_ms)
        if time.monotonic() >= self.next_rotation:
            self.rotations += 1
            self.rotate(self.random.choice(("pub", "store")), self.rotations)
            self.next_rotation = time.monotonic() + self.random.uniform(0.5, 3)
        time.sleep(self.random.uniform(0.005, 0.04))

    def finish(self):
        while self.due:
            self.write_due(int(time.time() * 1000))
            time.sleep(0.01)


def document(folder):
    side = 'paths: ["{}/logs/{}.log*"], format: json, where: "msg = \'{}\'"'
    join = (f"{{start: {{{side.format(folder, 'pub', 'published')}}}, "
            f"end: {{{side.format(folder, 'store', 'stored')}}}, key: event_id, "
            f"timeout: {TIMEOUT_MS // 1000}s, grace: 3s}}")
    text = common.threshold_slo("lag", "format: json", "JOIN", "lte", LIMIT_MS, window="1d")
    source = f'paths: ["{folder}/logs/pub.log*"], format: json'
    group = 'groupBy: {field: "SUBSTR(event_id, 1, 1)", max: 5}, where: "msg'
    grouped = common.ratio_slo("publish", source, "event_id < '8'", "msg = 'published'", "0.1")
    return text.replace('"JOIN"', join) + grouped.replace('where: "msg', group)


def counts(agent):
    return {name: (s["good"], s["bad"]) for name, s in agent.slos().items()}


def summed(counted):
    """The join, the whole of the groups, and what its rows add up to."""
    rows = [c for name, c in counted.items() if name.startswith("publish{")]
    good, bad = counted.get("publish", (0, 0))
    return (counted.get("lag"), good + bad, len(rows),
            (sum(r[0] for r in rows), sum(r[1] for r in rows)) == (good, bad))


def joined(port, kind):
    body = common.get(port, "/metrics")[1].decode()
    found = re.search(rf'nines_join_total{{slo="lag",kind="{kind}"}} (\d+)', body)
    return int(found[1]) if found else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=120 if os.environ.get("NINES_LONG") else 25)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.kills} kills", flush=True)
    checks = common.Checks()
    folder = common.scratch("join-kill")
    os.makedirs(os.path.join(folder, "logs"))
    port = common.free_port()
    common.write(f"{folder}/slos/lag.yaml", document(folder))
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))

    def start():
        return common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")

    writer = Writer(os.path.join(folder, "logs"), arguments.seed)
    writer.start()
    killing.torture(start, writer, arguments.kills, [0.1, 0.5, 1.5, 3], arguments.seed)
    writer.end()
    wanted = ((writer.good, writer.bad), writer.good + writer.bad + writer.twice, 6, True)
    print(f"{writer.good + writer.bad} events, {writer.never} never stored, {writer.twice} published "
          "twice", flush=True)
    for attempt in ("after the last kill", "after one more restart"):
        with start() as agent:
            try:
                common.wait_until(lambda: summed(counts(agent)) == wanted, 60, attempt, poll=0.25)
            except TimeoutError:
                pass
            checks.equal(summed(counts(agent)), wanted, f"join, published, rows, their sum {attempt}")
            checks.equal(joined(port, "lost"), 0, f"damaged positions {attempt}")
    checks.finish()


if __name__ == "__main__":
    main()

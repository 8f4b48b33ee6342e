#!/usr/bin/env python3
"""Law 1: the agent is killed with SIGKILL at random points while two logs grow and rotate; in the
end every line is counted once. NINES_LONG=1 or --kills N for more."""
import argparse
import json
import os
import random
import shutil
import time

import common
import killing


class Writer(killing.LogWriter):
    """Appends lines to two logs and rotates them: one by rename, one by copy and truncate. Lines
    are sometimes written in two pieces, as stdio does when its buffer is full."""

    def __init__(self, folder, seed):
        super().__init__(seed)
        self.folder = folder
        self.rotations, self.next_rotation = 0, time.monotonic() + 1
        self.good = {"nginx": 0, "json": 0}
        self.bad = {"nginx": 0, "json": 0}
        self.nginx = open(os.path.join(folder, "access.log"), "ab", buffering=0)
        self.json = open(os.path.join(folder, "app.log"), "ab", buffering=0)

    def line(self, kind):
        bad = self.random.random() < 0.03
        (self.bad if bad else self.good)[kind] += 1
        now, number = time.time(), self.random.getrandbits(64)
        status = 503 if bad else 200
        if kind == "nginx":
            stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now))
            return (f'10.0.0.{number % 250} - - [{stamp}] "GET /x/{number} HTTP/1.1" {status} 12 '
                    f'"-" "test" 0.{number % 1000:03}\n').encode()
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03}Z"
        return json.dumps({"time": stamp, "level": "error" if bad else "info", "msg": "done",
                           "status": status, "id": f"{number:x}"}).encode() + b"\n"

    def burst(self, file, kind):
        data = b"".join(self.line(kind) for _ in range(self.random.randrange(1, 120)))
        cut = self.random.randrange(len(data)) if self.random.random() < 0.3 else len(data)
        file.write(data[:cut])
        if cut < len(data):
            time.sleep(0.002)
            file.write(data[cut:])

    def rotate(self):
        self.rotations += 1
        if self.random.random() < 0.5:
            path = os.path.join(self.folder, "access.log")
            os.rename(path, f"{path}.{self.rotations}")
            if self.random.random() < 0.5:  # daemons write to the old file until they are told
                self.burst(self.nginx, "nginx")
            self.nginx.close()
            self.nginx = open(path, "ab", buffering=0)
        else:
            path = os.path.join(self.folder, "app.log")
            shutil.copyfile(path, f"{path}.{self.rotations}")
            self.json.truncate(0)

    def step(self):
        self.burst(self.nginx, "nginx")
        self.burst(self.json, "json")
        if time.monotonic() >= self.next_rotation:
            self.rotate()
            self.next_rotation = time.monotonic() + self.random.uniform(0.3, 3)
        time.sleep(self.random.uniform(0.005, 0.05))

    def finish(self):
        self.nginx.close()
        self.json.close()


def documents(folder):
    logs = {"nginx": f'paths: ["{folder}/logs/access.log*"], format: nginx',
            "json": f'paths: ["{folder}/logs/app.log*"], format: json'}
    return "".join(common.ratio_slo(f"kill-{kind}", source, "status < 500", "", "0.9", "7d")
                   for kind, source in logs.items())


def tail(folder):
    with open(os.path.join(folder, "agent.log"), errors="replace") as f:
        return f.read()[-3000:]


def counts(agent):
    return {name: (s["good"], s["bad"]) for name, s in agent.slos().items()}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=240 if os.environ.get("NINES_LONG") else 60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}, {arguments.kills} kills", flush=True)
    checks = common.Checks()
    folder = common.scratch("kill")
    os.makedirs(os.path.join(folder, "logs"))
    port = common.free_port()
    common.write(f"{folder}/slos/kill.yaml", documents(folder))
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))

    def start():
        return common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")

    writer = Writer(os.path.join(folder, "logs"), arguments.seed)
    writer.start()
    # Most kills fall into start-up and catching up, some into steady work with commits.
    killing.torture(start, writer, arguments.kills, [0.05, 0.2, 0.5, 1.2, 2.2], arguments.seed,
                    lambda: tail(folder))
    writer.end()
    wanted = {f"kill-{k}": (writer.good[k], writer.bad[k]) for k in writer.good}
    print(f"{sum(map(sum, wanted.values()))} lines, {writer.rotations} rotations", flush=True)
    # Twice: what the first run committed must not be counted again by the second.
    for attempt in ("after the last kill", "after one more restart"):
        with start() as agent:
            try:
                common.wait_until(lambda: counts(agent) == wanted, 60, attempt, poll=0.25)
            except TimeoutError:
                pass
            checks.equal(counts(agent), wanted, f"(good, bad) {attempt}")
    if checks.failures:
        print(tail(folder))
    checks.finish()


if __name__ == "__main__":
    main()

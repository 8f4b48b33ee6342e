#!/usr/bin/env python3
"""A state directory that this user cannot write: `agent --once` goes on in memory from what it can read
there and says so, and nothing is counted twice or lost when it can be written again; `slo backfill`
refuses with the way out and touches nothing; `slo forecast` reads what can be read; an agent that is
to backfill first watches nevertheless. And a state directory that cannot even be."""
import json
import os
import stat
import subprocess
import time

import common
from test_alerts import POLICY

NOBODY = 65534


class World:
    """Everything may be read by anybody; `locked`: run by somebody who may write nothing."""

    def __init__(self, checks):
        self.checks, self.folder = checks, common.scratch("state_readonly")
        self.port = common.free_port()
        self.log, self.state = f"{self.folder}/access.log", f"{self.folder}/state"
        self.slo = common.write(f"{self.folder}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{self.log}"], format: nginx', "status < 500", "", "0.9", "1h") + POLICY)
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(self.port, ""))
        self.write(30, 200)

    def write(self, lines, status):
        at = time.time() - 300  # of minutes that are over
        with open(self.log, "a", encoding="ascii") as f:
            f.write(common.AccessLog.line(status, at) * lines)

    def command(self, *arguments, state=None):
        return [common.tool("NINES_BIN"), *arguments, "--config", self.config, "--state",
                state or self.state]

    def lock(self, path):
        if os.geteuid() != 0:
            os.chmod(path, 0o555)
            return {}
        os.chmod(self.folder, 0o755)
        for folder, _, names in os.walk(path):
            os.chmod(folder, 0o755)
            for name in names:
                os.chmod(f"{folder}/{name}", 0o644)
        return {"user": NOBODY, "group": NOBODY, "extra_groups": []}

    def unlock(self, path):
        os.chmod(path, stat.S_IRWXU)

    def run(self, *arguments, state=None, **options):
        return common.run(*self.command(*arguments, state=state), timeout=60, **options)

    def once(self, state=None, **options):
        done = self.run("agent", "--once", "-o", "json", state=state, **options)
        said = done.stderr.decode()
        self.checks.equal(done.returncode, 0, f"agent --once: {said}")
        slo = json.loads(done.stdout or b"[{}]")[0]
        return (slo.get("good"), slo.get("bad")), said


def content(path):
    out = {}
    for folder, _, names in os.walk(path):
        for name in names:
            with open(f"{folder}/{name}", "rb") as f:
                out[f"{folder}/{name}"] = f.read()
    return out


def check_once(checks, world):
    counts, said = world.once()
    checks.equal((counts, said), ((30, 0), ""), "a state that can be written")
    world.write(20, 503)
    locked = world.lock(world.state)
    before = content(world.state)
    for _ in range(2):
        counts, said = world.once(**locked)
        checks.equal(counts, (30, 20), "from what is kept, and what is new")
        checks.that("only in memory" in said and "kept nowhere" in said and "--state" in said, said)
    checks.equal(content(world.state), before, "nothing was written")
    world.unlock(world.state)
    for _ in range(2):
        counts, said = world.once()
        checks.equal((counts, said), ((30, 20), ""), "once, however often it was looked at")


def check_backfill(checks, world):
    locked = world.lock(world.state)
    before = content(world.state)
    done = world.run("slo", "backfill", **locked)
    said = done.stderr.decode()
    checks.equal((done.returncode, done.stdout), (3, b""), f"slo backfill: {said}")
    for word in ("backfill writes what it counts", "sudo -u nines", world.state, "--once"):
        checks.that(word in said, f"{word}: {said}")
    checks.equal(content(world.state), before, "nothing was written")
    world.unlock(world.state)
    done = world.run("slo", "backfill")
    checks.equal(done.returncode, 0, f"where it can be written: {done.stderr}")


def check_forecast(checks, world):
    wanted = world.run("slo", "forecast", "-o", "json")
    checks.equal(wanted.returncode, 0, f"slo forecast: {wanted.stderr}")
    locked = world.lock(world.state)
    for name, env in (("", None), ("no TMPDIR", {"TMPDIR": "/nonexistent"})):
        done = world.run("slo", "forecast", "-o", "json", env=env, **locked)
        checks.equal((done.returncode, done.stdout), (0, wanted.stdout), f"{name}: {done.stderr}")
    world.unlock(world.state)
    if locked:  # root is refused nothing
        os.chmod(f"{world.state}/nines.db", 0o600)
        os.chmod(world.state, 0o755)
        done = world.run("slo", "forecast", **locked)
        said = done.stderr.decode()
        checks.that(done.returncode == 3 and "cannot read" in said and "nines.db" in said and
                    "its owner" in said, f"what cannot be read: {done.returncode} {said}")
        os.chmod(world.state, 0o700)
        done = world.run("slo", "forecast", **locked)
        said = done.stderr.decode()
        checks.that(done.returncode == 3 and "Permission denied" in said, f"nor looked into: {said}")


def check_agent(checks, world):
    """--backfill first: it cannot, and watches."""
    locked = world.lock(world.state)
    with open(f"{world.folder}/agent.log", "wb") as log:
        process = subprocess.Popen(world.command("agent", "--backfill"), stdout=log, stderr=log,
                                   **locked)
    try:
        common.wait_until(lambda: b"only in memory" in common.get(world.port, "/readyz")[1], 60,
                          "it watches")
        with open(f"{world.folder}/agent.log", "rb") as f:
            said = f.read()
        checks.that(b"goes on without what the logs still hold" in said, said[:2000])
    finally:
        process.kill()
        process.wait()
        world.unlock(world.state)


def check_nowhere(checks, world):
    """Below a file there is no directory, for root neither."""
    nowhere = f"{world.log}/state"
    counts, said = world.once(state=nowhere)
    checks.equal(counts, (30, 20), "all of it, in memory")
    checks.that("only in memory" in said, said)
    for command, why in (("backfill", b"Not a directory"), ("forecast", b"there is no state in")):
        done = world.run("slo", command, state=nowhere)
        checks.that(done.returncode == 3 and why in done.stderr,
                    f"{command}: {done.returncode} {done.stderr}")


def main():
    checks = common.Checks()
    world = World(checks)
    for check in (check_once, check_backfill, check_forecast, check_agent, check_nowhere):
        check(checks, world)
        print(f"{check.__name__}: {check.__doc__ or 'done'}", flush=True)
    checks.finish()


if __name__ == "__main__":
    main()

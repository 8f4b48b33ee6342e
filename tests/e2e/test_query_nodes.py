#!/usr/bin/env python3
"""`nines query --ssh` against real sshds: the answer is that of one query over all the files; hosts
that die, hang or are not there are told by name; an interrupt reaches the nodes."""
import json
import os
import random
import shutil
import signal
import subprocess

import common
import sshd

HOSTS = ["alpha", "beta", "gamma"]
SERVICES = ["auth", "cart", "orders"]
COUNTS = ("SELECT service, count(*) AS n, sum(ms) AS total, percentile(ms, 0.9) AS p90 FROM "
          "files('{}') GROUP BY service ORDER BY service")


def write_log(path, lines, seed):
    chance = random.Random(seed)
    with open(path, "w", encoding="ascii") as f:
        for i in range(lines):
            f.write(json.dumps({"ts": f"2026-03-01T{i // 3600 % 24:02}:{i // 60 % 60:02}:{i % 60:02}Z",
                                "level": "error" if chance.randrange(40) == 0 else "info",
                                "service": chance.choice(SERVICES), "request_id": f"r{i // 5}",
                                "ms": chance.randrange(1, 900), "message": f"step {i}"}) + "\n")


class World:
    def __init__(self, checks):
        self.checks, self.folder = checks, common.scratch("nodes")
        self.key = f"{self.folder}/key"
        sshd.make_key(self.key)
        self.bin = f"{self.folder}/bin"
        os.makedirs(self.bin)
        shutil.copy(common.tool("NINES_BIN"), f"{self.bin}/nines")
        other = common.write(f"{self.folder}/other/nines", "#!/bin/sh\necho unknown option >&2\nexit 2\n")
        os.chmod(other, 0o755)
        # Every host has its own log under its own HOME; gamma has no nines in its PATH, delta
        # another version.
        paths = [self.bin, self.bin, "", os.path.dirname(other)]
        self.hosts = [sshd.Host(self.folder, name, self.key, path)
                      for name, path in zip(HOSTS + ["delta"], paths)]
        for i, host in enumerate(self.hosts):
            write_log(f"{host.folder}/home/app.log", 3000 + 500 * i, i)
            if host.name in HOSTS:
                os.symlink(f"{host.folder}/home/app.log", f"{self.folder}/all-{i}.log")
        self.ssh = f"ssh -F {sshd.client(self.folder, self.hosts, self.key)}"
        for host in self.hosts:
            host.start()

    def command(self, sql, hosts=HOSTS, output="json", options=()):
        return [common.tool("NINES_BIN"), "query", sql, "--ssh", ",".join(hosts), "--ssh-command",
                self.ssh, "-o", output, *options]

    def ask(self, sql, hosts=HOSTS, code=0, output="json", options=()):
        done = common.run(*self.command(sql, hosts, output, options), timeout=120)
        self.checks.equal(done.returncode, code, f"exit code of {sql[:60]}: {done.stderr.decode()}")
        self.said = done.stderr.decode()
        return json.loads(done.stdout) if output == "json" and done.stdout else done.stdout.decode()

    def alone(self, sql, output="json"):
        done = common.run(common.tool("NINES_BIN"), "query", sql, "-o", output)
        return json.loads(done.stdout) if output == "json" else done.stdout.decode()


def same_answer(world, checks):
    here = f"{world.folder}/all-*.log"
    first = world.ask(COUNTS.format("app.log"))
    checks.that("gamma: copied nines" in world.said, f"what was copied is said: {world.said!r}")
    checks.equal(first["data"], world.alone(COUNTS.format(here))["data"], "groups over three hosts")
    checks.equal((first["complete"], first["nodes_ok"], first["nodes_failed"]), (True, HOSTS, []),
                 "all hosts answered")
    checks.that(0 < first["network_bytes"] < 40_000, f"states travel: {first['network_bytes']}")
    cached = os.listdir(f"{world.hosts[2].home}/.cache/nines")
    checks.equal(len(cached), 1, f"one copy at gamma: {cached}")
    world.ask(COUNTS.format("app.log"))
    checks.that("copied" not in world.said, "it is copied once")
    for sql in ["SELECT raw FROM files('{}') WHERE level = 'error' ORDER BY ts, raw",
                "SELECT request_id, n, duration_ms FROM files('{}') SESSION BY request_id IDLE '30s' "
                "ORDER BY start, request_id LIMIT 50",
                "SELECT service, ms, rank() OVER (ORDER BY ms DESC, message) AS r FROM files('{}') "
                "WHERE level = 'error' ORDER BY r LIMIT 20"]:
        got = world.ask(sql.format("app.log"))
        checks.equal(got["data"], world.alone(sql.format(here))["data"], sql)
        checks.that(got["complete"] and len(got["data"]) > 10, f"complete: {sql}")
    only = world.ask("SELECT count(*) AS n FROM files('app.log') AT NODES ('al*', 'beta')")
    checks.equal((only["data"], only["nodes_ok"]), ([{"n": 6500}], HOSTS[:2]), "AT NODES chooses")


def another_version(world, checks):
    for said in ("delta: copied nines", ""):
        got = world.ask("SELECT count(*) AS n FROM files('app.log')", ["delta"])
        checks.equal((got["data"], got["complete"]), ([{"n": 4500}], True),
                     "a host with another version answers")
        checks.that(("copied" in world.said) == bool(said) and said in world.said,
                    f"what runs there is copied once: {world.said!r}")


def missing_hosts(world, checks):
    got = world.ask("SELECT count(*) AS n FROM files('app.log')", HOSTS + ["nowhere.invalid"], 3)
    checks.equal((got["data"], got["complete"], got["nodes_failed"]),
                 ([{"n": 10500}], False, ["nowhere.invalid"]), "a host that is not there is told")
    checks.that(any("nowhere.invalid" in n and "nothing of it" in n for n in got["notes"]),
                f"and why: {got['notes']}")
    world.ask("SELECT count(*) AS n FROM files('app.log') WITH (partial='refuse')",
              HOSTS + ["nowhere.invalid"], 3)
    checks.that("refuses partial" in world.said, "partial answers can be refused")
    world.ask("SELECT count(*) FROM files('no-such-file')", HOSTS[:1], 3)
    checks.that("alpha: " in world.said, f"errors name the node: {world.said!r}")


def slow_log(world, host):
    """A log that never ends to be read: a FIFO whose writer is this test."""
    path = f"{host.home}/slow.log"
    if not os.path.exists(path):
        os.mkfifo(path)
    return path


def feed(path, lines):
    fd = os.open(path, os.O_WRONLY)  # waits for the reader
    for i in range(lines):
        os.write(fd, b'{"ts":"2026-03-01T00:00:00Z","level":"info","ms":1,"message":"slow %d"}\n' % i)
    return fd


def killed_and_stopped(world, checks):
    for how in (signal.SIGKILL, signal.SIGSTOP):
        beta = world.hosts[1]
        for host in world.hosts:
            if os.path.lexists(f"{host.home}/slow.log"):
                os.unlink(f"{host.home}/slow.log")
            if host is not beta:
                shutil.copy(f"{host.home}/app.log", f"{host.home}/slow.log")
        path = slow_log(world, beta)
        query = subprocess.Popen(world.command("SELECT count(*) AS n FROM files('slow.log')"),
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        fds, hit = [feed(path, 100)], []
        try:
            for _ in range(2):  # it is asked again once
                node = common.wait_until(lambda: [p for p in beta.nodes() if p not in hit], 20,
                                         "a node of beta works")[0]
                os.kill(node, how)
                hit.append(node)
                if len(hit) == 1:
                    # What the second one reads.
                    common.wait_until(lambda: [p for p in beta.nodes() if p not in hit], 30,
                                      "beta is asked again")
            out, err = query.communicate(timeout=60)
        finally:
            for fd in fds:
                os.close(fd)
            for pid in hit:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
        checks.equal(query.returncode, 3, f"{how.name}: exit code: {err.decode()}")
        got = json.loads(out)
        checks.equal((got["data"], got["nodes_ok"], got["nodes_failed"]),
                     ([{"n": 7000}], ["alpha", "gamma"], ["beta"]), f"{how.name} of a node")
        checks.that(any(n.startswith("beta: ") for n in got["notes"]), f"{how.name}: {got['notes']}")


def interrupted(world, checks):
    beta = world.hosts[1]
    common.wait_until(lambda: not beta.nodes(), 20, "nodes of other queries are gone")
    path = slow_log(world, beta)
    query = subprocess.Popen(world.command("SELECT count(*) AS n FROM files('slow.log')", ["beta"]),
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    fd = feed(path, 10)
    common.wait_until(beta.nodes, 20, "the node works")
    query.send_signal(signal.SIGINT)
    query.communicate(timeout=30)
    checks.equal(query.returncode, 3, "an interrupted query is not complete")
    common.wait_until(lambda: not beta.nodes(), 20, "the node has ended, too")
    checks.that(not beta.nodes(), "no process is left at the node")
    os.close(fd)


def main():
    checks = common.Checks()
    common.tool("NINES_SSHD")
    if not shutil.which("ssh") or not shutil.which("ssh-keygen"):
        common.skip("no ssh here")
    world = World(checks)
    try:
        same_answer(world, checks)
        another_version(world, checks)
        missing_hosts(world, checks)
        killed_and_stopped(world, checks)
        interrupted(world, checks)
    finally:
        for host in world.hosts:
            host.stop()
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""The API under load: wrk (Debian's) with 50 connections on one core asks a running agent with a
hundred SLOs, while the agent counts a growing access log.

    NINES_BIN=build/release/agent/nines NINES_LOGGEN=build/release/tests/support/nines-loggen \\
      tests/bench/api/load.py [--seconds 10] [--size 100M] [--pairs 9] [-o json]

Printed: requests a second and the latency of the median, the 90th and the 99th of a hundred for each
path; the most memory that was resident meanwhile; and what a line costs to count while the API is
asked without a pause, beside a quiet API, by turns: CPU seconds of the thread that reads, and the
seconds until all of it was counted. That thread has a core of its own, wrk and the rest of the agent
share the other: what is looked for is what they cost each other inside of the agent, not that two
cores are two. The shares are medians over the pairs. Exits with 1 when counting is slower by more
than 5 %, or more than 64 MiB were resident."""
import argparse
import glob
import json
import os
import re
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../e2e"))
import common  # noqa: E402

PATHS = ("/", "/api/slo", "/api/summary", "/api/services", "/api/burn/service-00?span=1d",
         "/api/alerts", "/api/incidents", "/metrics")
SLOS, CONNECTIONS = 100, 50
MOST_SLOWER, MOST_RESIDENT_MIB = 1.05, 64


def wrk():
    """(program, environment)"""
    script = (f'. "{common.REPO}/packaging/deps.sh"; nines_tool "$NINES_LOAD_DEPS" wrk '
              f'"{common.REPO}/build/tools/wrk"')
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True)
    if done.returncode != 0:
        common.skip("wrk cannot be had: " + done.stderr[-300:])
    libraries = glob.glob(f"{common.REPO}/build/tools/wrk/root/usr/lib/*-linux-gnu*")
    return done.stdout.strip(), {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)}


class World:
    def __init__(self, lines):
        self.folder, self.port = common.scratch("api-load"), common.free_port()
        self.log = common.write(f"{self.folder}/access.log", "")
        for i in range(SLOS):
            text = common.ratio_slo(f"slo-{i:03d}", f'paths: ["{self.folder}/other-{i % 8}.log"], format: nginx',
                                    "status < 500")
            if i < 2:
                text = text.replace(f"other-{i % 8}.log", "access.log")
            common.write(f"{self.folder}/slos/{i:03d}.yaml",
                         text.replace(f"slo-{i:03d}-service", f"service-{i // 4:02d}"))
        for i in range(8):
            common.write(f"{self.folder}/other-{i}.log",
                         "".join(common.AccessLog.line(500 if n % 50 == 0 else 200) for n in range(500)))
        config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(
            self.port, "limits: {slos: 128}\nhttp: {rate_limit: 0}\n"))
        self.agent = common.Agent(config, f"{self.folder}/state", self.port, log=f"{self.folder}/agent.log")
        self.chunk, self.size = lines, 0

    def start(self):
        self.agent.__enter__()
        common.wait_until(lambda: len(self.agent.slos()) == SLOS, 60, "a hundred SLOs")
        self.pid = self.agent.process.pid
        tasks = os.listdir(f"/proc/{self.pid}/task")
        self.reader = str(self.pid)
        self.count()
        self.reader = max(tasks, key=self.has_read)
        self.start_mib = self.resident_mib()
        with open(f"/proc/{self.pid}/clear_refs", "w") as f:
            f.write("5")  # the peak begins anew
        for task in tasks:
            os.sched_setaffinity(int(task), {1} if task == self.reader else {0})

    def cpu(self, task):
        with open(f"/proc/{self.pid}/task/{task}/schedstat") as f:
            return int(f.read().split()[0]) / 1e9

    def has_read(self, task):
        with open(f"/proc/{self.pid}/task/{task}/io") as f:
            return int(f.readline().split()[1])

    def read_bytes(self):
        body = common.get(self.port, "/metrics", timeout=30)[1].decode()
        return sum(float(line.split()[-1]) for line in body.splitlines()
                   if line.startswith("nines_tailer_read_bytes_total"))

    def count(self):
        """Appends what is to be counted; (CPU seconds of the reader, seconds) until it was."""
        before, begin = self.read_bytes(), time.monotonic()
        used = self.cpu(self.reader)
        with open(self.log, "ab") as out:
            out.write(self.chunk)
        common.wait_until(lambda: self.read_bytes() >= before + len(self.chunk), 120, "the log was read")
        took = time.monotonic() - begin
        return self.cpu(self.reader) - used, took

    def resident_mib(self):
        with open(f"/proc/{self.pid}/status") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def ask(program, environment, url, seconds):
    return subprocess.Popen([program, "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", url],
                            env=environment, stdout=subprocess.PIPE, text=True,
                            preexec_fn=lambda: os.sched_setaffinity(0, {0}))


def milliseconds(text):
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text).groups()
    return float(number) * {"us": 1e-3, "ms": 1, "s": 1e3, "m": 6e4}[unit]


def latencies(output):
    found = {name: milliseconds(re.search(rf"^ +{name}%\s+(\S+)\s*$", output, re.M).group(1)) for name in ("50", "90", "99")}
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return {"per_s": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)), "p50_ms": found["50"],
            "p90_ms": found["90"], "p99_ms": found["99"], "refused": int(bad.group(1)) if bad else 0}


def generated(size):
    path = common.scratch("api-load-lines") + "/access.log"
    start = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60))
    common.loggen(path, "nginx", bytes=size, start=start, rate=100_000)
    with open(path, "rb") as f:
        return f.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--size", default="100M")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("-o", dest="output", default="table")
    options = parser.parse_args()
    program, environment = wrk()
    world = World(generated(options.size))
    lines = world.chunk.count(b"\n")
    world.start()
    figures = {"start_mib": world.start_mib, "quiet_mib": world.resident_mib(), "paths": {}}
    try:
        for path in PATHS:
            done = ask(program, environment, f"http://127.0.0.1:{world.port}{path}", options.seconds)
            figures["paths"][path] = one = latencies(done.communicate(timeout=options.seconds + 60)[0])
            print(f"{path:32} {one['per_s']:8.0f}/s   p50 {one['p50_ms']:7.2f} ms   p90 {one['p90_ms']:7.2f} ms"
                  f"   p99 {one['p99_ms']:7.2f} ms   refused {one['refused']}   {world.resident_mib():.1f} MiB",
                  file=sys.stderr)
        pairs = []
        for _ in range(options.pairs):
            quiet = world.count()
            load = ask(program, environment, f"http://127.0.0.1:{world.port}/api/slo", 600)
            try:
                time.sleep(0.5)
                pairs.append((quiet, world.count()))
            finally:
                load.kill()
                load.wait()
        figures["cpu_share"] = statistics.median(busy[0] / quiet[0] for quiet, busy in pairs)
        figures["wall_share"] = statistics.median(busy[1] / quiet[1] for quiet, busy in pairs)
        figures["ns_a_line"] = statistics.median(quiet[0] for quiet, _ in pairs) / lines * 1e9
        figures["resident_mib"] = world.resident_mib()
    finally:
        world.agent.kill()
    if options.output == "json":
        print(json.dumps(figures, indent=2))
    else:
        print(f"counting while the API is asked: {figures['cpu_share']:.3f} of the CPU a line "
              f"({figures['ns_a_line']:.0f} ns), {figures['wall_share']:.3f} of the time; at most "
              f"{figures['resident_mib']:.1f} MiB resident, {figures['quiet_mib']:.1f} MiB before, {figures['start_mib']:.1f} MiB at most until it ran; medians of {options.pairs} pairs of {lines} lines")
    sys.exit(0 if figures["cpu_share"] <= MOST_SLOWER and figures["resident_mib"] <= MOST_RESIDENT_MIB else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What an idle agent costs with 50 files and 20 SLOs: CPU, wake-ups (voluntary context switches of
all threads) and resident memory over a while. Exit 1 when a goal is missed.
Run: NINES_BIN=build/release/agent/nines tests/bench/idle/idle.py [--seconds 20] [-o json]"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../e2e"))
import common  # noqa: E402

GOALS = {"cpu_percent": 0.2, "rss_mib": 16, "wakeups_per_s": 5}


def sample(pid):
    switches = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status") as f:
            switches += next(int(l.split()[1]) for l in f if l.startswith("voluntary_ctxt"))
    # schedstat counts nanoseconds; the ticks of /proc/PID/stat are too coarse for this.
    cpu = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as f:
            cpu += int(f.read().split()[0])
    with open(f"/proc/{pid}/status") as f:
        rss = next(int(l.split()[1]) for l in f if l.startswith("VmRSS:")) / 1024
    return {"at": time.monotonic(), "switches": switches, "cpu_s": cpu / 1e9, "rss_mib": rss,
            "threads": len(os.listdir(f"/proc/{pid}/task"))}


def prepare(folder, files, slos, lines):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() - 60))
    text = "".join(f'10.0.0.{n % 250} - - [{stamp}] "GET /{n} HTTP/1.1" 200 12 "-" "t" 0.010\n'
                   for n in range(lines))
    for n in range(files):
        common.write(f"{folder}/log/app{n}.log", text)
    documents = "".join(common.ratio_slo(f"slo{n}", f'paths: ["{folder}/log/app{n}*.log"], format: nginx',
                                         "status < 500", "", "0.999", "30d") for n in range(slos - 1))
    documents += common.ratio_slo("all", f'paths: ["{folder}/log/*.log"], format: nginx',
                                  "status < 500", "", "0.999", "30d")
    common.write(f"{folder}/slos/slos.yaml", documents)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=20)
    parser.add_argument("--files", type=int, default=50)
    parser.add_argument("--slos", type=int, default=20)
    parser.add_argument("-o", choices=("table", "json"), default="table")
    arguments = parser.parse_args()
    folder, port = common.scratch("idle"), common.free_port()
    prepare(folder, arguments.files, arguments.slos, 2000)
    # The intervals of a node, not those of the tests.
    config = common.write(f"{folder}/nines.yaml", f"node: idle\nlisten: 127.0.0.1:{port}\n"
                          f"limits: {{slos: {max(64, arguments.slos)}}}\n")
    with common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log") as agent:
        common.wait_until(lambda: agent.slos().get("all", {}).get("total") == 2000 * arguments.files,
                          60, "all lines")
        time.sleep(12)  # past the first tick after start-up
        before = sample(agent.process.pid)
        time.sleep(arguments.seconds)
        after = sample(agent.process.pid)
    span = after["at"] - before["at"]
    result = {"cpu_percent": 100 * (after["cpu_s"] - before["cpu_s"]) / span,
              "rss_mib": after["rss_mib"],
              "wakeups_per_s": (after["switches"] - before["switches"]) / span}
    if arguments.o == "json":
        print(json.dumps({"figures": result, "goals": GOALS}))
    else:
        print(f"{arguments.files} files, {arguments.slos} SLOs, {after['threads']} threads, {span:.0f} s")
    for name, value in result.items() if arguments.o == "table" else ():
        print(f"{name:14} {value:8.3f}   goal <= {GOALS[name]}  {'ok' if value <= GOALS[name] else 'MISSED'}")
    sys.exit(any(value > GOALS[name] for name, value in result.items()))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""tests/bench/incident/cost.py [--nines PROGRAM] [--loggen PROGRAM] [--lines 40000] [-o json]

Instructions a line of `nines agent --once` over generated logs, with what incidents are explained from
learned on the way and without, counted by valgrind (callgrind): a number that a busy machine does not
change. Two runs of each, over logs of one and of three times the lines, so that starting costs nothing.
"""
import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
sys.path.insert(0, os.path.join(REPO, "tests/e2e"))
import common  # noqa: E402

FORMATS = ("nginx", "json", "cri")


def instructions(command, folder):
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/callgrind.out",
                           *command], capture_output=True, text=True, cwd=folder)
    if done.returncode:
        sys.exit(done.stderr[-2000:])
    return int(re.search(r"Collected : (\d+)", done.stderr).group(1))


def documents(path, fmt):
    source = f'paths: ["{path}"], format: {"json" if fmt == "cri" else fmt}'
    return (common.ratio_slo("availability", source, "status < 500", "", "0.999", "30d")
            + common.threshold_slo("latency", source, "duration_ms", "lte", 100, "", "0.95", "30d"))


def cost(options, folder, fmt, enabled):
    counted = []
    for lines in (options.lines, 3 * options.lines):
        path = f"{folder}/{fmt}-{lines}.log"
        if not os.path.exists(path):
            subprocess.run([options.loggen, "--format", fmt, "--lines", str(lines), "--seed", "7",
                            "--rate", "60", "--out", path], check=True)
        slo = common.write(f"{folder}/{fmt}.yaml", documents(path, fmt))
        config = common.write(f"{folder}/nines.yaml",
                              f"node: bench\nincidents: {{enabled: {str(enabled).lower()}}}\n")
        counted.append(instructions([options.nines, "agent", "--once", "--config", config, "--slo",
                                     slo, "-o", "json", "--state", tempfile.mkdtemp(dir=folder)],
                                    folder))
    return (counted[1] - counted[0]) / (2 * options.lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[1])
    parser.add_argument("--nines", default=os.path.join(REPO, "build/release/agent/nines"))
    parser.add_argument("--loggen",
                        default=os.path.join(REPO, "build/release/tests/support/nines-loggen"))
    parser.add_argument("--lines", type=int, default=40_000)
    parser.add_argument("-o", choices=("table", "json"), default="table")
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="nines-cost.") as folder:
        for fmt in FORMATS:
            alone = cost(options, folder, fmt, False)
            learning = cost(options, folder, fmt, True)
            rows.append({"format": fmt, "counting_alone": round(alone), "learning": round(learning),
                         "more": learning / alone - 1})
    if options.o == "json":
        print(json.dumps(rows, indent=2))
        return
    print(f"{'instructions a line':20} {'counting alone':>15} {'learning':>9} {'more':>6}")
    for row in rows:
        print(f"{row['format']:20} {row['counting_alone']:15} {row['learning']:9} "
              f"{100 * row['more']:5.0f}%")


if __name__ == "__main__":
    main()

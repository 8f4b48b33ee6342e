#!/usr/bin/env python3
"""A thousand nodes tell a real nats-server over a few connections; whoever reads the stream has the
sums of what all of them counted."""
import json
import os
import subprocess

import common
import engines


def main():
    checks = common.Checks()
    program = os.environ.get("NINES_BENCH_BROKER", "")
    if not os.path.exists(program):
        common.skip("bench_broker is not built")
    with engines.Nats(common.scratch("nats-fleet"), "hub") as nats:
        arguments = os.environ.get("NINES_FLEET", "1000 2 1").split()
        done = subprocess.run([program, f"nats://127.0.0.1:{nats.port}", *arguments],
                              capture_output=True, text=True, timeout=1000)
        print(done.stdout, done.stderr)
        told = json.loads(done.stdout)
        resident = common.peak_rss_bytes(nats.process)
        print(f"nats-server: {resident / 1048576:.0f} MiB of memory at most")
    checks.equal(done.returncode, 0, "exit code")
    checks.that(told["told"] and told["equal"], f"the view is the sum of what was counted: {told}")
    checks.equal(told["read_messages"], told["units"], "each unit is in the stream once")
    checks.finish()


if __name__ == "__main__":
    main()

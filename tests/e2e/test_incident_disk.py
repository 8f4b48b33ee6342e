#!/usr/bin/env python3
"""A disk that fills, on a live agent whose state lies on a small file system of its own: one
incident, which becomes worse when nearly nothing is left. Needs the right to mount."""
import atexit
import json
import os
import signal
import subprocess

import common

SIZE = 64 << 20


def small_disk(path):
    os.makedirs(path)
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", path],
                          capture_output=True, check=False)
    if done.returncode != 0:
        common.skip(f"no file system can be mounted: {done.stderr.decode().strip()}")
    atexit.register(subprocess.run, ["umount", "-l", path], check=False)


def fill(path, share):
    """Up to this share of the disk, whatever is there."""
    disk = os.statvfs(path)
    wanted = int(disk.f_blocks * disk.f_frsize * share)
    used = (disk.f_blocks - disk.f_bfree) * disk.f_frsize
    with open(f"{path}/heap", "ab") as out:
        out.write(b"\0" * max(0, wanted - used))


def main():
    checks = common.Checks()
    root = common.scratch("disk")
    small_disk(f"{root}/state")
    port = common.free_port()
    config = common.write(f"{root}/nines.yaml", common.node_yaml(port))

    def incidents():
        status, body = common.get(port, "/api/incidents?state=all")[:2]
        found = json.loads(body) if status == 200 else []
        return [one for one in found if one["key"] == "disk/state"]

    with common.Agent(config, f"{root}/state", port, log=f"{root}/agent.log") as agent:
        common.wait_until(lambda: common.get(port, "/readyz")[0] == 200, 60, "the agent")
        checks.equal(incidents(), [], "all is well at first")
        fill(f"{root}/state", 0.89)
        one = common.wait_until(incidents, 150, "an incident")[0]
        checks.equal(one["severity"], "P3", f"it is worth a word: {one['title']}")
        checks.that("used" in one["title"], f"it says how full it is: {one['title']}")
        fill(f"{root}/state", 0.97)
        worse = common.wait_until(lambda: [i for i in incidents() if i["severity"] == "P1"], 150,
                                  "it becomes worse")
        checks.equal([i["id"] for i in worse], [one["id"]], "the same one, and only that")
        agent.process.send_signal(signal.SIGTERM)
        checks.equal(agent.process.wait(timeout=60), 0, "the agent stops")
    checks.finish()


if __name__ == "__main__":
    main()

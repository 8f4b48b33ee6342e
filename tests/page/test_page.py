#!/usr/bin/env python3
"""The page on a live agent, in a real browser: every page in three widths and two colours without a
serious finding of axe-core, writes and their errors, queries, keys, an agent that goes away and comes
back. Needs node, Chromium and the packages of agent/page (npm ci). Until the agent serves the compiled
page itself, agent/page/dev.mjs stands before it with the same policy.

By hand: NINES_BIN=build/dev/agent/nines tests/page/test_page.py [part...]   (parts: see drive.mjs)"""
import json
import os
import shutil
import signal
import subprocess
import sys

from world import World, common

PAGE = os.path.join(common.REPO, "agent", "page")


def found(*names):
    path = next((shutil.which(name) for name in names if shutil.which(name)), None)
    if path is None:
        common.skip(f"{' or '.join(names)} is not installed (packaging/deps.sh: NINES_PAGE_DEPS)")
    return path


def packages():
    """Of package-lock.json, once."""
    if not os.path.isdir(f"{PAGE}/node_modules/playwright-core"):
        done = common.run("npm", "ci", "--ignore-scripts", cwd=PAGE, timeout=300)
        if done.returncode != 0:
            common.skip(f"npm ci could not get the packages: {done.stderr.decode()[-300:]}")


def serves_the_page(world):
    status, body = common.get(world.port, "/")
    return status == 200 and b"/page.js" in body


class Many:
    """An agent with a hundred objectives."""

    def __init__(self):
        root, self.port = common.scratch("many"), common.free_port()
        lines = "".join(common.AccessLog.line(500 if i % 50 == 0 else 200) for i in range(500))
        common.write(f"{root}/access.log", lines)
        for i in range(100):
            text = common.ratio_slo(f"slo-{i:03d}", f'paths: ["{root}/access.log"], format: nginx',
                                    "status < 500", target="0.9" if i % 3 else "0.999")
            common.write(f"{root}/slos/{i:03d}.yaml", text.replace(
                f"slo-{i:03d}-service", f"service-{i // 4:02d}"))
        self.agent = common.Agent(common.write(f"{root}/nines.yaml", common.node_yaml(
            self.port, "limits: {slos: 128}\n")), f"{root}/state", self.port, log=f"{root}/agent.log")
        common.wait_until(lambda: len(self.agent.slos()) == 100, 60, "a hundred objectives")


class Front:
    """agent/page/dev.mjs, where the agent does not serve the page itself."""

    def __init__(self, node, world):
        self.process = None
        self.base = f"http://127.0.0.1:{world.port}"
        if serves_the_page(world):
            return
        port = common.free_port()
        self.process = subprocess.Popen([node, f"{PAGE}/dev.mjs", self.base, str(port)],
                                        stdout=subprocess.DEVNULL)
        self.base = f"http://127.0.0.1:{port}"
        common.wait_until(lambda: common.get(port, "/")[0] == 200, 20, "the server of the page")

    def end(self):
        if self.process:
            self.process.kill()
            self.process.wait()


def drive(node, facts, world):
    """Runs the driver; stops and starts the agent when it says so."""
    driver = subprocess.Popen([node, os.path.join(os.path.dirname(__file__), "drive.mjs"),
                               json.dumps(facts)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    for line in driver.stdout:
        print(line, end="", flush=True)
        if line.strip() == "STOP":
            world.north.agent.process.send_signal(signal.SIGTERM)
            world.north.agent.process.wait(timeout=60)
        elif line.strip() == "START":
            world.north.start()
        else:
            continue
        driver.stdin.write("done\n")
        driver.stdin.flush()
    return driver.wait()


def main():
    node, chromium = found("node", "nodejs"), found("chromium", "chromium-browser")
    packages()
    world, many, fronts = World(), None, []
    shots = os.environ.get("NINES_SHOTS") or os.path.join(common.REPO, "build", "page-shots")
    try:
        world.start()
        world.note_changes()
        world.breaks()
        many = Many()
        fronts = [Front(node, one) for one in (world, many)]
        incident = next(i["id"] for i in world.get("/api/incidents") if i["service"] == "orders")
        facts = {**world.facts(), "base": fronts[0].base, "many": fronts[1].base, "incident": incident, "page": PAGE,
                 "shots": shots, "chromium": chromium}
        if sys.argv[1:]:
            facts["only"] = sys.argv[1:]
        code = drive(node, facts, world)
        print(f"screenshots in {shots}")
    finally:
        for front in fronts:
            front.end()
        if many:
            many.agent.kill()
        world.end()
    sys.exit(code)


if __name__ == "__main__":
    main()

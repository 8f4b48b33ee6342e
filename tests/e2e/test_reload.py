#!/usr/bin/env python3
"""SIGHUP while lines are written: a good configuration takes over with every count kept, a bad one
is refused and the running one stays."""
import signal
import threading
import time

import common


class Writer(threading.Thread):
    """Ten lines every hundredth of a second, each a little in the past so that its slot is closed."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.ending, self.lines = path, threading.Event(), 0

    def run(self):
        with open(self.path, "a", buffering=1) as f:
            while not self.ending.is_set():
                stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() - 20))
                for _ in range(10):
                    f.write(f'10.0.0.1 - - [{stamp}] "GET / HTTP/1.1" 200 1 "-" "t" 0.010\n')
                    self.lines += 1
                self.ending.wait(0.01)


def hang_up(agent, log, word):
    """SIGHUP, then waits until the agent's log speaks of it."""
    def said():
        with open(log) as f:
            return f.read().count(word)
    before = said()
    agent.process.send_signal(signal.SIGHUP)
    common.wait_until(lambda: said() > before, 30, f"{word!r} in the log")


def main():
    checks = common.Checks()
    folder = common.scratch("reload")
    log, port = f"{folder}/access.log", common.free_port()
    said = f"{folder}/agent.log"
    source = f'paths: ["{log}"], format: nginx'
    common.write(f"{folder}/slos/a.yaml", common.ratio_slo("web", source, "status < 500", "", "0.9", "1d"))
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))
    common.write(log, "")
    writer = Writer(log)
    with common.Agent(config, f"{folder}/state", port, log=said) as agent:
        common.wait_until(lambda: common.get(port, "/readyz")[0] == 200, 30, "/readyz")
        writer.start()
        common.wait_until(lambda: agent.slos().get("web", {}).get("total"), 30, "first events")
        common.write(f"{folder}/slos/b.yaml", common.ratio_slo("two", source, "status < 300", "", "0.9", "1d"))
        hang_up(agent, said, "reloading")
        common.wait_until(lambda: "two" in agent.slos(), 30, "the new SLO")
        common.write(f"{folder}/slos/b.yaml", "apiVersion: openslo/v1\nkind: SLO\nmetadata: [\n")
        hang_up(agent, said, "not reloaded")
        checks.that({"web", "two"} <= set(agent.slos()), "a bad configuration leaves both SLOs")
        writer.ending.set()
        writer.join()
        try:
            common.wait_until(lambda: agent.slos()["web"]["total"] >= writer.lines, 30, "all lines")
        except TimeoutError:
            pass
        checks.equal(agent.slos()["web"]["total"], writer.lines, "lines counted over the reload")
        checks.that(agent.alive(), "still alive")
    checks.finish()


if __name__ == "__main__":
    main()

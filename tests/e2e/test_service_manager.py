#!/usr/bin/env python3
"""The agent under a service manager, which this test plays: ready when it answers, alive at half the
watchdog's time, a reload told and ended, a refused one not told, stopping before it ends; and what
it says of itself.
"""
import os
import signal
import socket
import subprocess
import time

from common import Checks, free_port, get, node_yaml, ratio_slo, scratch, tool, wait_until, write

WATCHDOG_S = 4


class Manager:
    """The end that systemd has: what was heard, with the time of it."""

    def __init__(self, path):
        self.path, self.heard = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)

    def listen(self):
        while True:
            try:
                self.heard.append((time.monotonic(), self.socket.recv(4096).decode()))
            except BlockingIOError:
                return [text for _, text in self.heard]

    def times(self, what):
        self.listen()
        return [at for at, text in self.heard if text == what]

    def count(self, start):
        return sum(text.startswith(start) for text in self.listen())


def main():
    checks, folder = Checks(), scratch("service-manager")
    manager, port = Manager(os.path.join(folder, "notify")), free_port()
    log = write(os.path.join(folder, "access.log"), "")
    config = write(os.path.join(folder, "nines.yaml"), node_yaml(port))
    write(os.path.join(folder, "slos/web.yaml"), ratio_slo("web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1d"))
    environment = {**os.environ, "NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": str(WATCHDOG_S * 1_000_000)}
    with open(os.path.join(folder, "agent.log"), "wb") as out:
        agent = subprocess.Popen([tool("NINES_BIN"), "agent", "--config", config, "--state",
                                  os.path.join(folder, "state")], env=environment, stdout=out, stderr=out)
    try:
        wait_until(lambda: "READY=1" in manager.listen(), 60, "ready")
        checks.equal(get(port, "/healthz")[0], 200, "who says READY answers")
        wait_until(lambda: any("1 SLO(s), judging" in text for text in manager.listen()), 60, "a status")
        wait_until(lambda: len(manager.times("WATCHDOG=1")) >= 4, 60, "four signs of life")
        checks.equal(manager.count("READY=1"), 1, "READY once")

        write(config, "nodes: misspelled\n")
        agent.send_signal(signal.SIGHUP)
        wait_until(lambda: b"not reloaded" in open(os.path.join(folder, "agent.log"), "rb").read(), 60, "a refusal")
        checks.equal(manager.count("RELOADING=1"), 0, "a reload that was refused is not told")
        write(config, node_yaml(port))
        agent.send_signal(signal.SIGHUP)
        wait_until(lambda: manager.count("READY=1") == 2, 60, "ready again")
        told = [text for text in manager.listen() if text.startswith("RELOADING=1")]
        checks.that(len(told) == 1 and "\nMONOTONIC_USEC=" in told[0], f"one reload was told, with its time: {told}")
        before = len(manager.times("WATCHDOG=1"))
        wait_until(lambda: len(manager.times("WATCHDOG=1")) > before + 1, 60, "life after the reload")
        checks.equal(manager.count("STOPPING=1"), 0, "a reload is no end")

        agent.send_signal(signal.SIGTERM)
        checks.equal(agent.wait(60), 0, "ends well")
        checks.equal(manager.listen().count("STOPPING=1"), 1, "STOPPING before the end")
    finally:
        agent.kill()
        agent.wait()
    checks.finish()


if __name__ == "__main__":
    main()

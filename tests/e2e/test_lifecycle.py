#!/usr/bin/env python3
"""How an agent ends and how it refuses to start: SIGTERM commits within two seconds, a second one
on the same state and a taken port are told clearly; without a place to write it goes on in memory."""
import json
import os
import signal
import socket
import subprocess
import time

import common


def write_lines(path, count):
    with open(path, "a") as f:
        for _ in range(count):
            stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() - 15))
            f.write(f'10.0.0.1 - - [{stamp}] "GET / HTTP/1.1" 200 1 "-" "t" 0.010\n')


def stops_and_keeps(checks, folder, config, port, log):
    write_lines(log, 500)
    # No commit by time: what the next life knows, the last one's end has written.
    slow = common.write(f"{folder}/slow.yaml", common.node_yaml(port).replace("flush: 1s", "flush: 1h")
                        + "slos: [slos/]\n")
    with common.Agent(slow, f"{folder}/state", port, log=f"{folder}/agent.log") as agent:
        common.wait_until(lambda: agent.slos().get("web", {}).get("total") == 500, 30, "500 lines")
        write_lines(log, 7)
        started = time.monotonic()
        agent.process.send_signal(signal.SIGTERM)
        code = agent.process.wait(timeout=20)
        took = time.monotonic() - started
        checks.equal(code, 0, "exit code after SIGTERM")
        checks.that(took < 2, f"SIGTERM took {took:.2f} s")
    os.rename(log, f"{folder}/gone")
    open(log, "w").close()
    once = common.run(common.tool("NINES_BIN"), "agent", "--once", "--config", config, "--state",
                      f"{folder}/state", "-o", "json")
    total = json.loads(once.stdout)[0]["total"]
    checks.that(total in (500, 507), f"kept {total} of 500 or 507 lines")
    os.remove(log)
    os.rename(f"{folder}/gone", log)


def stops_at_once(checks, folder, config, port):
    """SIGTERM at any instant of the start-up is heeded."""
    for delay in (0.01, 0.03, 0.06, 0.1, 0.2, 0.4):
        with common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log") as agent:
            time.sleep(delay)  # the instant is what is tested
            agent.process.send_signal(signal.SIGTERM)
            try:
                code = agent.process.wait(timeout=2)
                checks.that(code in (0, -signal.SIGTERM), f"SIGTERM after {delay} s: {code}")
            except subprocess.TimeoutExpired:
                checks.that(False, f"SIGTERM after {delay} s was not heeded")


def refusal(checks, what, command, words, code=3):
    done = common.run(common.tool("NINES_BIN"), *command, timeout=20)
    text = done.stderr.decode()
    checks.equal(done.returncode, code, f"{what}: exit code ({text.strip()[-300:]})")
    for word in words:
        checks.that(word in text, f"{what}: {word!r} in {text!r}")


def refusals(checks, folder, config, port):
    with common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log"):
        common.wait_until(lambda: common.get(port, "/readyz")[0] == 200, 30, "/readyz")
        refusal(checks, "second agent", ["agent", "--config", config, "--state", f"{folder}/state"],
                ["in use", f"{folder}/state", "--state"])
    with socket.socket() as taken:
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", port))
        taken.listen()
        refusal(checks, "taken port", ["agent", "--config", config, "--state", f"{folder}/other"],
                [f"127.0.0.1:{port}", "in use"])


def goes_on_in_memory(checks, folder, config, port):
    """Nowhere to write is no reason not to count; it is said, with the path."""
    common.write(f"{folder}/file", "")
    places = [f"{folder}/file/state"]
    if os.geteuid() != 0:
        os.mkdir(f"{folder}/locked", 0o500)
        places += [f"{folder}/locked", f"{folder}/locked/state"]
    else:  # root writes anywhere but to a file system that has no files
        places.append("/proc/nines")
    for place in places:
        with common.Agent(config, place, port, log=f"{folder}/agent.log") as agent:
            said = common.wait_until(lambda: (r := common.get(port, "/readyz"))[0] == 200 and r[1],
                                     30, "/readyz").decode()
            checks.that("only in memory" in said and os.path.dirname(place) in said,
                        f"{place}: {said!r}")
            checks.that("web" in agent.slos(), f"{place}: it counts")
            agent.process.send_signal(signal.SIGTERM)
            checks.equal(agent.process.wait(timeout=20), 0, f"{place}: exit code")


def main():
    checks = common.Checks()
    folder = common.scratch("lifecycle")
    log, port = f"{folder}/access.log", common.free_port()
    common.write(f"{folder}/slos/a.yaml", common.ratio_slo(
        "web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1d"))
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))
    stops_and_keeps(checks, folder, config, port, log)
    stops_at_once(checks, folder, config, port)
    refusals(checks, folder, config, port)
    goes_on_in_memory(checks, folder, config, port)
    checks.finish()


if __name__ == "__main__":
    main()

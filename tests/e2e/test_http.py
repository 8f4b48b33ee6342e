#!/usr/bin/env python3
"""A live agent over HTTP: health, readiness, the status document, metrics that promtool accepts,
and requests nobody should send."""
import json
import os
import signal
import socket
import subprocess
import time

import common

FIELDS = ("slo service tier target window budgeting_method good bad total sli burn_rate_5m "
          "burn_rate_1h burn_rate_24h composite_burn_rate error_budget_consumed "
          "error_budget_remaining risk_level state coverage window_start window_end alerts "
          "timestamp").split()


def write_log(path, good, bad):
    stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(time.time() - 15))
    line = '10.0.0.1 - - [%s] "GET / HTTP/1.1" %d 1 "-" "t" 0.010\n'
    with open(path, "a") as f:
        f.write(line % (stamp, 200) * good + line % (stamp, 500) * bad)


def raw_request(port, data):
    """What a server answers to these bytes; b"" when it hangs up."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as s:
        try:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return s.recv(4096)
        except OSError:
            return b""


def metrics(checks, port):
    status, text = common.get(port, "/metrics")
    checks.equal(status, 200, "/metrics")
    checks.that(b"nines_slo_events_total" in text, "/metrics has nines_slo_events_total")
    promtool = os.environ.get("NINES_PROMTOOL", "")
    if not promtool or not os.path.exists(promtool):
        print("promtool is not there: /metrics not checked by it")
        return
    done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True)
    checks.equal((done.returncode, done.stderr.decode()), (0, ""), "promtool check metrics")


def abuse(checks, port):
    checks.equal(common.get(port, "/no/such/thing")[0], 404, "unknown path")
    checks.that(common.get(port, "/api/slo", method="POST")[0] in (401, 403, 404, 405),
                "POST is refused")
    for what, data in {"no HTTP": b"\x16\x03\x01\x00\xff\n\n", "endless header": b"GET / HTTP/1.1\r\nX: "
                       + b"a" * (1 << 20), "empty": b"", "bad method": b"BREW / HTTP/1.1\r\n\r\n"}.items():
        answer = raw_request(port, data)
        checks.that(b" 200 " not in answer[:20], f"{what}: answered {answer[:40]!r}")
    for host, wanted in (("evil.example", b" 421 "), (f"evil.example:{port}", b" 421 "), ("localhost", b" 200 "),
                         (f"127.0.0.1:{port}", b" 200 "), ("test", b" 200 ")):
        answer = raw_request(port, f"GET /api/slo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        checks.that(wanted in answer[:20], f"asked as {host}: {answer[:40]!r}")
    checks.equal(common.get(port, "/healthz")[0], 200, "alive after abuse")


def main():
    checks = common.Checks()
    folder = common.scratch("http")
    log, port = f"{folder}/access.log", common.free_port()
    write_log(log, 190, 10)
    common.write(f"{folder}/slos/a.yaml", common.ratio_slo(
        "a", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1d"))
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))
    with common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log") as agent:
        common.wait_until(lambda: common.get(port, "/healthz")[0] == 200, 20, "/healthz")
        common.wait_until(lambda: common.get(port, "/readyz")[0] == 200, 30, "/readyz")
        status = common.wait_until(
            lambda: (s := agent.slos().get("a")) and s["total"] == 200 and s, 60, "200 events")
        checks.equal((status["good"], status["bad"], status["sli"]), (190, 10, 0.95), "counts")
        checks.equal([f for f in FIELDS if f not in status], [], "missing fields")
        table = common.run(common.tool("NINES_BIN"), "slo", "status", "--config", config, "-o", "json")
        checks.equal(table.returncode, 0, "nines slo status")
        checks.equal(json.loads(table.stdout or "[{}]")[0].get("total"), 200,
                     "nines slo status asks the agent")
        metrics(checks, port)
        abuse(checks, port)
        write_log(log, 100, 0)
        common.wait_until(lambda: agent.slos().get("a", {}).get("total") == 300, 60,
                          "new lines are counted")
        agent.process.send_signal(signal.SIGTERM)
        checks.equal(agent.process.wait(timeout=20), 0, "SIGTERM ends it with")
    checks.finish()


if __name__ == "__main__":
    main()

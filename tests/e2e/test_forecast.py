#!/usr/bin/env python3
"""A budget that runs out in a replay of seven weeks: the early warning comes before, `nines slo
forecast` says when from the state it left behind and from a running agent alike, and the back-test
finds what was forecast. The state itself stays as it was."""
import hashlib
import json
import os
import re
import time

import common

DAY = 86400


def write_log(path, start, days):
    """A line every 40 s; healthy for 40 days, then six times the budget of 1 %."""
    bad = 0
    with open(path, "w") as f:
        for n in range(days * DAY // 40):
            t = start + 40 * n
            bad += 6 if t >= start + 40 * DAY else 0.2
            status = 200
            if bad >= 100:
                bad -= 100
                status = 500
            f.write(common.AccessLog.line(status, t))


def digest(folder):
    with open(f"{folder}/nines.db", "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def slo_command(*arguments):
    done = common.run(common.tool("NINES_BIN"), "slo", "forecast", *arguments)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def main():
    checks = common.Checks()
    folder = common.scratch("forecast")
    log, state, port = f"{folder}/access.log", f"{folder}/state", common.free_port()
    start = int(time.time()) // DAY * DAY - 46 * DAY
    write_log(log, start, 46)
    document = common.write(f"{folder}/slos/web.yaml", common.ratio_slo(
        "web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.99", "30d"))
    replay = common.run(common.tool("NINES_BIN"), "agent", "--once", "--clock", "log", "--slo",
                        document, "--state", state, "-o", "json")
    status = json.loads(replay.stdout)[0]
    told = replay.stderr.decode()
    fired = re.search(r"^(\S+) FIRED P[23] ticket web: web will have used up", told, re.M)
    ended = re.search(r"^(\S+) resolved ticket web: web has come to what was forecast", told, re.M)
    checks.that(fired and ended, f"no early warning, or no end of it: {told[-1500:]}")
    if fired and ended:
        lead = (time.mktime(time.strptime(ended[1], "%Y-%m-%dT%H:%M:%SZ"))
                - time.mktime(time.strptime(fired[1], "%Y-%m-%dT%H:%M:%SZ"))) / 3600
        checks.that(18 <= lead <= 30, f"warned {lead:.1f} h before the end of the budget")
    checks.equal(status["forecast"]["time_to_exhaustion_hours"], 0, "exhausted")

    before = digest(state)
    code, text, errors = slo_command("web", "--state", state, "--slo", document, "-o", "json")
    checks.equal(code, 0, f"forecast from the state: {errors}")
    checks.equal(json.loads(text)["forecast"]["forecast_message"],
                 "The error budget is exhausted.", "message")
    code, text, errors = slo_command("--backtest", "--state", state, "--slo", document, "-o", "json")
    checks.equal(code, 0, f"back-test from the state: {errors}")
    report = json.loads(text)[0]
    checks.equal(report["exhaustions"], 1, "times the budget ran out")
    methods = {m["method"]: m["exhaustion"] for m in report["methods"]}
    checks.that(methods["regression+expiry"]["hits"] >= 10, f"hits: {methods}")
    checks.equal(methods["steady"]["hits"], 0, "what stays as it is foresees nothing")
    checks.equal(digest(state), before, "the state was only read")
    code, _, errors = slo_command("--state", f"{folder}/nowhere", "--slo", document)
    checks.equal(code, 3, f"no state: {errors}")

    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port))
    with common.Agent(config, state, port, log=f"{folder}/agent.log") as agent:
        common.wait_until(lambda: agent.slos().get("web", {}).get("total"), 30, "the agent")
        address = ("--agent", f"127.0.0.1:{port}")
        code, text, errors = slo_command("--backtest", *address)
        checks.equal(code, 0, f"back-test by the agent: {errors}")
        checks.that("regression+expiry" in text and "steady" in text, text)
        code, text, errors = slo_command("web", *address)
        checks.equal(code, 0, f"forecast by the agent: {errors}")
        checks.equal(slo_command("nobody", *address)[0], 2, "an SLO that nobody knows")
        code, _ = common.get(port, "/api/capacity")
        checks.equal(code, 200, "/api/capacity")
    os.remove(log)
    checks.finish()


if __name__ == "__main__":
    main()

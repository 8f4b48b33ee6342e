#!/usr/bin/env python3
"""No configuration at all: drafts for the logs of a node, also for a pod that appears later; what
`suggest` prints counts the same; `doctor` tells; `tail --state` prints every record once."""
import json
import os
import time

import common


def stamp(shape, ago=20):
    return time.strftime(shape, time.gmtime(time.time() - ago))


def nginx(root, good, bad):
    line = '10.0.0.1 - - [%s] "GET /a HTTP/1.1" %d 1 "-" "t" 0.010\n'
    when = stamp("%d/%b/%Y:%H:%M:%S +0000")
    append(f"{root}/nginx/access.log", line % (when, 200) * good + line % (when, 502) * bad)


def cri(root, pod, uid, container, records):
    when = stamp("%Y-%m-%dT%H:%M:%S") + ".000000000Z"
    append(f"{root}/pods/shop_{pod}_{uid}/{container}/0.log",
           "".join(f"{when} stdout F {json.dumps(r)}\n" for r in records))


def requests(good, bad):
    return [{"time": stamp("%Y-%m-%dT%H:%M:%SZ"), "level": "info", "status": s, "duration_ms": 12}
            for s in [200] * good + [500] * bad]


def append(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "a") as f:
        f.write(text)


def counts(status):
    return {s["slo"]: (s["good"], s["bad"]) for s in status}


def nines(*arguments):
    # No nines.yaml of the machine: an empty working directory and an explicit configuration.
    return common.run(common.tool("NINES_BIN"), *arguments, timeout=60)


def live(checks, folder, root, config, port):
    with common.Agent(config, f"{folder}/state", port, extra=["--log-root", root],
                      log=f"{folder}/agent.log") as agent:
        # The nines.yaml sets a port and short times only: sources and SLOs are found.
        first = common.wait_until(lambda: (s := agent.slos()) and "nginx-availability" in s
                                  and s["nginx-availability"]["total"] == 100 and s, 30, "drafts")
        checks.equal((first["nginx-availability"]["good"], first["nginx-availability"]["bad"]),
                     (90, 10), "nginx counts")
        checks.that("cart-availability" in first and "cart-latency" in first,
                    f"drafts of the pod among {sorted(first)}")
        checks.that("syslog-errors" in first, f"a draft of the syslog among {sorted(first)}")
        checks.that(all(s["draft"] for s in first.values()), "drafts are marked")
        cri(root, "pay-1", "u2", "pay", requests(30, 3))
        later = common.wait_until(
            lambda: (s := agent.slos().get("pay-availability")) and s["total"] == 33 and s, 60,
            "the SLO of a pod that appeared later")
        checks.equal((later["good"], later["bad"], later["draft"]), (30, 3, True), "later pod")
        cri(root, "pay-1", "u2", "pay", requests(5, 0))
        common.wait_until(lambda: agent.slos()["pay-availability"]["total"] == 38, 20, "its new lines")
        return counts(agent.slos().values())


def nothing_yet(checks, folder, port):
    """An agent that starts before any log is there drafts what appears."""
    root = f"{folder}/empty"
    os.makedirs(root)
    config = common.write(f"{folder}/empty.d/nines.yaml", common.node_yaml(port))
    with common.Agent(config, f"{folder}/state-empty", port, extra=["--log-root", root],
                      log=f"{folder}/agent.log") as agent:
        common.wait_until(lambda: common.get(port, "/healthz")[0] == 200, 20, "/healthz")
        nginx(root, 9, 1)
        common.wait_until(lambda: agent.slos().get("nginx-availability", {}).get("total") == 10, 60,
                          "a draft of the first log")
        checks.that(agent.alive(), "alive")


def suggested(checks, folder, root, config, drafted):
    done = nines("suggest", "--config", config, "--log-root", root)
    checks.equal(done.returncode, 0, "nines suggest")
    path = common.write(f"{folder}/suggested/slos.yaml", done.stdout)
    lint = nines("slo", "lint", "--config", config, path)
    checks.equal(lint.returncode, 0, f"lint of what suggest prints: {lint.stdout.decode()[-500:]}")
    checks.that(b" 0 error(s)" in lint.stdout, "no errors")
    once = nines("agent", "--once", "--config", config, "--slo", path, "-o", "json")
    checks.equal(once.returncode, 0, "agent --once --slo")
    checks.equal(counts(json.loads(once.stdout)), drafted, "suggested and drafted counts")


def doctor(checks, folder, root, config):
    done = nines("doctor", "--config", config, "--log-root", root, "--state", f"{folder}/state",
                 "-o", "json")
    found = {c["check"]: c for c in json.loads(done.stdout)}
    checks.that({"configuration", "logs", "inotify", "state", "clock", "agent"} <= set(found),
                f"checks {sorted(found)}")
    checks.that(all(c["verdict"] in ("ok", "warning", "problem") for c in found.values()), "verdicts")
    checks.that(all(c["remedy"] for c in found.values() if c["verdict"] == "problem"), "remedies")
    checks.equal((found["logs"]["verdict"], done.returncode), ("ok", 0), "doctor of a sound node")
    common.write(f"{folder}/file", "")
    bad = nines("doctor", "--config", config, "--log-root", root, "--state", f"{folder}/file/x",
                "-o", "json")
    problems = [c["check"] for c in json.loads(bad.stdout) if c["verdict"] == "problem"]
    checks.equal((bad.returncode, problems), (1, ["state"]), "doctor of a state below a file")


def tail(checks, folder):
    log, state = f"{folder}/tail/pods/shop_web-1_u9/web/0.log", f"{folder}/tail-state"
    when = "2026-03-01T12:00:0%d.000000000Z"

    def records():
        done = nines("tail", f"{folder}/tail/pods/*/*/0.log", "--once", "--state", state)
        checks.equal(done.returncode, 0, f"nines tail: {done.stderr.decode()[-300:]}")
        return [json.loads(line)["message"] for line in done.stdout.splitlines()]

    append(log, f"{when % 1} stdout F one\n{when % 2} stdout P two-\n{when % 3} stdout F half\n")
    seen = [records()]
    checks.equal(seen[0], ["one", "two-half"], "CRI pieces are joined")
    append(log, f"{when % 4} stdout P three\n")  # nothing is withheld from who reads once
    seen.append(records())
    append(log, f"{when % 5} stdout F end\n{when % 5} stdout F four\n")
    os.rename(log, log + ".20260301-120005")
    append(log, f"{when % 6} stdout F five\n")
    seen.append(records())
    seen.append(records())
    checks.equal(sorted(m for part in seen for m in part),
                 sorted(["one", "two-half", "three", "end", "four", "five"]),
                 f"every record exactly once, over four runs {seen}")


def main():
    checks = common.Checks()
    folder = common.scratch("zero")
    root, port = f"{folder}/log", common.free_port()
    nginx(root, 90, 10)
    cri(root, "cart-1", "u1", "cart", requests(50, 5))
    when = stamp("%Y-%m-%dT%H:%M:%SZ")
    append(f"{root}/syslog", "".join(f"<{30 if n % 10 else 27}>1 {when} host app 1 - - line {n}\n"
                                     for n in range(40)))
    config = common.write(f"{folder}/etc/nines.yaml", common.node_yaml(port))
    tail(checks, folder)
    drafted = live(checks, folder, root, config, port)
    suggested(checks, folder, root, config, drafted)
    doctor(checks, folder, root, config)
    nothing_yet(checks, folder, port)
    checks.finish()


if __name__ == "__main__":
    main()

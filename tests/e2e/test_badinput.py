#!/usr/bin/env python3
"""What bad input gets: hostile lines are counted, bounded, survived; bad configuration gets one
clear message with file:line:column, a hint, and exit code 2."""
import json
import os
import re
import subprocess
import threading
import time

import common

GOOD = '10.0.0.1 - - [20/Nov/2026:10:%02d:%02d +0000] "GET / HTTP/1.1" 200 1 "-" "t" 0.010\n'
NOBODY = 65534
LIMIT_BYTES = 64 << 20


def good_lines(count):
    return [(GOOD % (i // 60 % 60, i % 60)).encode() for i in range(count)]


PEAK = [0]


def note_peak(process):
    me = os.path.realpath("/proc/self/exe")
    while process.poll() is None:
        try:
            if os.path.realpath(f"/proc/{process.pid}/exe") != me:  # not before exec
                PEAK[0] = max(PEAK[0], common.peak_rss_bytes(process))
        except OSError:
            pass
        time.sleep(0.002)


def once(document, folder, *extra, uid=None):
    """(exit code, status by name, stderr) of `agent --once --clock log`; notes its peak RSS."""
    def drop():
        if uid is not None and os.getuid() == 0:
            os.setgroups([])
            os.setgid(uid)
            os.setuid(uid)

    def run_and_measure():
        process = subprocess.Popen(
            [common.tool("NINES_BIN"), "agent", "--once", "--clock", "log", "--slo", document, "-o",
             "json", *extra], stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=drop,
            cwd=folder)
        watch = threading.Thread(target=note_peak, args=(process,))
        watch.start()
        out, err = process.communicate(timeout=120)
        watch.join()
        return process.returncode, out, err

    code, out, err = run_and_measure()
    try:
        status = {s["slo"]: s for s in json.loads(out)} if out.strip() else {}
    except ValueError:
        status = {}
    return code, status, err.decode(errors="replace")


def hostile(checks, folder, name, spoil, lines=500, extra_counted=(0,)):
    """`spoil` lies between good lines; all good ones must be counted, whatever it is."""
    good = good_lines(lines)
    path = common.write(f"{folder}/{name}.log", b"".join(good[:lines // 2]) + spoil
                        + b"".join(good[lines // 2:]))
    document = common.write(f"{folder}/{name}.yaml", common.ratio_slo(
        "a", f'paths: ["{path}"], format: nginx', "status < 500", "", "0.9", "1d"))
    code, status, err = once(document, folder, "--state", f"{folder}/state-{name}")
    if not checks.equal(code, 0, f"{name}: exit code"):
        print(err[-2000:])
        return
    # The last slot of 10 s may still be open; close it with a look at the window's end.
    total = status["a"]["total"]
    wanted = [lines + n for n in extra_counted]
    checks.that(total in wanted, f"{name}: total {total}, expected one of {wanted}")


def links(checks, folder):
    """A link in a log folder is read where the source may lead, and nowhere else."""
    logs, secret = f"{folder}/linked", f"{folder}/elsewhere"
    os.makedirs(f"{logs}/data")
    os.makedirs(secret)
    lines = b"".join(good_lines(20))
    common.write(f"{logs}/data/0", lines)
    common.write(f"{secret}/key", lines)
    os.symlink("data/0", f"{logs}/inside.log")
    os.symlink("../elsewhere/key", f"{logs}/evil.log")
    paths = [f"{logs}/*.log"]

    def total(name):
        given = json.dumps(paths)
        document = common.write(f"{folder}/{name}.yaml", common.ratio_slo(
            "a", f"paths: {given}, format: nginx", "status < 500", "", "0.9", "1d"))
        code, status, err = once(document, folder, "--state", f"{folder}/state-{name}")
        checks.equal(code, 0, f"{name}: exit code")
        return status.get("a", {}).get("total"), err

    counted, err = total("links")
    checks.equal(counted, 20, "a link within the folder is counted, one out of it is not")
    said = [line for line in err.splitlines() if "evil.log leads to" in line]
    checks.equal(len(said), 1, "the link that is not followed is said once")
    checks.that(said and "add " in said[0] and f"{secret}/key to the paths" in said[0],
                f"with a way out: {said}")
    paths.append(f"{secret}/key")
    counted, err = total("links-named")
    checks.equal(counted, 40, "what the operator names himself is counted, once")
    checks.that("leads to" not in err, "and nothing is said")


def bad_logs(checks, folder):
    odd = (GOOD % (4, 1)).encode()
    hostile(checks, folder, "nul", b"\0\0\0\n" + b"\0" * 100_000 + b"\n")
    hostile(checks, folder, "binary", bytes(range(1, 10)) + b"\xff\xfe\xc3\x28\n")
    hostile(checks, folder, "utf8", odd.replace(b"GET /", b"GET /\xc3\x28\xff"), extra_counted=(1,))
    hostile(checks, folder, "empty", b"\n\n\r\n")
    # Cut to its first bytes, and they are no access log line.
    hostile(checks, folder, "long", b"x" * (100 << 20) + b"\n")
    hostile(checks, folder, "years", odd.replace(b"/2026:", b"/1754:") + odd.replace(b"/2026:", b"/2262:"),
            extra_counted=(0, 2))
    peak = PEAK[0]
    checks.that(peak > 0, "the peak RSS was measured")
    checks.that(peak < LIMIT_BYTES, f"peak RSS {peak / 2**20:.1f} MiB is over 64 MiB")


def unreadable(checks, folder):
    path = common.write(f"{folder}/secret/secret.log", b"".join(good_lines(50)))
    readable = common.write(f"{folder}/open.log", b"".join(good_lines(50)))
    os.chmod(path, 0)
    os.chmod(folder, 0o755)
    document = common.write(f"{folder}/unreadable.yaml", common.ratio_slo(
        "a", f'paths: ["{readable}", "{path}"], format: nginx', "status < 500", "", "0.9", "1d"))
    state = f"{folder}/state-unreadable"
    os.mkdir(state)
    os.chmod(state, 0o777)
    code, status, err = once(document, folder, "--state", state, uid=NOBODY)
    checks.that(code in (0, 3), f"unreadable: exit code {code}\n{err[-1000:]}")
    checks.that("secret.log" in err, f"unreadable: no message names the file: {err[-500:]!r}")
    checks.that("a" in status and status["a"]["total"] == 50,
                "unreadable: the readable file beside it must be counted: "
                f"{status.get('a', {}).get('total')}")


def vanished(checks, folder):
    document = common.write(f"{folder}/vanished.yaml", common.ratio_slo(
        "a", f'paths: ["{folder}/nowhere/*.log"], format: nginx', "status < 500", "", "0.9", "1d"))
    code, status, err = once(document, folder, "--state", f"{folder}/state-vanished")
    checks.that(code in (0, 3), f"vanished: exit code {code}: {err[-500:]!r}")
    checks.that("a" in status and status["a"]["state"] == "NO_DATA", "vanished: state is NO_DATA")
    checks.that("a" in status and status["a"]["sli"] is None, "vanished: sli is null")
    checks.that("nowhere" in err, f"vanished: no message names the glob: {err[-500:]!r}")


def bad_configuration(checks, folder):
    """Each: what is changed in a right document, and what the message must speak of."""
    right = common.ratio_slo("a", f'paths: ["{folder}/open.log"], format: nginx', "status < 500", "",
                             "0.9", "1d")
    cases = {
        "invalid-yaml": (right.replace("metadata:", "metadata: [", 1), ""),
        "unknown-key": (right.replace("budgetingMethod", "budgetingMethode"), "budgetingMethod"),
        "target-one": (right.replace("target: 0.9", "target: 1"), "target"),
        "target-above": (right.replace("target: 0.9", "target: 1.5"), "target"),
        "target-zero": (right.replace("target: 0.9", "target: 0"), "target"),
        "target-negative": (right.replace("target: 0.9", "target: -0.1"), "target"),
        "wrong-type": (right.replace("target: 0.9", "target: [0.9]"), "target"),
        "no-source": (re.sub(r'paths: \[[^]]*\], format: nginx, ', "", right).replace(
            f'paths: ["{folder}/open.log"], format: nginx', ""), "source"),
        "bad-expression": (right.replace("status < 500", "status < < 500"), "<"),
        "wrong-window": (right.replace("duration: 1d", "duration: soon"), "soon"),
        "wrong-format": (right.replace("format: nginx", "format: ngnix"), "nginx"),
    }
    for name, (text, word) in cases.items():
        path = common.write(f"{folder}/bad/{name}.yaml", text)
        checks.that(text != right, f"{name}: the case changes nothing")
        for command in (("agent", "--once", "--slo", path), ("slo", "lint", path)):
            done = common.run(common.tool("NINES_BIN"), *command, cwd=folder, timeout=30)
            message = done.stderr.decode() + (done.stdout.decode() if command[0] == "slo" else "")
            what = f"{name}, nines {' '.join(command[:2])}"
            checks.equal(done.returncode, 2, f"{what}: exit code")
            checks.that(re.search(rf"{re.escape(os.path.basename(path))}:\d+:\d+", message),
                        f"{what}: no file:line:column in {message[-400:]!r}")
            checks.that(word in message, f"{what}: {word!r} not in {message[-400:]!r}")
            checks.that("hint" in message, f"{what}: no hint in {message[-400:]!r}")
    config = common.write(f"{folder}/bad/nines.yaml", "node: x\nlisen: 127.0.0.1:1\n")
    done = common.run(common.tool("NINES_BIN"), "agent", "--once", "--config", config, cwd=folder)
    checks.equal(done.returncode, 2, "unknown key in nines.yaml: exit code")
    checks.that(b"nines.yaml:2:1" in done.stderr and b"listen" in done.stderr,
                f"unknown key in nines.yaml: {done.stderr[-300:]!r}")


def bad_usage(checks, folder):
    for arguments in (("--nonsense",), ("agent", "--nonsense"), ("agent", "--clock", "sundial")):
        done = common.run(common.tool("NINES_BIN"), *arguments, cwd=folder, timeout=30)
        checks.equal(done.returncode, 2, f"nines {' '.join(arguments)}: exit code")
        checks.that(done.stderr, f"nines {' '.join(arguments)}: says nothing")


def main():
    checks = common.Checks()
    folder = common.scratch("badinput")
    bad_logs(checks, folder)
    unreadable(checks, folder)
    vanished(checks, folder)
    links(checks, folder)
    bad_configuration(checks, folder)
    bad_usage(checks, folder)
    checks.finish()


if __name__ == "__main__":
    main()

"""Faults that have a test of their own already: not repeated here, but named, and run by --all."""
import os
import subprocess
import sys

import trial

E2E, CONFORMANCE, CTEST = "tests/e2e/", "tests/conformance/", "ctest -R "
REPO = os.path.dirname(os.path.dirname(trial.HERE))

SHOWN = (
    ("SIGKILL at random, 60 times (--long: 240), while logs grow and rotate", (E2E + "test_kill.py",)),
    ("SIGKILL with joins and groups across two logs", (E2E + "test_join_kill.py",)),
    ("SIGKILL over and over, rotations of every kind, kills inside start-up", (
        CONFORMANCE + "torture --tools nines --short", CONFORMANCE + "soak --short")),
    ("power loss, three times: loop ext4, xfs_io -x -c shutdown; disk full to the last byte; flushes of half a"
     " second; read-only at the start; state header, half, bits or all of it lost, refetched from peers",
     (E2E + "test_store_faults.py",)),
    ("unsynced writes dropped, reordered, torn; n-th write fails; ballast; flipped bits: a crash VFS",
     (CTEST + "unit.store",)),
    ("state that this user cannot write, or that cannot even be", (E2E + "test_state_readonly.py",)),
    ("log disk of an incident fills", (E2E + "test_incident_disk.py",)),
    ("NUL, binary, bad UTF-8, 100 MB lines, absurd years; unreadable and vanished logs; bad configuration",
     (E2E + "test_badinput.py",)),
    ("rotated with inode reuse while down; copytruncate, links, damaged state, partial lines",
     tuple(f"{CONFORMANCE}run --group {group}" for group in ("state", "files", "lines", "containers"))),
    ("what is no HTTP, an endless header, a wrong method", (E2E + "test_http.py",)),
    ("partition, one-way loss, bridge node, half-open TCP, RST and corrupted bytes, loss, slow links,"
     " clocks four minutes apart", (E2E + "test_partitions.py",)),
    ("upstream answers 429, 500, 503, 400, loses its answers, agent killed meanwhile",
     (E2E + "test_upstream_faults.py",)),
    ("six hours without a network, and six hours apart, simulated", (CTEST + "sim.outage",)),
    ("receiver of pages down, broken, or killed between firing and delivery", (E2E + "test_alerts.py",)),
    ("broker killed, without its store, forgetting everything, refusing logins", (E2E + "test_nats.py", E2E + "test_mqtt.py")),
    ("node killed; strangers of another authority", (E2E + "test_fleet.py",)),
    ("no inotify instance, no watch, too many files", (CTEST + "unit.collector",)),
    ("back-off under pressure (PSI), CPU budget kept within 5 %", (CTEST + "unit.collector",)),
    ("SIGKILL while the query index is written; index damaged", (E2E + "test_query_index.py",)),
    ("hostile bytes into every parser and protocol", (CTEST + "fuzz",)),
)


def programs():
    """Each once; those of ctest are compiled, and tests/run runs them."""
    return list(dict.fromkeys(p for _, shown in SHOWN for p in shown if not p.startswith(CTEST)))


def run():
    """Those that failed."""
    failed = []
    for program in programs():
        path, *words = program.split()
        done = subprocess.run([sys.executable, os.path.join(REPO, path), *words], capture_output=True)
        said = {0: "ok", 77: "SKIPPED"}.get(done.returncode, "FAILED")
        print(f"      {said:8} {program}", flush=True)
        if said == "FAILED":
            failed.append(program)
            print(done.stdout.decode(errors="replace")[-3000:] + done.stderr.decode(errors="replace")[-1000:])
        if said == "SKIPPED":
            print(f"               {done.stdout.decode(errors='replace').strip()[-200:]}")
    return failed

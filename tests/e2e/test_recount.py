#!/usr/bin/env python3
"""The oracle itself, on cases small enough to count by hand."""
from fractions import Fraction

import common
import recount


def main():
    checks = common.Checks()
    line = '1.2.3.4 - - [21/Nov/2026:01:35:51 +0100] "GET /a HTTP/1.1" 503 7 "-" "x" 0.250'
    record = next(recount.read_nginx([line]))
    checks.equal(record["ts"], 1795221351, "CLF time with a zone")
    checks.equal((record["status"], record["duration_ms"]), (503, 250), "nginx fields")
    checks.equal(list(recount.read_nginx(["garbage"])), [None], "malformed line")
    pieces = ['2026-11-21T00:35:51.5Z stdout P {"time":"2026-11-21T00:35:51.5Z","lev',
              '2026-11-21T00:35:51.6Z stderr F {"time":"2026-11-21T00:35:51.6Z","level":"error"}',
              '2026-11-21T00:35:51.7Z stdout F el":"info"}']
    joined = list(recount.read_cri(pieces))
    checks.equal([r["level"] for r in joined], [4, 2], "CRI pieces are joined per stream")

    checks.equal(recount.window_start(100_000, 300), 99_700, "5 m lies on 10 s slots")
    checks.equal(recount.window_start(100_010, 86400), 13_560, "24 h is aligned down to 60 s")
    checks.equal(recount.window_start(2_600_010, 30 * 86400), 7_800, "30 d is aligned to 300 s")

    slo = recount.Slo("s", lambda r: r["ok"], "0.99", 3600)
    for i in range(1000):
        slo.count({"ts": 100_000 + i, "ok": i % 50 != 0})
    got = recount.expected(slo, 101_000, [])
    checks.equal((got["good"], got["bad"], got["sli"]), (980, 20, Fraction(98, 100)), "counts")
    checks.equal(got["burn_rate_1h"], 2, "2 % bad of a 1 % budget burn twice as fast")
    checks.equal((got["risk_level"], got["state"]), ("DANGER", "VIOLATED"), "exactly 2 is DANGER")
    checks.equal(recount.expected(slo, 90_000, [])["sli"], None, "no events: no ratio")
    checks.that(abs(recount.tail_probability(2, 10, 0.1) - 0.2639010709) < 1e-9, "binomial tail")
    checks.equal(recount.replay_alerts(slo, 101_000), ["slow"], "2 burns over 30 m and 5 m of 1 h")
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A generated day in three formats: every number of the status document equals the recount."""
import datetime
import json
import os
from fractions import Fraction

import common
import recount

DAYS = "1"
FORMATS = {
    "nginx": {"seed": 11, "rate": 2.5, "outages": "9:12:0.25,23.2:40:0.12", "malformed": 0.001},
    "json": {"seed": 12, "rate": 2, "outages": "3.5:30:0.4,20:5:0.9", "malformed": 0.001},
    "cri": {"seed": 13, "rate": 1, "outages": "23.6:20:0.5", "malformed": 0.001},
}


def not_health(r):
    return r["path"] is not None and not r["path"].startswith("/healthz")


def make_slos(paths):
    """[(format, YAML, oracle)]: each SLO said twice, in OpenSLO and in Python."""
    source = {f: f'paths: ["{p}"], format: {f if f != "cri" else "auto"}' for f, p in paths.items()}
    day, hour, month = 86400, 3600, 30 * 86400
    return [
        ("nginx", common.ratio_slo("web-availability", source["nginx"], "status < 500",
                                   "path NOT LIKE '/healthz%'", "0.999", "30d"),
         recount.Slo("web-availability",
                     lambda r: r["status"] < 500 if not_health(r) else None, "0.999", month)),
        ("nginx", common.ratio_slo("web-errors", source["nginx"], "status >= 500 OR status = 404",
                                   "", "0.97", "1d", part="bad"),
         recount.Slo("web-errors", lambda r: not (r["status"] >= 500 or r["status"] == 404),
                     "0.97", day)),
        ("nginx", common.threshold_slo("web-latency", source["nginx"], "duration_ms", "lte", 100,
                                       "status < 500", "0.95", "1d"),
         recount.Slo("web-latency",
                     lambda r: r["duration_ms"] <= 100
                     if r["status"] < 500 and r["duration_ms"] is not None else None,
                     "0.95", day)),
        ("json", common.ratio_slo("orders", source["json"], "status < 500", "", "0.995", "7d"),
         recount.Slo("orders", lambda r: r["status"] < 500, "0.995", 7 * day)),
        ("json", common.threshold_slo("orders-latency", source["json"], "duration_ms", "lt",
                                      "48.5", "http.method = 'GET'", "0.5", "1h"),
         recount.Slo("orders-latency",
                     lambda r: r["duration_ms"] < Fraction("48.5")
                     if r["http"]["method"] == "GET" else None, "0.5", hour)),
        ("cri", common.ratio_slo("payments", source["cri"], "level < 'ERROR'", "", "0.99", "1h"),
         recount.Slo("payments", lambda r: r["level"] < 4, "0.99", hour)),
    ]


BUDGET_RULES = (("budget-90", Fraction(9, 10), 60), ("budget-50", Fraction(1, 2), 300))
POLICY = """---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: budgets}
spec:
  selector: {tier: ["1", "2", "3"]}
  budgetAlerts:
    - {consumedPercent: 50, severity: warning, for: 5m}
    - {consumedPercent: 90, severity: critical, for: 1m}
"""


def unix(text):
    return Fraction(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def close(got, exact):
    if got is None or exact is None:
        return got is None and exact is None
    wanted = float(exact)
    return abs(got - wanted) <= 1e-12 * max(abs(wanted), 1e-300) or got == wanted


def compare(checks, got, slo):
    end = int(unix(got["window_end"]))
    firing = recount.replay_alerts(slo, end, BUDGET_RULES)
    for field, exact in recount.expected(slo, end, firing).items():
        what = f"{slo.name}.{field}"
        if field in ("window_start", "window_end"):
            checks.equal(unix(got[field]), exact, what)
        elif isinstance(exact, (str, int)):
            checks.equal(got[field], exact, what)
        else:
            checks.that(close(None if got[field] is None else float(got[field]), exact),
                        f"{what}: got {got[field]!r}, expected {exact and float(exact)!r}")
    # The early warning is a forecast, which the recount makes none of.
    rules = sorted(a["rule"] for a in got["alerts"] if a["rule"] != "forecast")
    checks.equal(rules, sorted(firing), f"{slo.name}.alerts")
    checks.equal(got["budgeting_method"], "Occurrences", f"{slo.name}.budgeting_method")
    checks.equal(got["service"], f"{slo.name}-service", f"{slo.name}.service")
    checks.that(close(got["coverage"], Fraction(1)), f"{slo.name}.coverage: {got['coverage']}, "
                "expected 1: the whole day was read")


def main():
    checks = common.Checks()
    folder = common.scratch("day")
    paths = {}
    for fmt, options in FORMATS.items():
        paths[fmt] = os.path.join(folder, f"{fmt}.log")
        common.loggen(paths[fmt], fmt, days=DAYS, **options)
    slos = make_slos(paths)
    document = common.write(os.path.join(folder, "slos.yaml"), "".join(y for _, y, _ in slos) + POLICY)
    last = {}
    for fmt, path in paths.items():
        for record in recount.records(path, fmt):
            if record is None:
                continue
            last[fmt] = max(last.get(fmt, 0), record["ts"])
            for owner, _, slo in slos:
                if owner == fmt:
                    slo.count(record)
    done = common.run(common.tool("NINES_BIN"), "agent", "--once", "--clock", "log", "--slo",
                      document, "-o", "json", "--state", os.path.join(folder, "state"), cwd=folder)
    if not checks.equal(done.returncode, 0, "exit code"):
        print(done.stderr.decode()[-4000:])
        checks.finish()
    status = {s["slo"]: s for s in json.loads(done.stdout)}
    checks.equal(sorted(status), sorted(s.name for _, _, s in slos), "SLOs shown")
    newest = max(last.values())
    for _, _, slo in slos:
        got = status.get(slo.name)
        if got is None:
            continue
        end = unix(got["window_end"])
        checks.that(end % 10 == 0 and newest - 20 <= end <= newest + 10,
                    f"{slo.name}.window_end {got['window_end']} is not where the log ends")
        compare(checks, got, slo)
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""nines slo export-rules: promtool takes the rules, and Prometheus, given the counters that Nines
exposes, records the very ratios that Nines counts and fires the same alerts."""
import datetime
import fractions
import json
import os

import common

SLOS = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: web}
spec:
  service: shop
  timeWindow: [{duration: 30d, isRolling: true}]
  indicator:
    spec:
      ratioMetric:
        good:  {metricSource: {type: nines.log, spec: {paths: [LOG], format: json, where: status < 500}}}
        total: {metricSource: {type: nines.log, spec: {paths: [LOG], format: json}}}
  objectives: [{target: 0.999}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: journey}
spec:
  service: 'the "odd" \\ one'
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives:
    - displayName: works
      target: 0.99
      compositeWeight: 2
      indicator: &works
        spec:
          ratioMetric:
            good:  {metricSource: {type: nines.log, spec: {paths: [LOG], format: json, where: status < 500}}}
            total: {metricSource: {type: nines.log, spec: {paths: [LOG], format: json}}}
    - {displayName: works well, target: 0.95, indicator: *works}
---
apiVersion: nines/v1alpha1
kind: SLOPolicy
metadata: {name: p}
spec:
  sloRef: web
  burnAlerts:
    - {name: fast, severity: page, long: 1h, short: 5m, budgetPercent: 2}
    - {name: odd, severity: ticket, long: 90m, short: 10m, factor: 700}
  budgetAlerts: [{consumedPercent: 50, severity: warning, for: 5m}]
"""
START = 1_767_225_600  # 2026-01-01T00:00:00Z
MINUTES = 2880
PER_MINUTE = 20


def bad_of(minute):
    """Errors among the events of a minute: one an hour, then an outage of 90 minutes that eases."""
    if minute >= MINUTES - 5:
        return 3
    if minute >= MINUTES - 90:
        return 5
    return 1 if minute % 60 == 7 else 0


def write_log(path):
    with open(path, "w", encoding="ascii") as log:
        for minute in range(MINUTES):
            for k in range(PER_MINUTE):
                at = START + minute * 60 + k * 3
                ts = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
                status = 500 if k < bad_of(minute) else 200
                log.write(f'{{"ts":"{ts:%Y-%m-%dT%H:%M:%SZ}","status":{status}}}\n')


def series(slo, service):
    """What a scrape every minute finds. Counters have grown long before: nothing begins at zero."""
    good, bad = [10**9], [10**6]
    for minute in range(MINUTES):
        bad.append(bad[-1] + bad_of(minute))
        good.append(good[-1] + PER_MINUTE - bad_of(minute))
    labels = f"slo={json.dumps(slo)},service={json.dumps(service)}"
    return [{"series": f'nines_slo_events_total{{{labels},result="{result}"}}',
             "values": " ".join(map(str, values))}
            for result, values in (("good", good), ("bad", bad))]


def near(expr, wanted, at=MINUTES):
    return {"expr": f"sum(abs({expr} - {float(wanted)!r}) < bool 1e-9)", "eval_time": f"{at}m",
            "exp_samples": [{"labels": "{}", "value": 1}]}


def firing(rule, at, wanted):
    samples = [{"labels": "{}", "value": 1}] if wanted else []
    return {"expr": f'count(ALERTS{{rule="{rule}",sloth_slo="web",alertstate="firing"}})',
            "eval_time": f"{at}m", "exp_samples": samples}


def main():
    promtool, nines = common.tool("NINES_PROMTOOL"), common.tool("NINES_BIN")
    checks, folder = common.Checks(), common.scratch("rules")
    log, slos, config = (os.path.join(folder, n) for n in ("web.log", "slos.yaml", "nines.yaml"))
    write_log(log)
    open(config, "w").close()
    with open(slos, "w", encoding="utf-8") as f:
        f.write(SLOS.replace("LOG", log))
    told = common.run(nines, "slo", "export-rules", "--config", config, slos)
    checks.equal(told.returncode, 0, f"export-rules ({told.stderr.decode()})")
    rules = os.path.join(folder, "rules.yaml")
    with open(rules, "wb") as f:
        f.write(told.stdout)
    checked = common.run(promtool, "check", "rules", rules)
    checks.that(checked.returncode == 0, f"promtool check rules: {checked.stdout} {checked.stderr}")

    once = common.run(nines, "agent", "--once", "--clock", "log", "--config", config, "--slo", slos,
                      "-o", "json")
    checks.equal(once.returncode, 0, f"agent --once ({once.stderr.decode()})")
    status = {s["slo"]: s for s in json.loads(once.stdout)}
    web, journey = status["web"], status["journey"]
    checks.equal(web["total"], MINUTES * PER_MINUTE, "events counted")
    checks.equal([a["rule"] for a in web["alerts"] if a["rule"] == "fast"], ["fast"], "Nines fires")

    tests = []
    for name, window in web["windows"].items():
        name = {"24h": "1d"}.get(name, name).replace("90m", "1h30m")
        ratio = fractions.Fraction(window["bad"], window["total"])
        tests.append(near(f'slo:sli_error:ratio_rate{name}{{sloth_id="shop-web"}}', ratio))
    web_id = '{sloth_id="shop-web",sloth_service="shop",sloth_slo="web"}'
    tests += [
        near("slo:sli_error:ratio_rate30d" + web_id, fractions.Fraction(web["bad"], web["total"])),
        near("slo:objective:ratio" + web_id, 0.999),
        near("slo:error_budget:ratio" + web_id, 0.001),
        near("slo:time_period:days" + web_id, 30),
        near("slo:current_burn_rate:ratio" + web_id, web["burn_rate_5m"]),
        near("slo:period_burn_rate:ratio" + web_id, web["error_budget_consumed"]),
        near("slo:period_error_budget_remaining:ratio" + web_id, web["error_budget_remaining"]),
        near("sloth_slo_info" + web_id, 1),
        near('slo:current_burn_rate:ratio{sloth_slo="journey"}', journey["burn_rate_5m"]),
        near('slo:period_error_budget_remaining:ratio{sloth_slo="journey"}',
             journey["error_budget_remaining"]),
        firing("fast", MINUTES, True), firing("fast", MINUTES - 120, False),
        firing("budget-50", MINUTES, True), firing("odd", MINUTES, False)]
    odd = 'the "odd" \\ one'
    inputs = series("web", "shop")
    inputs += series("journey-works", odd) + series("journey-works-well", odd)
    scenario = os.path.join(folder, "test.json")  # JSON is YAML
    with open(scenario, "w", encoding="utf-8") as f:
        json.dump({"rule_files": [rules], "evaluation_interval": "5m",
                   "tests": [{"interval": "1m", "input_series": inputs,
                              "promql_expr_test": tests}]}, f)
    tested = common.run(promtool, "test", "rules", scenario)
    checks.that(tested.returncode == 0,
                f"promtool test rules: {tested.stdout.decode()} {tested.stderr.decode()}")
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Every metric that packaging/grafana and packaging/prometheus name is one that the agent exports, with
the labels they ask for; every field of the Infinity dashboard is one that the API answers; and promtool
takes the examples, where it is installed."""
import glob
import json
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import common  # noqa: E402

GRAFANA = os.path.join(common.REPO, "packaging", "grafana")
PROMETHEUS = os.path.join(common.REPO, "packaging", "prometheus")
NAME = re.compile(r"\b(?:nines|process)_[a-z0-9_]+")
# Labels that Prometheus and the queries themselves give.
GIVEN = {"job", "instance"}


def exported():
    """name -> labels, as the sources of /metrics write them."""
    names, labels = set(), set()
    for path in glob.glob(f"{common.REPO}/agent/src/**/*.cpp", recursive=True):
        with open(path, encoding="utf-8") as f:
            text = f.read()
        names.update(re.findall(r'"((?:nines|process)_[a-z0-9_]+)', text))
        labels.update(re.findall(r'"([a-z_]+)"', text))
    return names, labels


def queries():
    """(where, PromQL) of all dashboards and rules."""
    for path in sorted(glob.glob(f"{GRAFANA}/*.json")):
        with open(path, encoding="utf-8") as f:
            board = json.load(f)
        where = os.path.basename(path)
        for panel in board["panels"]:
            for target in panel["targets"]:
                if "expr" in target:
                    yield f"{where}: {panel['title']}", target["expr"]
        for variable in board["templating"]["list"]:
            if "definition" in variable:
                yield f"{where}: ${variable['name']}", variable["definition"]
        for annotation in board.get("annotations", {}).get("list", []):
            yield f"{where}: {annotation['name']}", annotation["expr"]
    with open(f"{PROMETHEUS}/nines-rules.yml", encoding="utf-8") as f:
        for expression in re.findall(r"expr: (.*)", f.read()):
            yield "nines-rules.yml", expression


def check_metrics(checks):
    names, labels = exported()
    checks.that(len(names) > 100, f"the sources name their metrics: {len(names)}")
    asked = 0
    for where, expression in queries():
        asked += 1
        for name in NAME.findall(expression):
            checks.that(name in names, f"{where}: {name} is exported")
        for label in re.findall(r'([a-z_]+)=?[~=!]+"', expression):
            checks.that(label in labels | GIVEN, f"{where}: label {label} is exported")
    print(f"{asked} queries of dashboards and rules")


def columns(answer):
    return answer[0] if isinstance(answer, list) and answer else {}


def check_infinity(checks):
    """The fields against a live agent; what it has none of (incidents) against the sources."""
    with open(f"{GRAFANA}/nines-infinity.json", encoding="utf-8") as f:
        board = json.load(f)
    root, port = common.scratch("ecosystem"), common.free_port()
    common.write(f"{root}/access.log", common.AccessLog.line(200))
    config = common.write(f"{root}/nines.yaml", common.node_yaml(port))
    common.write(f"{root}/slos/web.yaml", common.ratio_slo(
        "web", f'paths: ["{root}/access.log"], format: nginx', "status < 500"))
    with common.Agent(config, f"{root}/state", port) as agent:
        common.wait_until(agent.slos, 30, "the agent")
        for panel in board["panels"]:
            target = panel["targets"][0]
            path = target["url"].replace("$agent", "")
            status, body = common.get(port, path)
            if not checks.equal(status, 200, f"{path} is served"):
                continue
            for column in target["columns"]:
                found = columns(json.loads(body))
                for part in column["selector"].split("."):
                    if found:
                        checks.that(part in found, f"{path} has {column['selector']}")
                        found = found.get(part) if isinstance(found.get(part), dict) else {}


def check_with_promtool(checks):
    promtool = os.environ.get("NINES_PROMTOOL", "")
    if not os.path.exists(promtool):
        print("promtool is not installed: the examples were not given to it")
        return
    for verb, name in (("rules", "nines-rules.yml"), ("config", "prometheus.yml")):
        done = common.run(promtool, "check", verb, f"{PROMETHEUS}/{name}")
        checks.equal(done.returncode, 0, f"promtool check {verb}: {done.stderr.decode()}")


def main():
    checks = common.Checks()
    check_metrics(checks)
    check_infinity(checks)
    check_with_promtool(checks)
    checks.finish()


if __name__ == "__main__":
    main()

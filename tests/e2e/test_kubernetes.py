#!/usr/bin/env python3
"""Kubernetes on the axis of the incidents: a rollout that nobody annotated is in the log of changes
once; a pod that crashes again and again is one incident that names it, with its events, restarts and
the rollout before it as evidence; an API server that goes, forgets and comes back, and an agent that
is killed, double nothing."""
import json
import re
import time

import common
import kubernetes

OLD, NEW = "orders-7f9c6-aaaaa", "orders-85bb4-bbbbb"


def metric(port, name):
    status, body = common.get(port, "/metrics")
    if status != 200:
        return None
    for line in body.decode().splitlines():
        if line.rsplit(" ", 1)[0] == name:
            return float(line.rsplit(" ", 1)[1])
    return None


def fetch(port, path):
    status, body = common.get(port, path)
    return json.loads(body) if status == 200 else []


def deploys(port, service="orders"):
    return [c for c in fetch(port, "/api/changes")
            if c["kind"] == "deploy" and c["service"] == service]


def detail(change, key):
    return next((d["value"] for d in change["details"] if d["key"] == key), None)


def incidents(port):
    return fetch(port, "/api/incidents?state=all")


def context(incident):
    """What happened around it: its evidence that has a reference."""
    return [e["entry"] for e in incident["evidence"] if "ref" in e["entry"].get("details", {})]


def listening(port):
    return metric(port, "nines_k8s_connected") == 1 and metric(port, "nines_k8s_events_connected") == 1


def rolls_out(checks, cluster, port):
    began = time.time()
    cluster.put("pods", NEW, kubernetes.pod(NEW, "orders", "85bb4", "orders:1.3", began))
    cluster.remove("pods", OLD)
    found = common.wait_until(lambda: deploys(port), 120, "the rollout in the log of changes")
    checks.equal(len(found), 1, "a rollout is one change")
    checks.equal(found[0]["service"], "orders", "of the service")
    checks.that("orders:1.2" in found[0]["text"] and "orders:1.3" in found[0]["text"],
                f"with its images: {found[0]['text']}")
    checks.equal(detail(found[0], "revision"), "85bb4", "and its revision")
    checks.equal(detail(found[0], "object"), "rs-orders-85bb4", "and what the cluster calls it by")
    checks.equal(detail(found[0], "pod"), NEW, "and the first pod of it")


def crashes(checks, cluster, port):
    begin = time.time()
    cluster.put("events", "e1", kubernetes.event(
        "e1", NEW, "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 500", begin))
    for restart in range(1, 5):
        at = begin - 10 + 2 * restart
        last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": kubernetes.stamp(at)}}
        cluster.put("pods", NEW, kubernetes.pod(
            NEW, "orders", "85bb4", "orders:1.3", begin, restarts=restart, last=last, ready=False,
            state={"waiting": {"reason": "CrashLoopBackOff"}}))
        cluster.put("events", "e2", kubernetes.event(
            "e2", NEW, "BackOff", f"Back-off restarting failed container orders in pod {NEW}", begin, at,
            restart))
    cluster.put("events", "e3", kubernetes.event("e3", "elsewhere-1", "BackOff", "of another node",
                                                 begin, host="n2"))
    found = common.wait_until(lambda: incidents(port), 60, "an incident")
    checks.equal(len(found), 1, "a pod that crashes again and again is one incident")
    conditions = found[0]["conditions"]
    checks.equal([c["kind"] for c in conditions], ["crash_loop"], "for that one reason")
    checks.equal(conditions[0]["pod"], NEW, "which names the pod")
    checks.equal(found[0]["service"], "orders", "of its service")


def is_explained(checks, port):
    def all_there():
        told = context(incidents(port)[0])
        sources = {entry["details"]["source"] for entry in told}
        texts = " ".join(entry["text"] for entry in told)
        return told if {"kubernetes", "restart", "rollout"} <= sources and "BackOff" in texts and \
            "Unhealthy" in texts and "restart 4" in texts else None

    told = common.wait_until(all_there, 60, "events, restarts and the rollout as evidence")
    for entry in told:
        print(f"  {entry['details']['at']} {entry['details']['source']}: {entry['text']}")
    checks.that(not any("of another node" in entry["text"] for entry in told),
                "events of other nodes are not among them")
    checks.that(all(entry["details"].get("pod", NEW) in (NEW, OLD) for entry in told),
                "nor those of other services")


def nothing_doubled(checks, port, when):
    now = incidents(port)
    checks.equal(len(now), 1, f"{when} there is one incident")
    refs = [entry["details"]["ref"] for entry in context(now[0])]
    checks.equal(len(refs), len(set(refs)), f"{when} nothing is told twice: {sorted(refs)}")
    checks.equal(len(deploys(port)), 1, f"{when} the rollout is one change")


def comes_back(checks, cluster, port):
    lists = metric(port, 'nines_k8s_events_total{kind="list"}')
    cluster.stop()
    common.wait_until(lambda: not listening(port), 60, "that the API server is missed")
    cluster.forget()
    cluster.start()
    common.wait_until(lambda: listening(port), 120, "the API server again")
    common.wait_until(lambda: metric(port, 'nines_k8s_events_total{kind="list"}') > lists, 120,
                      "events listed anew")
    # What comes afterwards is told: it was heard again, and of it nothing twice.
    cluster.put("events", "e4", kubernetes.event("e4", NEW, "FailedMount", "no such volume", time.time()))
    common.wait_until(
        lambda: any("FailedMount" in entry["text"] for entry in context(incidents(port)[0])), 60,
        "what happened afterwards")
    nothing_doubled(checks, port, "after the API server was away")


def main():
    checks = common.Checks()
    root = common.scratch("kubernetes")
    port, state = common.free_port(), f"{root}/state"
    cluster = kubernetes.Cluster()
    now = time.time()
    cluster.put("pods", OLD, kubernetes.pod(OLD, "orders", "7f9c6", "orders:1.2", now - 4000))
    cluster.put("pods", "mail-1", kubernetes.pod("mail-5d8f4-ccccc", "mail", "5d8f4", "mail:7", now - 4000))
    cluster.start()
    common.write(f"{root}/access.log", "")
    config = common.write(f"{root}/nines.yaml", common.node_yaml(port, f"""kubernetes:
  api: http://127.0.0.1:{cluster.port}
  node: n1
"""))
    common.write(f"{root}/slos/web.yaml", common.ratio_slo(
        "web", f'paths: ["{root}/access.log"], format: nginx', "status < 500", window="1h"))
    with common.Agent(config, state, port, log=f"{root}/agent.log") as agent:
        common.wait_until(lambda: listening(port), 60, "the API server is listened to")
        rolls_out(checks, cluster, port)
        crashes(checks, cluster, port)
        is_explained(checks, port)
        comes_back(checks, cluster, port)
        agent.kill()
    with common.Agent(config, state, port, log=f"{root}/agent.log"):
        common.wait_until(lambda: listening(port), 60, "the API server after kill -9")
        common.wait_until(lambda: incidents(port), 20, "the incident after kill -9")
        # By the time that another rollout has settled the first one would have been told again.
        cluster.put("pods", "mail-2", kubernetes.pod("mail-6c7d8-ddddd", "mail", "6c7d8", "mail:8",
                                                     time.time()))
        common.wait_until(lambda: deploys(port, "mail"), 120, "a rollout after kill -9")
        nothing_doubled(checks, port, "after kill -9")
    with open(f"{root}/agent.log", encoding="utf-8") as log:
        entries = re.findall(r" change: .*rollout of Deployment shop/orders", log.read())
        checks.equal(len(entries), 1, f"it was logged once: {entries}")
    cluster.stop()
    checks.finish()


if __name__ == "__main__":
    main()

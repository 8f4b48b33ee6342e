#!/usr/bin/env python3
"""A pod that crashes again and again, and a rule that evicts it: tried out by the API server's dry
run, written into the ledger of the lease, done once, told as an Event; while another node holds the
lease, or the disruption budget says no, nothing is done."""
import json
import time

import common
import kubernetes

RULE = "evict-crashing"


class Node:
    """One agent, its pod, and the rule that it has."""

    def __init__(self, cluster, name, pod):
        self.cluster, self.name, self.pod = cluster, name, pod
        self.root = common.scratch(f"remedy-kubernetes-{name}")
        self.port, self.state = common.free_port(), f"{self.root}/state"
        self.asked = 0
        self.crashes(0)
        common.write(f"{self.root}/access.log", "")
        common.write(f"{self.root}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{self.root}/access.log"], format: nginx', "status < 500", window="1h"))
        config = common.node_yaml(self.port, f"""kubernetes:
  api: http://127.0.0.1:{cluster.port}
  node: {name}
remediation:
  enabled: true
  verbs: [evict-pod]
  stop_file: {self.root}/STOP
  shadow_hits: 1
""").replace("node: test", f"node: {name}")
        self.config = common.write(f"{self.root}/nines.yaml", config)

    def agent(self):
        self.asked = len(self.cluster.asked)  # by those before
        return common.Agent(self.config, self.state, self.port, log=f"{self.root}/agent.log")

    def crashes(self, restarts):
        now = time.time()
        state = {"waiting": {"reason": "CrashLoopBackOff"}} if restarts else {"running": {}}
        last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": kubernetes.stamp(now)}}
        self.cluster.put("pods", self.pod, kubernetes.pod(
            self.pod, "orders", "85bb4", "orders:1.3", now - 3600, node=self.name, restarts=restarts,
            ready=not restarts, state=state, last=last if restarts else None))

    def fetch(self, path):
        status, body = common.get(self.port, path)[:2]
        return json.loads(body) if status == 200 else None

    def why(self):
        return " ".join(w["why"] for w in (self.fetch("/api/remedies") or {"waiting": []})["waiting"])

    def says(self, words):
        common.wait_until(lambda: words in self.why(), 60, f"{self.name} says '{words}', not '{self.why()}'")

    def acts(self):
        return (self.fetch("/api/remedies") or {"acts": []})["acts"]

    def evictions(self, dry):
        path = f"/{self.pod}/eviction"
        return [d for d in self.cluster.deeds if d[1].endswith(path) and d[2] == dry]

    def remedy(self, checks, *arguments):
        done = common.run(common.tool("NINES_BIN"), "remedy", *arguments, "--agent",
                          f"127.0.0.1:{self.port}", "--state", self.state, "--by", "kim", timeout=30)
        checks.equal(done.returncode, 0,
                     f"{self.name}: nines remedy {' '.join(arguments)} {done.stderr.decode()[:200]}")

    def breaks(self, checks):
        """Its pod crashes, and it has a rule for that in shadow; the incident."""
        common.wait_until(lambda: (self.fetch("/api/remedies") or {}).get("enabled"), 60, "the agent")
        self.remedy(checks, "draft", RULE, "--action", "evict-pod", "--signature", "crash_loop orders")
        self.remedy(checks, "shadow", RULE)
        common.wait_until(lambda: any("watch=true" in a for a in self.cluster.asked[self.asked:]), 60,
                          "a watch")
        for restart in range(1, 5):
            self.crashes(restart)
        return common.wait_until(lambda: self.fetch("/api/incidents?state=open"), 60, "an incident")[0]["id"]

    def allow(self, checks, incident):
        self.remedy(checks, "allow", RULE, "--incident", incident, "--target", f"pod/shop/{self.pod}")


def acts_once(checks, cluster, node):
    incident = node.breaks(checks)
    common.wait_until(lambda: node.fetch("/api/remedies")["rules"][0]["shadow_hits"] == 1, 60,
                      "a hit in shadow")
    checks.equal(len(node.evictions(dry=False)), 0, "a rule in shadow evicts nothing")
    checks.that(len(node.evictions(dry=True)) > 0, "but asks the API server what it would say")
    node.remedy(checks, "approve", RULE)
    node.says("approve")
    checks.equal(cluster.leases, {}, "nothing is written to the lease before there is an intent")
    cluster.disruption_allowed = False
    node.allow(checks, incident)
    node.says("disruption budget")
    checks.equal(len(node.evictions(dry=False)), 0, "what the disruption budget forbids is not tried")
    cluster.disruption_allowed = True
    deed = common.wait_until(lambda: node.evictions(dry=False), 60, "the eviction")[0]
    checks.equal(deed[3]["deleteOptions"]["preconditions"]["uid"], f"u-{node.pod}", "that pod and no other")
    before, lease = cluster.lease_writes[0]
    checks.that(before <= cluster.deeds.index(deed), "the intent was in the lease before")
    checks.equal(lease["spec"]["holderIdentity"], node.name, "which it holds")
    told = common.wait_until(lambda: cluster.told, 30, "an Event")[0]
    checks.equal((told["action"], told["regarding"]["name"], told["type"]), ("evict-pod", node.pod, "Normal"),
                 "the Event says what was done to what")
    common.wait_until(lambda: [a for a in node.acts() if a["phase"] == "done"], 30, "the result")
    common.wait_until(lambda: len(cluster.lease_writes) > 1, 30, "the result in the ledger of the lease")
    checks.equal(len(node.evictions(dry=False)), 1, "it is evicted once")
    checks.that(node.fetch("/api/remedies/audit")["whole"], "the audit log is whole")


def waits_for_the_holder(checks, cluster, node, holder):
    written = len(cluster.lease_writes)
    node.breaks(checks)
    node.says(f"held by {holder.name}")
    checks.equal(len(node.evictions(dry=False)), 0, "while another node holds the lease nothing is done")
    checks.equal(len(cluster.lease_writes), written, "nor written")


def main():
    checks, cluster = common.Checks(), kubernetes.Cluster()
    cluster.start()
    cluster.replica_sets["orders-85bb4"] = {
        "kind": "ReplicaSet", "metadata": {"name": "orders-85bb4"}, "status": {"readyReplicas": 3}}
    first, second = Node(cluster, "n1", "orders-85bb4-bbbbb"), Node(cluster, "n2", "orders-85bb4-ccccc")
    with first.agent():
        acts_once(checks, cluster, first)
    with second.agent():
        waits_for_the_holder(checks, cluster, second, first)
    cluster.stop()
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A pod that crashes again and again, and a rule that evicts it: tried out by the API server's dry
run, written into the ledger of the lease, done once, told as an Event; while another node holds the
lease, or the disruption budget says no, nothing is done."""
import json
import time

import common
import kubernetes

POD, OTHER = "orders-85bb4-bbbbb", "orders-85bb4-ccccc"


class World:
    def __init__(self):
        self.root = common.scratch("remedy-kubernetes")
        self.port, self.state = common.free_port(), f"{self.root}/state"
        self.cluster = kubernetes.Cluster()
        self.cluster.start()
        self.cluster.replica_sets["orders-85bb4"] = {
            "kind": "ReplicaSet", "metadata": {"name": "orders-85bb4"}, "status": {"readyReplicas": 3}}
        self.crashes(0)
        common.write(f"{self.root}/access.log", "")
        common.write(f"{self.root}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{self.root}/access.log"], format: nginx', "status < 500", window="1h"))
        self.config = common.write(f"{self.root}/nines.yaml", common.node_yaml(self.port, f"""kubernetes:
  api: http://127.0.0.1:{self.cluster.port}
  node: n1
remediation:
  enabled: true
  verbs: [evict-pod]
  stop_file: {self.root}/STOP
  shadow_hits: 1
"""))

    def crashes(self, restarts, name=POD):
        now = time.time()
        state = {"waiting": {"reason": "CrashLoopBackOff"}} if restarts else {"running": {}}
        last = {"terminated": {"exitCode": 1, "reason": "Error", "finishedAt": kubernetes.stamp(now)}}
        self.cluster.put("pods", name, kubernetes.pod(
            name, "orders", "85bb4", "orders:1.3", now - 3600, restarts=restarts, ready=not restarts,
            state=state, last=last if restarts else None))

    def fetch(self, path):
        status, body = common.get(self.port, path)[:2]
        return json.loads(body) if status == 200 else None

    def why(self):
        return " ".join(w["why"] for w in (self.fetch("/api/remedies") or {"waiting": []})["waiting"])

    def acts(self):
        return (self.fetch("/api/remedies") or {"acts": []})["acts"]

    def evictions(self, dry):
        return [d for d in self.cluster.deeds if d[1].endswith("/eviction") and d[2] == dry]

    def remedy(self, checks, *arguments):
        done = common.run(common.tool("NINES_BIN"), "remedy", *arguments, "--agent",
                          f"127.0.0.1:{self.port}", "--state", self.state, "--by", "kim", timeout=30)
        checks.equal(done.returncode, 0, f"nines remedy {' '.join(arguments)}: {done.stderr.decode()[:200]}")


def main():
    checks = common.Checks()
    world = World()
    with common.Agent(world.config, world.state, world.port, log=f"{world.root}/agent.log"):
        common.wait_until(lambda: (world.fetch("/api/remedies") or {}).get("enabled"), 60, "the agent")
        world.remedy(checks, "draft", "evict-crashing", "--action", "evict-pod", "--signature",
                     "crash_loop orders")
        world.remedy(checks, "shadow", "evict-crashing")
        common.wait_until(lambda: any("watch=true" in a for a in world.cluster.asked), 60, "a watch")
        for restart in range(1, 5):
            world.crashes(restart)
        incident = common.wait_until(lambda: world.fetch("/api/incidents?state=open"), 60, "an incident")[0]
        common.wait_until(lambda: world.fetch("/api/remedies")["rules"][0]["shadow_hits"] == 1, 60,
                          "a hit in shadow")
        checks.equal(len(world.evictions(dry=False)), 0, "a rule in shadow evicts nothing")
        checks.that(len(world.evictions(dry=True)) > 0, "but asks the API server what it would say")
        world.remedy(checks, "approve", "evict-crashing")
        common.wait_until(lambda: "approve" in world.why(), 60, "that it asks")

        held = json.loads(json.dumps(world.cluster.leases.get("nines-remedy")))
        checks.equal(held, None, "nothing is written to the lease before there is an intent")
        world.remedy(checks, "allow", "evict-crashing", "--incident", incident["id"], "--target",
                     f"pod/shop/{POD}")
        common.wait_until(lambda: world.evictions(dry=False), 60, "the eviction")
        checks.equal(len(world.evictions(dry=False)), 1, "it is evicted once")
        body = world.evictions(dry=False)[0][3]
        checks.equal(body["deleteOptions"]["preconditions"]["uid"], f"u-{POD}", "that pod and no other")
        lease = world.cluster.leases["nines-remedy"]
        checks.equal(lease["spec"]["holderIdentity"], "test", "under the lease")
        common.wait_until(lambda: world.cluster.told, 30, "an Event")
        told = world.cluster.told[0]
        checks.equal((told["action"], told["regarding"]["name"], told["type"]),
                     ("evict-pod", POD, "Normal"), "the Event says what was done to what")
        common.wait_until(lambda: [a for a in world.acts() if a["phase"] == "done"], 30, "the result")
        common.wait_until(
            lambda: world.cluster.leases["nines-remedy"]["metadata"]["resourceVersion"] !=
            lease["metadata"]["resourceVersion"], 30, "the result in the ledger of the lease")
        audit = world.fetch("/api/remedies/audit")
        checks.that(audit["whole"], "the audit log is whole")
    world.cluster.stop()
    checks.finish()


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""A real API server. Each overlay is accepted by its dry run and broken ones are not; the service account
of each has the rights that it promises and no other; and an agent with that account's token watches
pods, finds the one that crashes again and again, restarts its Deployment once, under a Lease and told as
an Event, survives the server's restart, and says which right is missing where there is none.
NINES_BIN=... packaging/tests/test_api_server.py [DIR]
DIR (build/api-server): where api_server.sh makes the server, six minutes once. No kubelet, no
controllers: what those would write, the test writes.
"""
import json
import os
import re
import sys
import time

import test_k8s  # first: skips where yaml is not
import api_server
from api_server import common
import kubernetes  # of tests/e2e

ACCOUNT = "system:serviceaccount:nines:nines"
RULE = "restart-crashing"
PATCH = "application/merge-patch+json"
# (namespace, group, resource, verb) and from which overlay on it is allowed; None: never.
RIGHTS = [
    ("shop", "", "pods", "list", "metadata"), ("shop", "", "pods", "watch", "metadata"),
    ("shop", "", "events", "list", "metadata"), ("shop", "", "pods", "delete", "remediation"),
    ("shop", "", "pods/eviction", "create", "remediation"),
    ("shop", "apps", "deployments", "patch", "remediation"), ("", "", "nodes", "patch", "remediation"),
    ("shop", "events.k8s.io", "events", "create", "remediation"),
    ("default", "coordination.k8s.io", "leases", "update", "remediation"),
    ("kube-system", "coordination.k8s.io", "leases", "update", None), ("shop", "", "secrets", "get", None),
    ("nines", "", "secrets", "list", None), ("shop", "", "configmaps", "get", None),
    ("shop", "", "pods/exec", "create", None), ("shop", "", "pods", "create", None),
    ("shop", "apps", "deployments", "delete", None), ("", "", "nodes", "delete", None),
    ("", "rbac.authorization.k8s.io", "clusterroles", "create", None),
]


def may(server, namespace, group, resource, verb):
    resource, _, sub = resource.partition("/")
    review = server.made("/apis/authorization.k8s.io/v1/subjectaccessreviews", {
        "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
        "spec": {"user": ACCOUNT, "groups": ["system:serviceaccounts", "system:serviceaccounts:nines",
                                             "system:authenticated"],
                 "resourceAttributes": {"namespace": namespace, "group": group, "resource": resource,
                                        "subresource": sub, "verb": verb}}})
    return review["status"]["allowed"]


def manifests(checks, server, renderer):
    """Dry runs of each overlay, and of what somebody broke in ways that a server sees."""
    server.made("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nines"}})
    dry = ("apply", "--dry-run=server", "--validate=true", "-f", "-")
    for folder in test_k8s.OVERLAYS:
        # A PodMonitor is the Prometheus operator's, and custom resources crash this server: its JSON
        # library is older than Debian's Go.
        documents = [d for d in test_k8s.render(renderer, folder) if d["kind"] != "PodMonitor"]
        done = server.kubectl(*dry, documents=documents)
        checks.that(done.returncode == 0, f"{folder} is refused: {done.stderr}")
        print(f"{folder}: {len(done.stdout.splitlines())} of {len(documents)} objects accepted", flush=True)
        checks.equal(len(done.stdout.splitlines()), len(documents), f"objects of {folder}")
    seen = ("a field misspelled", "a word that is none", "an operator that is none", "a mount of nothing",
            "no image", "text for a number", "a selector of others", "an unknown kind")
    for what, damage, _ in test_k8s.breakages():
        if what not in seen:  # ours to see, or a promise of ours
            continue
        broken = test_k8s.render(renderer, "base")
        damage(broken)
        done = server.kubectl(*dry, documents=broken)
        checks.that(done.returncode != 0, f"{what} is accepted")


def rights(checks, server, overlays):
    for namespace, group, resource, verb, since in RIGHTS:
        wanted = since in overlays
        checks.equal(may(server, namespace, group, resource, verb), wanted,
                     f"with {overlays[-1]} {ACCOUNT} may {verb} {resource} in '{namespace}'")


class World:
    """A node, a Deployment, its ReplicaSet and two pods, and an agent with the account's token."""

    def __init__(self, server, folder):
        self.server, self.folder, self.port = server, folder, common.free_port()
        server.made("/api/v1/namespaces", {"metadata": {"name": "shop"}})
        server.made("/api/v1/nodes", {"metadata": {"name": "n1"}})
        template = {"metadata": {"labels": {"app": "orders"}},
                    "spec": {"containers": [{"name": "orders", "image": "orders:1.3"}]}}
        spec = {"replicas": 2, "selector": {"matchLabels": {"app": "orders"}}, "template": template}
        self.deployment = "/apis/apps/v1/namespaces/shop/deployments/orders"
        owner = server.made("/apis/apps/v1/namespaces/shop/deployments",
                            {"metadata": {"name": "orders"}, "spec": spec})
        replicas = server.made("/apis/apps/v1/namespaces/shop/replicasets", {
            "metadata": {"name": "orders-85bb4", "ownerReferences": [self.owned_by(owner, "Deployment")]},
            "spec": spec})
        self.of_replicas = {
            "metadata": {"labels": {"app": "orders", "pod-template-hash": "85bb4"},
                         "ownerReferences": [self.owned_by(replicas, "ReplicaSet")]},
            "spec": {**template["spec"], "nodeName": "n1"}}
        for name in ("orders-85bb4-bbbbb", "orders-85bb4-ccccc"):
            self.makes_pod(name)
        common.write(f"{folder}/access.log", "")
        common.write(f"{folder}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{folder}/access.log"], format: nginx', "status < 500", window="1h"))
        self.config = common.write(f"{folder}/nines.yaml", common.node_yaml(self.port, f"""kubernetes:
  api: https://127.0.0.1:{server.port}
  token_file: {folder}/token
  ca_file: {server.ca}
  node: n1
remediation:
  enabled: true
  verbs: [rollout-restart]
  stop_file: {folder}/STOP
  shadow_hits: 1
""").replace("node: test", "node: n1"))
        answer = server.made("/api/v1/namespaces/nines/serviceaccounts/nines/token", {
            "apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"audiences": []}})
        common.write(f"{folder}/token", answer["status"]["token"])

    @staticmethod
    def owned_by(thing, kind):
        return {"apiVersion": "apps/v1", "kind": kind, "name": thing["metadata"]["name"],
                "uid": thing["metadata"]["uid"], "controller": True}

    def makes_pod(self, name):
        metadata = {**self.of_replicas["metadata"], "name": name}
        self.server.made("/api/v1/namespaces/shop/pods", {**self.of_replicas, "metadata": metadata})
        self.crashes(name, 0)

    def crashes(self, pod, restarts):
        status = kubernetes.pod(pod, "orders", "85bb4", "orders:1.3", time.time() - 3600, restarts=restarts,
                                ready=not restarts,
                                state={"waiting": {"reason": "CrashLoopBackOff"}} if restarts else None,
                                last={"terminated": {"exitCode": 1, "reason": "Error", "finishedAt":
                                                     kubernetes.stamp(time.time())}} if restarts else None)["status"]
        for one in status["containerStatuses"]:
            one |= {"image": "orders:1.3", "imageID": "sha256:0"}
        code, answer = self.server.call("PATCH", f"/api/v1/namespaces/shop/pods/{pod}/status",
                                        {"status": status}, PATCH)
        if code != 200:
            raise RuntimeError(f"{pod}: {code} {answer}")

    def agent(self):
        return common.Agent(self.config, f"{self.folder}/state", self.port, log=f"{self.folder}/agent.log")

    def log(self):
        with open(f"{self.folder}/agent.log", encoding="utf-8", errors="replace") as f:
            return f.read()

    def metric(self, name):
        found = re.search(rf"^{name} ([0-9.]+)$", common.get(self.port, "/metrics")[1].decode(), re.M)
        return float(found[1]) if found else None

    def fetch(self, path):
        status, body = common.get(self.port, path)[:2]
        return json.loads(body) if status == 200 else None

    def remedy(self, checks, *arguments):
        done = common.run(common.tool("NINES_BIN"), "remedy", *arguments, "--agent", f"127.0.0.1:{self.port}",
                          "--state", f"{self.folder}/state", "--by", "kim", timeout=30)
        checks.equal(done.returncode, 0, f"nines remedy {' '.join(arguments)}: {done.stderr.decode()[:300]}")

    def listens(self):
        return self.metric("nines_k8s_connected") == 1 and self.metric("nines_k8s_events_connected") == 1

    def restarted(self):
        deployment = self.server.call("GET", self.deployment)[1]
        notes = deployment["spec"]["template"]["metadata"].get("annotations", {})
        return notes.get("kubectl.kubernetes.io/restartedAt"), deployment["metadata"]["generation"]


def has_no_right(checks, world):
    with world.agent():
        for what in ("pods", "events"):
            common.wait_until(lambda w=what: f"403: this service account may not read {w}" in world.log(), 60,
                              f"that it says that it may not read {what}")
        common.wait_until(lambda: common.get(world.port, "/readyz")[0] == 200, 60, "it is ready all the same")


def repairs(checks, world):
    common.wait_until(world.listens, 60, "the API server is listened to")
    world.remedy(checks, "draft", RULE, "--action", "rollout-restart", "--signature", "crash_loop orders")
    world.remedy(checks, "shadow", RULE)
    for restarts in range(1, 5):
        world.crashes("orders-85bb4-bbbbb", restarts)
    incident = common.wait_until(lambda: world.fetch("/api/incidents?state=open"), 90, "an incident")[0]
    checks.that("orders" in incident["title"], f"it names who crashes: {incident['title']}")
    common.wait_until(lambda: world.fetch("/api/remedies")["rules"][0]["shadow_hits"] == 1, 90, "a hit in shadow")
    checks.equal(world.restarted(), (None, 1), "a rule in shadow restarts nothing")
    world.remedy(checks, "approve", RULE)
    world.remedy(checks, "allow", RULE, "--incident", incident["id"], "--target", "deployment/shop/orders")
    common.wait_until(lambda: world.restarted()[0], 90, "the restart")
    common.wait_until(lambda: [a for a in world.fetch("/api/remedies")["acts"] if a["phase"] == "done"], 60,
                      "its result")
    checks.equal(world.restarted()[1], 2, "its pods are made anew once")
    leases = world.server.call("GET", "/apis/coordination.k8s.io/v1/namespaces/default/leases")[1]["items"]
    checks.equal(len(leases), 1, "one lease in the namespace of leases")
    told = lambda: [e for e in world.server.call("GET", "/apis/events.k8s.io/v1/namespaces/shop/events")[1]["items"]
                    if e.get("action") == "rollout-restart"]
    event = common.wait_until(told, 60, "an Event")[0]
    checks.equal((event["regarding"]["kind"], event["regarding"]["name"], event["type"]),
                 ("Deployment", "orders", "Normal"), "that says what was done to what")
    checks.that(world.fetch("/api/remedies/audit")["whole"], "the audit log is whole")
    print(f"  {incident['title']}\n  {event['note']}", flush=True)


def server_restarts(checks, world):
    world.server.stop()
    common.wait_until(lambda: not world.listens(), 60, "the API server is missed")
    world.server.start()
    common.wait_until(world.listens, 180, "the API server again")
    checks.equal(world.metric("nines_k8s_pods"), 2, "pods that it knows")
    world.makes_pod("orders-85bb4-ddddd")
    common.wait_until(lambda: world.metric("nines_k8s_pods") == 3, 60, "a pod made afterwards")
    checks.equal(world.restarted()[1], 2, "and nothing was done again")


def main():
    checks, renderer = common.Checks(), test_k8s.renderer()
    common.tool("NINES_BIN")
    if renderer[0] != "kubectl":
        common.skip("kubectl is not here: nothing is known about a real API server")
    programs = api_server.programs(sys.argv[1] if len(sys.argv) > 1 else f"{test_k8s.REPO}/build/api-server")
    folder = common.scratch("api-server")
    server = api_server.Server(programs, folder)
    try:
        server.start_store()
        server.start()
        manifests(checks, server, renderer)
        world, overlays = None, []
        for overlay in ("base", "overlays/metadata", "overlays/remediation"):
            done = server.kubectl("apply", "-f", "-", documents=test_k8s.render(renderer, overlay))
            checks.that(done.returncode == 0, f"{overlay}: {done.stderr}")
            overlays.append(os.path.basename(overlay))
            rights(checks, server, overlays)
            if world is None:
                world = World(server, folder)
                has_no_right(checks, world)
        with world.agent():
            repairs(checks, world)
            server_restarts(checks, world)
    finally:
        server.end()
        if checks.failures and os.path.exists(f"{folder}/agent.log"):
            print(open(f"{folder}/agent.log", encoding="utf-8").read()[-4000:])
    checks.finish()


if __name__ == "__main__":
    main()

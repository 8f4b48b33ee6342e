#!/usr/bin/env python3
"""A rollout on one node with a real kubelet: `kubectl apply -k` of the base and of the overlay for K3s; the
pod is as promised; what a workload writes is counted exactly through the runtime's logs: over kubelet's
rotation, a kill of the agent, a restart of the workload, an update of configuration and image, with the
API server gone, at full speed within 64 MiB, and after the agent was taken away and put back.
NINES_BIN=... packaging/tests/test_rollout.py [DIR]
DIR (build/api-server): where api_server.sh makes the cluster's programs, eight minutes once. The image comes
from an archive, as on an air-gapped node. All of it runs apart from the machine (apart.py), which is
compared with before at the end.
"""
import glob
import json
import os
import shutil
import signal
import sys
import time

import test_k8s  # first: skips where yaml is not
import apart
import api_server
import one_node
from api_server import common

STATE, PORT, LIMIT = "/var/lib/nines-agent", 9990, 64 << 20
ANONYMOUS_BUDGET = 24 << 20  # the goal of the whole process at full speed (image_memory.py)
SHOP = """apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: v1
kind: Pod
metadata: {name: orders, namespace: shop}
spec:
  automountServiceAccountToken: false
  containers:
    - name: orders
      image: nines-workload:1
      args: [work, /orders]
      volumeMounts: [{name: orders, mountPath: /orders}]
  volumes: [{name: orders, hostPath: {path: /run/orders, type: Directory}}]
"""


class Rollout:
    def __init__(self, node, folder):
        self.node, self.folder, self.checks = node, folder, common.Checks()
        self.good = self.bad = 0
        os.makedirs("/run/orders")
        os.mkfifo("/run/orders/orders")
        common.write("/run/orders/done", "")
        self.orders = os.open("/run/orders/orders", os.O_RDWR)
        self.sent = 0

    # --- the cluster
    def apply(self, folder):
        done = self.node.server.kubectl("apply", "-k", folder)
        self.checks.that(done.returncode == 0, f"apply -k {folder}: {done.stderr}")

    def agent(self):
        """The pod of the agent, once it is what the DaemonSet says now and ready; else None."""
        daemonset = self.node.get("/apis/apps/v1/namespaces/nines/daemonsets/nines")
        if not daemonset or not daemonset.get("status"):
            return None
        status, pods = daemonset["status"], self.node.pods("nines")
        rolled = status.get("observedGeneration") == daemonset["metadata"]["generation"] and \
            status.get("updatedNumberScheduled") == status.get("numberReady") == 1
        return pods[0] if rolled and len(pods) == 1 and one_node.condition(pods[0], "Ready") else None

    def rolled_out(self, what):
        began = time.monotonic()
        pod = common.wait_until(self.agent, 300, f"{what} is rolled out", poll=0.2)
        print(f"{what}: {time.monotonic() - began:.1f} s until the pod is ready", flush=True)
        return pod

    def restarts(self):
        pods = self.node.pods("nines")
        return pods[0]["status"]["containerStatuses"][0]["restartCount"] if pods else None

    def fetch(self, address, path):
        return common.get(PORT, path, host=address)

    # --- the workload
    def order(self, good, bad, pause_us=0):
        self.good, self.bad = self.good + good, self.bad + bad
        self.send(f"lines {good} {bad} {pause_us}")

    def send(self, order):
        os.write(self.orders, f"{order}\n".encode())
        self.sent += 1

    def written(self):
        common.wait_until(lambda: os.path.getsize("/run/orders/done") == self.sent, 300, "the workload has written")

    def counted(self, pod, what, slo="container-errors", seconds=180):
        """That the SLO has each line once, within two evaluations of having it."""
        address, wanted, got = pod["status"]["podIP"], (self.good, self.bad), None
        self.written()

        def is_so():
            nonlocal got
            status, body = self.fetch(address, "/api/slo")
            found = [s for s in json.loads(body) if s["slo"] == slo] if status == 200 else []
            got = (found[0]["good"], found[0]["bad"]) if found else None
            return got == wanted or (got is not None and sum(got) > sum(wanted))
        began = time.monotonic()
        try:
            common.wait_until(is_so, seconds, what, poll=0.25)
        except TimeoutError:
            pass
        self.checks.equal(got, wanted, f"good and bad lines, {what}")
        print(f"{what}: {got} counted of {wanted} written, {time.monotonic() - began:.1f} s after", flush=True)


def as_promised(test, pod):
    """What the manifest promises, as the kernel has it."""
    checks, process = test.checks, one_node.Process(pod)
    checks.equal(pod["status"]["qosClass"], "Guaranteed", "class of service")
    checks.equal(process.status("Uid"), ["0"] * 4, "user")
    checks.equal(process.status("Gid"), ["0"] * 4, "group")
    checks.equal(sorted(process.status("Groups"), key=int)[-2:], ["4", "999"], "groups besides")
    for which in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        checks.equal(process.status(which), ["0" * 16], which)
    checks.equal(process.status("NoNewPrivs"), ["1"], "no new privileges")
    checks.equal(process.status("Seccomp"), ["2"], "a filter of system calls")
    mounts = process.mounts()
    for where in ("/", "/etc/nines", "/var/log", "/run/log", "/etc/machine-id"):
        checks.that("ro" in mounts.get(where, []), f"{where} cannot be written: {mounts.get(where)}")
    for where in ("/var/lib/nines", "/tmp"):
        checks.that("rw" in mounts.get(where, []), f"{where} can be written: {mounts.get(where)}")
    checks.that("/var/run/secrets/kubernetes.io/serviceaccount" not in mounts, "no token of an account")
    for above, what in ((0, "the container"), (1, "the pod")):
        checks.equal(int(process.group("memory", "memory.limit_in_bytes", above)), LIMIT, f"memory limit of {what}")
        checks.equal((process.group("cpu", "cpu.cfs_quota_us", above), process.group("cpu", "cpu.cfs_period_us", above)),
                     ("20000", "100000"), f"processor limit of {what}")
    status, body = test.fetch(pod["status"]["podIP"], "/readyz")
    checks.equal(status, 200, f"ready by its own word: {body}")
    memory = process.group_fields("memory", "memory.stat")
    print(f"in the pod's group: {memory['rss'] / 2**20:.1f} MiB anonymous, {memory['cache'] / 2**20:.1f} MiB page cache; "
          f"VmRSS {int(process.status('VmRSS')[0]) / 1024:.1f} MiB", flush=True)


def logs(pattern):
    return sorted(glob.glob(f"/var/log/pods/shop_orders_*/orders/{pattern}"))


def rotates(test, pod):
    test.order(40000, 4000, pause_us=100_000)
    common.wait_until(lambda: len(logs("0.log.*")) >= 3 and logs("0.log.*.gz"), 240, "three rotations by the kubelet")
    test.counted(pod, "over rotation")
    print(f"  {[os.path.basename(p) for p in logs('*')]}", flush=True)
    for path in logs("0.log"):
        checked = os.stat(path)
        test.checks.equal((checked.st_uid, checked.st_gid, checked.st_mode & 0o777), (0, 0, 0o640), f"who owns {path}")


def is_killed(test, pod):
    test.order(3000, 300, pause_us=300_000)
    common.wait_until(lambda: logs("0.log") and test.fetch(pod["status"]["podIP"], "/healthz")[0] == 200, 30, "it lives")
    os.kill(one_node.Process(pod).pid, signal.SIGKILL)
    common.wait_until(lambda: test.restarts() == 1, 120, "RESTARTS 1")
    test.counted(test.rolled_out("after kill -9"), "over a kill of the agent")


def workload_restarts(test, pod):
    test.send("end")
    common.wait_until(lambda: logs("1.log"), 120, "the workload's second log")
    test.order(700, 70)
    test.counted(pod, "over a restart of the workload")
    test.checks.that(os.path.getsize(logs("1.log")[0]) > 0, "1.log is what it wrote")


def own_overlay(test, tag, documents):
    """What a user lays over the overlay for K3s: an image and SLOs."""
    folder = f"{test.folder}/overlay"
    common.write(f"{folder}/nodes.yaml", documents)
    common.write(f"{folder}/kustomization.yaml", f"""apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: nines
resources: [{os.path.relpath(test_k8s.K8S, folder)}/overlays/k3s-pi]
configMapGenerator:
  - name: nines-slos
    behavior: merge
    files: [nodes.yaml]
images: [{{name: nines, newTag: {tag}}}]
""")
    return folder


def document(name, namespace):
    return common.ratio_slo(name, f'kubernetes: {{namespace: "{namespace}"}}', "level < 'ERROR'", "level IS NOT NULL")


def reloads(test, pod):
    """A ConfigMap changed in place is the pod's without a new pod; SIGHUP has the agent read it."""
    maps = test.node.get("/api/v1/namespaces/nines/configmaps")["items"]
    mounted = pod["spec"]["volumes"][0]["projected"]["sources"][1]["configMap"]["name"]
    text = next(m for m in maps if m["metadata"]["name"] == mounted)["data"]["nodes.yaml"]
    status, answer = test.node.server.call("PATCH", f"/api/v1/namespaces/nines/configmaps/{mounted}",
                                           {"data": {"nodes.yaml": text + document("later", "shop")}},
                                           "application/merge-patch+json")
    test.checks.equal(status, 200, f"the ConfigMap is changed: {answer}")
    process = one_node.Process(pod)
    common.wait_until(lambda: "name: later" in process.read("root/etc/nines/slos/nodes.yaml"), 120, "the pod's files")
    os.kill(process.pid, signal.SIGHUP)
    common.wait_until(lambda: b'"later"' in test.fetch(pod["status"]["podIP"], "/api/slo")[1], 60, "the new SLO")
    test.order(500, 50)
    test.counted(pod, "over a reload")
    test.checks.equal(test.restarts(), 0, "without a restart")


def alone(test, pod):
    """The API server is gone; the agent is killed meanwhile and brought back by the kubelet."""
    test.node.server.stop()
    test.order(900, 90)
    test.counted(pod, "without the API server")
    killed = one_node.Process(pod)
    test.order(900, 90, pause_us=300_000)
    os.kill(killed.pid, signal.SIGKILL)
    common.wait_until(lambda: not killed.read("cmdline"), 30, "it is dead")
    test.counted(pod, "without the API server, over a kill")
    test.node.server.start()
    common.wait_until(lambda: test.node.ready() and test.restarts() == 1, 180, "the API server knows of the restart")
    test.rolled_out("the API server again")


def at_full_speed(test):
    pod = test.rolled_out("before the load")
    process, before, most = one_node.Process(pod), test.restarts(), 0
    began, cache = time.monotonic(), 0
    test.order(500_000, 5_000)

    def read():
        nonlocal most, cache
        memory = process.group_fields("memory", "memory.stat")
        most, cache = max(most, memory["rss"]), max(cache, memory["rss"] + memory["cache"])
        status, body = test.fetch(pod["status"]["podIP"], "/api/slo")
        found = {s["slo"]: s for s in json.loads(body)} if status == 200 else {}
        return found and found["container-errors"]["total"] >= test.good + test.bad
    try:
        common.wait_until(read, 300, "all are counted", poll=0.1)
    except TimeoutError:
        pass
    took = time.monotonic() - began
    test.counted(pod, "at full speed", seconds=30)
    test.checks.equal(process.group_fields("memory", "memory.oom_control").get("oom_kill"), 0, "no OOM kill")
    test.checks.equal(test.restarts(), before, "no restart")
    test.checks.that(0 < most <= ANONYMOUS_BUDGET, f"anonymous memory {most >> 10} KiB, {ANONYMOUS_BUDGET >> 10} at most")
    print(f"505000 lines in {took:.1f} s at 200m of a processor: anonymous memory at most {most / 2**20:.1f} MiB, with page "
          f"cache {cache / 2**20:.1f} of {LIMIT >> 20} MiB", flush=True)


def is_taken_away(test, overlay):
    done = test.node.server.kubectl("delete", "--wait=false", "-k", overlay)
    test.checks.that(done.returncode == 0, f"delete -k: {done.stderr}")
    common.wait_until(lambda: not test.node.pods("nines") and test.node.get("/api/v1/namespaces/nines") is None, 240,
                      "all of it is gone")
    test.checks.that(os.path.isdir(STATE) and os.listdir(STATE), "the state stays on the node")
    print(f"  after delete: {sorted(os.listdir(STATE))}", flush=True)
    test.order(600, 60)
    test.written()
    test.apply(overlay)
    test.counted(test.rolled_out("put back"), "over a time without an agent")


def rolls_out(test):
    began = time.monotonic()
    test.apply(f"{test_k8s.K8S}/base")
    pod = test.rolled_out("the base")
    print(f"from apply to ready: {time.monotonic() - began:.1f} s", flush=True)
    as_promised(test, pod)
    done = test.node.server.kubectl("apply", "-f", common.write(f"{test.folder}/shop.yaml", SHOP))
    test.checks.that(done.returncode == 0, f"the workload: {done.stderr}")
    test.order(1000, 100)
    test.counted(pod, "of a first workload")
    rotates(test, pod)
    is_killed(test, pod)
    workload_restarts(test, test.agent())
    test.apply(f"{test_k8s.K8S}/overlays/k3s-pi")
    pod = test.rolled_out("overlay k3s-pi")
    test.checks.equal(pod["spec"]["containers"][0]["imagePullPolicy"], "Never", "nothing is pulled")
    as_promised(test, pod)
    test.order(800, 80)
    test.counted(pod, "over a change of overlay")
    with open(f"{test_k8s.K8S}/base/slos/nodes.yaml", encoding="utf-8") as f:
        overlay = own_overlay(test, "0.1.1", f.read() + document("shop", "shop"))
    test.order(3000, 300, pause_us=300_000)
    test.apply(overlay)
    pod = test.rolled_out("another image, and an SLO more")
    test.checks.equal(pod["spec"]["containers"][0]["image"], "nines:0.1.1", "the image")
    test.counted(pod, "over an update")
    test.checks.that(b'"shop"' in test.fetch(pod["status"]["podIP"], "/api/slo")[1], "the SLO more is there")
    reloads(test, pod)
    alone(test, pod)
    at_full_speed(test)
    is_taken_away(test, overlay)


def tell(test):
    for namespace in ("nines", "shop"):
        print("\n".join(test.node.events(namespace)[-15:]))
    for path in glob.glob("/var/log/pods/nines_*/agent/*.log") + \
            [f"{test.folder}/{name}.log" for name in ("kubelet", "containerd", "kube-controller-manager")]:
        if os.path.exists(path):
            with open(path, encoding="utf-8", errors="replace") as f:
                print(f"--- {path}\n{f.read()[-3000:]}")


def inside(folder, programs, containerd, *archives):
    apart.settle(folder)
    node = one_node.Node(programs, containerd, folder)
    test = Rollout(node, folder)
    try:
        began = time.monotonic()
        node.start(archives)
        node.ctr("images", "tag", "docker.io/library/nines:0.1.0", "docker.io/library/nines:0.1.1")
        common.wait_until(node.ready, 180, "the node is ready")
        print(f"node ready after {time.monotonic() - began:.1f} s", flush=True)
        rolls_out(test)
    except Exception as error:  # what the cluster says is worth more than where it was noticed
        test.checks.that(False, f"{type(error).__name__}: {error}")
    if test.checks.failures:
        tell(test)
    test.checks.finish()


def main():
    if sys.argv[1:2] == ["--inside"]:
        return inside(*sys.argv[2:])
    program, why = common.tool("NINES_BIN"), apart.cannot()
    if why:
        common.skip(f"{why}: nothing is known about a rollout")
    if test_k8s.renderer()[0] != "kubectl" or not shutil.which("buildah"):
        common.skip("kubectl or buildah is not here: nothing is known about a rollout")
    made = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else f"{test_k8s.REPO}/build/api-server")
    programs = api_server.programs(made, *one_node.PROGRAMS)
    containerd = one_node.containerd_root(f"{made}/node")
    folder = common.scratch("rollout")
    os.chmod(folder, 0o755)
    done = common.run(f"{test_k8s.REPO}/packaging/container/build", "--binary", f"amd64={program}", "--out",
                      f"{folder}/image")
    if done.returncode != 0:
        sys.exit(done.stderr.decode())
    archives = [*glob.glob(f"{folder}/image/nines-*.tar"), one_node.workload_image(f"{folder}/workload")]
    code, changed = apart.run([sys.executable, os.path.abspath(__file__), "--inside", folder, programs, containerd,
                               *archives])
    for one in changed:
        print(f"FAIL: this machine is not as before: {one}")
    if not changed:
        print("this machine is as before: processes, mounts, packet filter, network, sysctls, control groups, files of a cluster")
    sys.exit(code or bool(changed))


if __name__ == "__main__":
    main()

"""A cluster of one node out of the programs that api_server.sh makes and of Debian's containerd: API
server, controllers, scheduler, kubelet. Runs as it is only apart from its machine (apart.py).
"""
import json
import os
import re
import subprocess

import api_server
from api_server import common

PROGRAMS = ("kubelet", "kube-controller-manager", "kube-scheduler")
NODE = "n1"
WORKLOAD = "docker.io/library/nines-workload:1"
TOKEN = "the-kubelet-of-this-test"


def containerd_root(folder):
    """containerd, runc and the plugins of pod networks, out of their packages; skips where they can't be had."""
    root = os.path.join(folder, "root")
    if not os.path.exists(f"{root}/usr/sbin/runc"):
        done = subprocess.run(["sh", "-c", '. "$1/packaging/deps.sh"; nines_unpack "$2" $NINES_NODE_DEPS', "sh",
                               api_server.REPO, folder])
        if done.returncode != 0:
            common.skip("containerd cannot be had: nothing is known about a rollout")
    return root


def workload_image(folder):
    """An image of workload.c, as an archive: what pods run, and what holds their namespaces."""
    os.makedirs(f"{folder}/files")
    done = common.run("gcc", "-static", "-O1", "-Wall", "-o", f"{folder}/files/workload",
                      f"{api_server.REPO}/packaging/tests/workload.c")
    if done.returncode != 0:
        common.skip(f"no static C program can be made: {done.stderr.decode()}")
    os.chmod(f"{folder}/files", 0o755)
    script = """set -e
        one=$(buildah from scratch)
        buildah copy -q "$one" "$1/files" / >/dev/null
        buildah config --entrypoint '["/workload"]' --cmd pause "$one"
        image=$(buildah commit -q --rm "$one")
        buildah push -q "$image" "docker-archive:$1/workload.tar:$2"
        buildah rmi -f "$image" >/dev/null"""
    subprocess.run(["sh", "-c", script, "sh", folder, WORKLOAD], check=True,
                   env={**os.environ, "BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"})
    return f"{folder}/workload.tar"


CONTAINERD = """version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.internal.v1.opt"]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{image}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "{snapshotter}"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        BinaryName = "{root}/usr/sbin/runc"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{root}/usr/lib/cni"
    conf_dir = "{folder}/cni"
"""

PODS_NETWORK = {"cniVersion": "0.3.1", "name": "pods", "plugins": [
    {"type": "ptp", "ipam": {"type": "host-local", "subnet": "10.89.0.0/24", "routes": [{"dst": "0.0.0.0/0"}]}}]}

# Logs are rotated early; a full disk of the machine that this runs on is none of the pods' business.
KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {{anonymous: {{enabled: true}}, webhook: {{enabled: false}}}}
authorization: {{mode: AlwaysAllow}}
cgroupDriver: cgroupfs
oomScoreAdj: {score}
failSwapOn: false
resolvConf: {folder}/resolv.conf
volumePluginDir: {folder}/volume-plugins
containerLogMaxSize: 256Ki
containerLogMaxFiles: 10
syncFrequency: 5s
nodeStatusUpdateFrequency: 5s
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {{memory.available: 1Mi, nodefs.available: 0.1%, nodefs.inodesFree: 0.1%, imagefs.available: 0.1%}}
"""

KUBECONFIG = """apiVersion: v1
kind: Config
clusters: [{{name: c, cluster: {{server: "https://127.0.0.1:{port}", certificate-authority: {ca}}}}}]
users: [{{name: u, user: {{token: {token}}}}}]
contexts: [{{name: x, context: {{cluster: c, user: u}}}}]
current-context: x
"""


class Node:
    def __init__(self, programs, containerd, folder):
        self.programs, self.root, self.folder = programs, containerd, folder
        self.server = api_server.Server(programs, folder, f'{TOKEN},system:node:{NODE},{NODE},"system:nodes"\n', ())
        self.environment = {**os.environ, "PATH": f"{containerd}/usr/bin:{containerd}/usr/sbin:{os.environ['PATH']}"}

    def start(self, archives, snapshotter="overlayfs"):
        self.run_containerd(snapshotter)
        for archive in archives:
            self.ctr("images", "import", archive)
        self.server.start_store()
        self.server.start()
        for name, token in (("admin", api_server.ADMIN), ("kubelet", TOKEN)):
            common.write(f"{self.folder}/{name}.kubeconfig",
                         KUBECONFIG.format(port=self.server.port, ca=self.server.ca, token=token))
        admin = f"--kubeconfig={self.folder}/admin.kubeconfig"
        self.server.run("kube-controller-manager", admin, "--leader-elect=false", "--port=0", "--secure-port=0",
                        f"--service-account-private-key-file={self.folder}/sa.key", f"--root-ca-file={self.server.ca}",
                        f"--flex-volume-plugin-dir={self.folder}/volume-plugins")
        self.server.run("kube-scheduler", admin, "--leader-elect=false", "--port=0", "--secure-port=0")
        self.run_kubelet()

    def run_containerd(self, snapshotter):
        common.write(f"{self.folder}/cni/10-pods.conflist", json.dumps(PODS_NETWORK))
        config = common.write(f"{self.folder}/containerd.toml", CONTAINERD.format(
            image=WORKLOAD, root=self.root, folder=self.folder, snapshotter=snapshotter))
        self.spawn(f"{self.root}/usr/bin/containerd", "--config", config)
        common.wait_until(lambda: common.run(*self.ctr_words("version"), env=self.environment).returncode == 0, 60,
                          "containerd answers")

    def run_kubelet(self):
        with open("/proc/self/oom_score_adj", encoding="ascii") as f:
            score = f.read().strip()
        common.write(f"{self.folder}/resolv.conf", "nameserver 10.88.0.254\n")
        config = common.write(f"{self.folder}/kubelet.yaml", KUBELET.format(folder=self.folder, score=score))
        self.spawn(f"{self.programs}/kubelet", f"--config={config}", f"--kubeconfig={self.folder}/kubelet.kubeconfig",
                   "--container-runtime=remote", "--container-runtime-endpoint=unix:///run/containerd/containerd.sock",
                   f"--hostname-override={NODE}", "--node-ip=10.88.0.1", "--root-dir=/var/lib/kubelet",
                   f"--cert-dir={self.folder}/kubelet-certs")

    def spawn(self, program, *options):
        log = open(f"{self.folder}/{os.path.basename(program)}.log", "ab")
        process = subprocess.Popen([program, *options], stdout=log, stderr=log, env=self.environment)
        self.server.processes.append(process)

    def ctr_words(self, *words):
        return [f"{self.root}/usr/bin/ctr", "--address", "/run/containerd/containerd.sock", "-n", "k8s.io", *words]

    def ctr(self, *words):
        done = common.run(*self.ctr_words(*words), env=self.environment)
        if done.returncode != 0:
            raise RuntimeError(f"ctr {words}: {done.stderr.decode()}")
        return done.stdout.decode()

    # --- what the cluster says
    def get(self, path):
        status, answer = self.server.call("GET", path)
        return answer if status == 200 else None

    def ready(self):
        node = self.get(f"/api/v1/nodes/{NODE}")
        return node and condition(node, "Ready")

    def pods(self, namespace):
        return (self.get(f"/api/v1/namespaces/{namespace}/pods") or {"items": []})["items"]

    def events(self, namespace):
        found = (self.get(f"/api/v1/namespaces/{namespace}/events") or {"items": []})["items"]
        return [f"{e['involvedObject']['name']}: {e['reason']}: {e['message']}" for e in found]


def condition(thing, kind):
    return any(c["type"] == kind and c["status"] == "True" for c in thing.get("status", {}).get("conditions", []))


class Process:
    """The first process of a container, as the node sees it."""

    def __init__(self, pod):
        self.pod = pod
        self.container = pod["status"]["containerStatuses"][0]["containerID"].removeprefix("containerd://")
        self.pid = next(pid for pid in sorted(int(p) for p in os.listdir("/proc") if p.isdigit())
                        if self.container in self.read("cgroup", pid))

    def read(self, name, pid=None):
        try:
            with open(f"/proc/{pid or self.pid}/{name}", encoding="utf-8", errors="replace") as f:
                return f.read()
        except OSError:
            return ""

    def status(self, field):
        found = re.search(rf"^{field}:\s*(.*)$", self.read("status"), re.M)
        return found[1].split() if found else []

    def mounts(self):
        """Where -> options of the mount."""
        return {line.split()[4]: line.split()[5].split(",") for line in self.read("mountinfo").splitlines()}

    def group(self, controller, name, above=0):
        path = next(line.split(":", 2)[2] for line in self.read("cgroup").splitlines()
                    if controller in line.split(":")[1].split(","))
        for _ in range(above):
            path = os.path.dirname(path)
        with open(f"/sys/fs/cgroup/{controller}{path}/{name}", encoding="ascii") as f:
            return f.read().strip()

    def group_fields(self, controller, name):
        return {k: int(v) for k, v in (line.split() for line in self.group(controller, name).splitlines())}

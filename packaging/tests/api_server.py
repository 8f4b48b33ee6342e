"""A real API server and its etcd, as api_server.sh makes them, for the tests of this folder: started and
stopped on ports of their own, asked as an administrator by HTTP and by kubectl.
"""
import json
import os
import ssl
import subprocess
import sys
import urllib.error
import urllib.request

import yaml

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests/e2e"))
import common  # noqa: E402

ADMIN = "an-admin-of-this-test"


def programs(folder, *others):
    """Where they are, compiled in `folder` if they are not yet; skips the test where they cannot be."""
    made = subprocess.run([f"{REPO}/packaging/tests/api_server.sh", folder, *others], stdout=subprocess.PIPE,
                          text=True)
    if made.returncode != 0:
        common.skip("there is no API server: nothing is known about a real one")
    return made.stdout.strip()


class Server:
    def __init__(self, programs, folder, token_users="", admission=("--disable-admission-plugins=ServiceAccount",)):
        """`token_users`: more lines of the file of tokens. `admission`: without controllers nobody makes the
        secrets of accounts, which pods would wait for."""
        self.programs, self.folder, self.admission = programs, folder, admission
        self.port, self.etcd_port = common.free_port(), common.free_port()
        self.processes = []
        common.write(f"{folder}/tokens.csv", f"{ADMIN},admin,admin,system:masters\n{token_users}")
        subprocess.run(["openssl", "genrsa", "-out", f"{folder}/sa.key", "2048"], check=True,
                       capture_output=True)
        self.ca = f"{folder}/certs/apiserver.crt"

    def run(self, program, *options):
        log = open(f"{self.folder}/{program}.log", "ab")
        process = subprocess.Popen([f"{self.programs}/{program}", *options], stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def start_store(self):
        url, peers = f"http://127.0.0.1:{self.etcd_port}", f"http://127.0.0.1:{common.free_port()}"
        self.run("etcd", "--data-dir", f"{self.folder}/etcd", "--listen-client-urls", url,
                 "--advertise-client-urls", url, "--listen-peer-urls", peers,
                 "--initial-advertise-peer-urls", peers, "--initial-cluster", f"default={peers}")

    def start(self):
        key = f"{self.folder}/sa.key"
        self.process = self.run(
            "kube-apiserver", f"--etcd-servers=http://127.0.0.1:{self.etcd_port}",
            "--bind-address=127.0.0.1", f"--secure-port={self.port}",
            f"--cert-dir={self.folder}/certs", f"--token-auth-file={self.folder}/tokens.csv",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}", f"--service-account-signing-key-file={key}",
            "--authorization-mode=Node,RBAC", "--service-cluster-ip-range=10.0.0.0/24",
            "--allow-privileged=true", *self.admission)
        common.wait_until(lambda: self.ready(), 120, "the API server is ready")

    def ready(self):
        try:
            return self.call("GET", "/readyz")[0] == 200
        except OSError:
            return False

    def stop(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        for process in self.processes:
            process.kill()
            process.wait()

    def call(self, method, path, body=None, kind="application/json"):
        request = urllib.request.Request(
            f"https://127.0.0.1:{self.port}{path}", method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {ADMIN}", "Content-Type": kind})
        try:
            with urllib.request.urlopen(request, timeout=20,
                                        context=ssl.create_default_context(cafile=self.ca)) as answer:
                status, text = answer.status, answer.read()
        except urllib.error.HTTPError as e:
            status, text = e.code, e.read()
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def made(self, path, body):
        status, answer = self.call("POST", path, body)
        if status not in (200, 201):
            raise RuntimeError(f"POST {path}: {status} {answer}")
        return answer

    def kubectl(self, *arguments, documents=None):
        return subprocess.run(
            ["kubectl", f"--server=https://127.0.0.1:{self.port}", f"--token={ADMIN}",
             f"--certificate-authority={self.ca}", *arguments], capture_output=True, text=True,
            input=None if documents is None else yaml.safe_dump_all(documents), timeout=120,
            env={**os.environ, "HOME": self.folder, "KUBECONFIG": "/dev/null"})

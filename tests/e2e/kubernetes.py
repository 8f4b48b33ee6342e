"""A Kubernetes API server for one node, as far as Nines asks one: pods and events are listed and
watched, in the order of one resource version; it can be taken away, forget (410) and come back."""
import datetime
import json
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def stamp(at):
    return datetime.datetime.fromtimestamp(int(at), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Cluster:
    """What is so, and what happened; the server tells of it."""

    def __init__(self):
        self.changed = threading.Condition()
        self.version, self.oldest = 100, 0
        self.objects = {"pods": {}, "events": {}}
        self.history = []  # (version, resource, type, object)
        self.server, self.port, self.asked = None, 0, []
        self.leases, self.replica_sets, self.told = {}, {}, []
        self.deeds = []  # (method, path, was it a dry run, body)
        self.lease_writes = []  # (how many deeds there had been, the Lease)
        self.disruption_allowed = True

    def put(self, resource, name, thing):
        with self.changed:
            self.version += 1
            known = name in self.objects[resource]
            thing = json.loads(json.dumps(thing))
            thing["metadata"]["resourceVersion"] = str(self.version)
            self.objects[resource][name] = thing
            self.history.append((self.version, resource, "MODIFIED" if known else "ADDED", thing))
            self.changed.notify_all()

    def remove(self, resource, name):
        with self.changed:
            self.version += 1
            self.history.append((self.version, resource, "DELETED", self.objects[resource].pop(name)))
            self.changed.notify_all()

    def forget(self):
        """Watches from before now get 410."""
        with self.changed:
            self.version += 1
            self.oldest, self.history = self.version, []

    def start(self):
        self.server = Server(("127.0.0.1", self.port), Handler)
        self.server.cluster, self.port = self, self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        """Nobody listens any more, and what is open is broken off."""
        server, self.server = self.server, None
        with self.changed:
            server.gone = True
            self.changed.notify_all()
        server.shutdown()
        server.server_close()


class Server(ThreadingHTTPServer):
    daemon_threads, allow_reuse_address, block_on_close, gone = True, True, False, False


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        cluster, url = self.server.cluster, urllib.parse.urlsplit(self.path)
        resource = url.path.rsplit("/", 1)[-1]
        wish = dict(urllib.parse.parse_qsl(url.query))
        cluster.asked.append(self.path)
        self.close_connection = True
        if (found := self.one(cluster, url.path.strip("/").split("/"))) is not None:
            return self.answer(*found)
        if resource not in cluster.objects:
            return self.answer(404, {"kind": "Status", "code": 404})
        if wish.get("watch") == "true":
            return self.watch(cluster, resource, int(wish["resourceVersion"]))
        with cluster.changed:
            items = list(cluster.objects[resource].values())
            return self.answer(200, {"kind": "List", "items": items,
                                     "metadata": {"resourceVersion": str(cluster.version)}})

    # --- what remediation asks: a pod, its controller, evictions, the lease, Events of what was done
    def one(self, cluster, parts):
        """(status, answer) of a GET of one object; None: it is none."""
        if len(parts) < 2 or parts[-2] not in ("pods", "replicasets", "leases"):
            return None
        kind, name = parts[-2:]
        of = {"pods": cluster.objects["pods"], "replicasets": cluster.replica_sets,
              "leases": cluster.leases}[kind]
        return (200, of[name]) if name in of else (404, {"kind": "Status", "message": "not found"})

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")

    def do_POST(self):
        self.close_connection = True
        cluster, url, body = self.server.cluster, urllib.parse.urlsplit(self.path), self.body()
        dry = dict(urllib.parse.parse_qsl(url.query)).get("dryRun") == "All"
        parts = url.path.strip("/").split("/")
        if parts[-1] == "events":
            cluster.told.append(body)
            return self.answer(201, body)
        if parts[-1] == "leases":
            return self.lease(cluster, body, None)
        cluster.deeds.append(("POST", url.path, dry, body))
        if parts[-1] != "eviction":
            return self.answer(404, {"kind": "Status", "message": "not found"})
        pod = cluster.objects["pods"].get(parts[-2])
        if pod is None:
            return self.answer(404, {"kind": "Status", "message": "not found"})
        if body["deleteOptions"]["preconditions"]["uid"] != pod["metadata"]["uid"]:
            return self.answer(409, {"kind": "Status", "message": "the UID does not match"})
        if not cluster.disruption_allowed:
            return self.answer(429, {"kind": "Status", "message": "it would violate the disruption budget"})
        self.answer(201, {"kind": "Status", "status": "Success"})
        if not dry:
            cluster.remove("pods", parts[-2])
        return None

    def do_PUT(self):
        self.close_connection = True
        body = self.body()
        return self.lease(self.server.cluster, body, body["metadata"].get("resourceVersion"))

    def lease(self, cluster, body, seen):
        with cluster.changed:
            name = body["metadata"]["name"]
            there = cluster.leases.get(name)
            if (there is None) != (seen is None) or \
                    (there and there["metadata"]["resourceVersion"] != seen):
                return self.answer(409, {"kind": "Status", "message": "the object has been modified"})
            cluster.version += 1
            body["metadata"]["resourceVersion"] = str(cluster.version)
            cluster.leases[name] = body
            cluster.lease_writes.append((len(cluster.deeds), body))
        return self.answer(200, body)

    def answer(self, status, body):
        body = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def chunk(self, what):
        line = json.dumps(what).encode() + b"\n"
        self.wfile.write(b"%x\r\n%s\r\n" % (len(line), line))
        self.wfile.flush()

    def watch(self, cluster, resource, version):
        if version < cluster.oldest:
            return self.answer(410, {"kind": "Status", "code": 410, "reason": "Expired"})
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.flush()
        while True:
            with cluster.changed:
                news = [e for e in cluster.history if e[0] > version and e[1] == resource]
                if not news and not self.server.gone:
                    cluster.changed.wait(0.5)
                if self.server.gone:
                    return None  # in the middle, without an end
            for at, _, kind, thing in news:
                self.chunk({"type": kind, "object": thing})
                version = at


def pod(name, app, revision, image, made, *, node="n1", restarts=0, state=None, last=None, ready=True):
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "uid": f"u-{name}",
                     "creationTimestamp": stamp(made), "labels": {"pod-template-hash": revision},
                     "ownerReferences": [{"kind": "ReplicaSet", "name": f"{app}-{revision}",
                                          "uid": f"rs-{app}-{revision}", "controller": True}]},
        "spec": {"nodeName": node, "containers": [{"name": app, "image": image}]},
        "status": {"phase": "Running", "startTime": stamp(made),
                   "conditions": [{"type": "Ready", "status": "True" if ready else "False",
                                   "lastTransitionTime": stamp(made + 1)}],
                   "containerStatuses": [{"name": app, "restartCount": restarts, "ready": ready,
                                          "state": state or {"running": {}},
                                          "lastState": last or {}}]}}


def event(uid, about, reason, message, first, last=None, count=1, *, kind="Pod", host="n1",
          severity="Warning"):
    return {"kind": "Event", "metadata": {"name": f"{about}.{uid}", "namespace": "shop", "uid": uid},
            "involvedObject": {"kind": kind, "namespace": "shop", "name": about, "uid": f"u-{about}"},
            "reason": reason, "message": message, "type": severity, "count": count,
            "source": {"component": "kubelet", "host": host},
            "firstTimestamp": stamp(first), "lastTimestamp": stamp(last or first)}

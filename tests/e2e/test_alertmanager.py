#!/usr/bin/env python3
"""The real Alertmanager, two replicas: fires and resolves reach a receiver once; it is restarted and
knows again; an incident that began and ended while both were down is replayed once."""
import http.server
import json
import os
import re
import signal
import subprocess
import threading

import common
import test_alerts

CONFIG = """
route:
  receiver: hook
  group_by: [alertname, slo]
  group_wait: 0s
  group_interval: 1s
  repeat_interval: 1h
receivers:
  - name: hook
    webhook_configs: [{{url: "http://127.0.0.1:{port}/", send_resolved: true}}]
"""


class Receiver:
    """What Alertmanager's webhook receiver gets: (status, alertname, alert) for each notification."""

    def __init__(self):
        self.port, self.got = common.free_port(), []
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    receiver.got.append((alert["status"], alert["labels"]["alertname"], alert))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def pages(self, name="SLOBurn"):
        """Incidents paged about: a firing notification with a startsAt of its own."""
        return [a["startsAt"] for s, n, a in self.got if s == "firing" and n == name]

    def ends(self):
        return [a["startsAt"] for s, n, a in self.got if s == "resolved" and n == "SLOBurn"]


def program():
    """Debian's binary reads a template at a fixed place. Unpacked and not installed, it gets that
    place in a mount namespace of its own."""
    binary = common.tool("NINES_PROMETHEUS_ALERTMANAGER")
    share = os.path.join(os.path.dirname(os.path.dirname(binary)), "share")
    if os.path.exists("/usr/share/prometheus/alertmanager/default.tmpl"):
        return [binary]
    wrap = ["unshare", "--map-root-user", "--mount", "sh", "-c",
            'mount --bind "$1" /usr/share && shift && exec "$@"', "sh", share]
    if common.run(*wrap, "true").returncode != 0:
        common.skip("Alertmanager is not installed, and mount namespaces are not allowed")
    return wrap + [binary]


class Alertmanager:
    def __init__(self, folder, receiver, gossip, peer=None):
        self.folder, self.port, self.gossip, self.peer = folder, common.free_port(), gossip, peer
        self.process = None
        common.write(f"{folder}/am.yml", CONFIG.format(port=receiver.port))

    def start(self):
        command = [*program(), f"--config.file={self.folder}/am.yml",
                   f"--storage.path={self.folder}/data",
                   f"--web.listen-address=127.0.0.1:{self.port}",
                   f"--cluster.listen-address=127.0.0.1:{self.gossip}",
                   "--cluster.peer-timeout=2s", "--cluster.settle-timeout=1s",
                   "--cluster.gossip-interval=50ms", "--cluster.pushpull-interval=1s"]
        if self.peer:
            command.append(f"--cluster.peer=127.0.0.1:{self.peer}")
        log = open(f"{self.folder}/log", "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        common.wait_until(lambda: common.get(self.port, "/-/ready")[0] == 200, 30, "Alertmanager")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def alerts(self):
        status, body = common.get(self.port, "/api/v2/alerts")
        return [a["labels"]["alertname"] for a in json.loads(body)] if status == 200 else []


def main():
    checks = common.Checks()
    program()
    folder = common.scratch("alertmanager")
    receiver, gossip = Receiver(), [common.free_port(), common.free_port()]
    replicas = [Alertmanager(f"{folder}/am{i}", receiver, gossip[i], gossip[1 - i]) for i in (0, 1)]
    log, port = f"{folder}/access.log", common.free_port()
    slo = common.ratio_slo("web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1h")
    common.write(f"{folder}/slos/web.yaml", slo + test_alerts.POLICY)
    urls = ", ".join(f'"http://127.0.0.1:{r.port}"' for r in replicas)
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port, (
        f"upstream:\n  - {{name: main, kind: alertmanager, urls: [{urls}], resend: 5s, "
        "labels: [cluster=shop]}\n")))
    writer = common.AccessLog(log)
    writer.start()
    agent_log = f"{folder}/agent.log"
    seen = lambda text: len(re.findall(text, test_alerts.read(agent_log)))
    start = lambda: common.Agent(config, f"{folder}/state", port, log=agent_log)
    try:
        for replica in replicas:
            replica.start()
        with start() as agent:
            common.wait_until(lambda: agent.slos().get("web", {}).get("total", 0) > 0, 20, "lines")
            writer.status = 503
            common.wait_until(lambda: receiver.pages(), 60, "a page")
            for replica in replicas:
                common.wait_until(lambda: replica.alerts() == ["SLOBurn"], 20, "both know")
            checks.equal(len(receiver.pages()), 1, "one page through two replicas")
            # A restart of Alertmanager: it forgets everything, and is told again.
            replicas[0].stop()
            replicas[0].start()
            common.wait_until(lambda: replicas[0].alerts() == ["SLOBurn"], 30, "told again")
        with start() as agent:  # killed and started anew while it burns
            common.wait_until(lambda: agent.slos().get("web", {}).get("total", 0) > 0, 20, "again")
            writer.status = 200
            common.wait_until(lambda: receiver.ends(), 90, "the end")
            checks.equal(len(set(receiver.pages())), 1, "pages of the first incident")
            # Both replicas down; an incident begins and ends.
            for replica in replicas:
                replica.stop()
            writer.status = 503
            common.wait_until(lambda: seen("FIRED") == 2, 60, "fires while they are down")
            writer.status = 200
            common.wait_until(lambda: seen("resolved page web") == 2, 90, "resolves while they are down")
            agent.wait_for_commits()  # else the next life finds it burning, and Alertmanager there
            checks.equal(receiver.pages("OfflineIncidentReplay"), [], "no replay yet")
        with start() as agent:  # killed once more: it is still owed
            common.wait_until(lambda: agent.slos().get("web"), 20, "third life")
            for replica in replicas:
                replica.start()
            common.wait_until(lambda: receiver.pages("OfflineIncidentReplay"), 90, "the replay")
            owed = lambda: [r["pending"] for r in json.loads(
                common.get(port, "/api/outbox")[1])["alertmanagers"]]
            common.wait_until(lambda: owed() == [0, 0], 60, "both replicas know")
        pages, replays = receiver.pages(), receiver.pages("OfflineIncidentReplay")
        checks.equal(len(set(pages)), 1, "incidents paged about: the first, not the second")
        checks.equal(len(replays), 1, "replays")
        alert = next(a for s, n, a in receiver.got if n == "OfflineIncidentReplay")
        checks.that("while Alertmanager could not be reached" in alert["annotations"]["summary"],
                    alert["annotations"])
        first = next(a for s, n, a in receiver.got if n == "SLOBurn")
        checks.equal(first["labels"], {"alertname": "SLOBurn", "service": "web-service", "slo": "web",
                                       "severity": "page", "rule": "quick", "priority": "P0",
                                       "cluster": "shop"}, "labels")
        checks.equal(first["annotations"]["node"], "test", "the node is an annotation")
    finally:
        writer.ending.set()
        writer.join()
        for replica in replicas:
            replica.stop()
        if checks.failures:
            print(test_alerts.read(agent_log)[-3000:], [(s, n, a["startsAt"]) for s, n, a in receiver.got])
    checks.finish()


if __name__ == "__main__":
    main()

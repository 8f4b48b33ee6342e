#!/usr/bin/env python3
"""An agent that tells a real mosquitto, which is killed and forgets everything, and an agent that is
killed: the will says so, what is retained is there again, and every alert event has arrived, told
apart by its id. Then a login that is refused, and TLS."""
import json
import re

import common
import fleet_nodes
import engines
from test_alerts import POLICY, Receiver

PASSWORD = "correct-horse"
BASE = "nines/shop/m/"


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, upstream, receiver):
        super().__init__(folder, name)
        self.log = f"{self.folder}/access.log"
        common.write(self.log, "")
        common.write(f"{self.folder}/slos/web.yaml", common.ratio_slo(
            "web", "paths: [access.log], format: nginx", "status < 500", "", "0.9", "1h") + POLICY)
        common.write(f"{self.folder}/password", PASSWORD)
        common.write(f"{self.folder}/wrong", "guess")
        self.configure(
            f"upstream:\n  - {{name: iot, kind: mqtt, cluster: shop, user: edge, {upstream}}}\n"
            f"webhooks: [{{name: hook, url: \"http://127.0.0.1:{receiver.port}/\"}}]\n")
        self.writer = common.AccessLog(self.log)

    def up(self):
        _, text = common.get(self.port, "/metrics")
        found = re.search(r"^nines_broker_up{[^}]*} (\d+)", text.decode(), re.M)
        return int(found[1]) if found else None


def alerts(readers):
    return [json.loads(p) for r in readers for t, _, p in list(r.got) if t == BASE + "alert"]


def fired(readers, kind):
    return [a for a in alerts(readers) if a["kind"] == kind]


def check_outages(checks, node, broker, readers):
    reader = readers[0]
    common.wait_until(lambda: reader.newest(BASE + "online") == b"true", 60, "online")
    common.wait_until(lambda: reader.newest(BASE + "slo/web"), 90, "the status of the SLO")
    checks.equal(json.loads(reader.newest(BASE + "slo/web"))["slo"], "web", "status of the SLO")
    node.writer.status = 503
    common.wait_until(lambda: fired(readers, "fired"), 90, "the alert")
    node.agent.kill()
    common.wait_until(lambda: reader.newest(BASE + "online") == b"false", 90, "the will")
    node.start()
    common.wait_until(lambda: reader.newest(BASE + "online") == b"true", 60, "online again")
    broker.kill()
    node.writer.status = 200
    common.wait_until(lambda: node.up() == 0, 30, "the agent sees that it is gone")
    common.wait_until(lambda: common.get(node.port, "/api/alerts")[1].count(b'"resolved"') > 0, 120,
                      "the end of the alert, which nobody can be told")
    readers.append(engines.start_where_nobody_misses_it(node.agent, broker, PASSWORD))
    common.wait_until(lambda: fired(readers[1:], "resolved"), 120, "the end is told")
    common.wait_until(lambda: readers[1].newest(BASE + "slo/web"), 90, "the status is told anew")
    late = engines.MqttReader(broker.port, "edge", PASSWORD)
    readers.append(late)
    for topic in ("online", "slo/web"):
        common.wait_until(lambda: late.newest(BASE + topic), 30, f"{topic} is retained")
    checks.that(all(kept for t, kept, _ in late.got if t.endswith("online")), "retained")


def check_events(checks, readers, receiver):
    common.wait_until(lambda: any(event["kind"] == "resolved" for _, event in receiver.delivered()), 60,
                      "a webhook gets the end, too")
    keys = {key for key, _ in receiver.delivered()}
    common.wait_until(lambda: {a["id"] for a in alerts(readers)} >= keys, 60, "all events")
    by_id = {}
    for alert in alerts(readers):
        checks.equal(by_id.setdefault(alert["id"], alert), alert, "a repetition is the same")
    checks.equal(set(by_id), keys, "the events that webhooks got")


def check_refusal(checks, folder, broker, receiver):
    url = f"url: \"mqtt://127.0.0.1:{broker.port}\", password_file: wrong"
    node = Node(folder, "stranger", url, receiver)
    node.start()
    try:
        common.wait_until(lambda: "refuses the login" in node.own_log(), 30, "a refusal")
        checks.equal(node.up(), 0, "nines_broker_up of who is refused")
        checks.that("guess" not in node.own_log(), "no secret in the log")
    finally:
        node.agent.kill()


def check_tls(checks, folder, receiver):
    for arguments in (["init", "--cluster", "shop"], ["issue", "localhost"]):
        done = common.run(common.tool("NINES_BIN"), "pki", *arguments, "--dir", f"{folder}/pki")
        assert done.returncode == 0, done
    pki = f"{folder}/pki/localhost"
    with engines.Mosquitto(folder, "tls", PASSWORD, (
            f"cafile {pki}/ca.crt\ncertfile {pki}/node.crt\nkeyfile {pki}/node.key\n"
            "require_certificate true")) as broker:
        url = f"url: \"mqtts://localhost:{broker.port}\", password_file: password"
        own = f"cert_file: {pki}/node.crt, key_file: {pki}/node.key"
        good = Node(folder, "secure", f"{url}, {own}, ca_file: {pki}/ca.crt", receiver)
        bad = Node(folder, "doubtful", f"{url}, {own}", receiver)
        try:
            good.start()
            bad.start()
            common.wait_until(lambda: good.up() == 1, 30, "TLS stands")
            common.wait_until(lambda: "certificate verify failed" in bad.own_log(), 30,
                              "a broker of an unknown authority is not spoken to")
            checks.equal(bad.up(), 0, "nines_broker_up without the authority")
        finally:
            good.agent.kill()
            if bad.agent is not None:
                bad.agent.kill()


def main():
    checks = common.Checks()
    folder = common.scratch("mqtt")
    receiver, broker = Receiver(), engines.Mosquitto(folder, "iot", PASSWORD)
    receiver.open(200)
    node = Node(folder, "m", f"url: \"mqtt://127.0.0.1:{broker.port}\", password_file: password",
                receiver)
    readers = []
    try:
        broker.start()
        readers.append(engines.MqttReader(broker.port, "edge", PASSWORD))
        node.writer.start()
        node.start()
        check_refusal(checks, folder, broker, receiver)
        check_tls(checks, folder, receiver)
        check_outages(checks, node, broker, readers)
        check_events(checks, readers, receiver)
    finally:
        node.writer.ending.set()
        if node.agent is not None:
            node.agent.kill()
        if checks.failures:
            print(node.own_log()[-2000:])
        broker.kill()
        receiver.shut()
    checks.finish()


if __name__ == "__main__":
    main()

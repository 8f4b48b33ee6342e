#!/usr/bin/env python3
"""MQTT as a channel of notifications, against a real mosquitto. Told means acknowledged: a broker
that is stopped, one that is killed, one that takes an event and goes without a word, a login that
is refused and an authority that nobody knows delay an event; none of them loses it, a killed agent
included, and who hears it twice hears the same id."""
import json
import re
import signal
import socket
import threading

import common
import engines
from test_alerts import POLICY, Receiver

PASSWORD = "correct-horse"
TOPIC = "shop/pages"


class Mute(threading.Thread):
    """Logs everybody in, takes the first publications and closes without acknowledging them."""

    def __init__(self, mute):
        super().__init__(daemon=True)
        self.mute, self.got = mute, []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            connection.settimeout(30)
            try:
                self.serve(connection)
            except (OSError, IndexError):
                pass
            connection.close()

    def serve(self, connection):
        client = engines.MqttReader.__new__(engines.MqttReader)  # its packets, without its login
        client.socket, client.file = connection, connection.makefile("rb")
        head, _ = client.packet()
        assert head == 0x10, head
        client.send(0x20, b"\0\0")
        head, body = client.packet()
        assert head == 0x32, head  # QoS 1, neither retained nor a repetition of this session
        at = 2 + int.from_bytes(body[:2], "big")
        self.got.append(json.loads(body[at + 2:]))
        if len(self.got) > self.mute:
            client.send(0x40, body[at:at + 2])
            client.packet()  # DISCONNECT


def outbox(port):
    status, body = common.get(port, "/api/outbox")
    return {n["name"]: n for n in json.loads(body)["notifiers"]} if status == 200 else {}


def heard(reader):
    return [json.loads(payload) for topic, _, payload in list(reader.got) if topic == TOPIC]


def kinds(reader):
    return [e["kind"] for e in heard(reader)]


def configuration(folder, port, pki, iot, secure, mute):
    common.write(f"{folder}/password", PASSWORD + "\n")
    common.write(f"{folder}/mended", "guess\n")
    return common.write(f"{folder}/nines.yaml", common.node_yaml(port, f"""
notifiers:
  - {{name: pages, kind: mqtt, url: "mqtt://127.0.0.1:{iot.port}", topic: {TOPIC}, user: edge,
      secret_file: password, timeout: 2s}}
  - {{name: stranger, kind: mqtt, url: "mqtt://127.0.0.1:{iot.port}", topic: strange/pages, user: edge,
      secret_file: mended}}
  - {{name: secure, kind: mqtt, url: "mqtts://localhost:{secure.port}", topic: {TOPIC}, user: edge,
      secret_file: password, ca_file: {pki}/ca.crt, cert_file: {pki}/node.crt, key_file: {pki}/node.key}}
  - {{name: doubtful, kind: mqtt, url: "mqtts://localhost:{secure.port}", topic: {TOPIC}, user: edge,
      secret_file: password, cert_file: {pki}/node.crt, key_file: {pki}/node.key}}
  - {{name: mute, kind: mqtt, url: "mqtt://127.0.0.1:{mute.port}", topic: {TOPIC}}}
webhooks: [{{name: hook, url: "http://127.0.0.1:{{hook}}/"}}]
"""))


def check_first_life(checks, agent, port, writer, iot, secure_reader):
    """mosquitto is stopped (connections stand, nothing is answered), then killed."""
    iot.process.send_signal(signal.SIGSTOP)
    writer.status = 503
    common.wait_until(lambda: outbox(port).get("pages", {}).get("failures", 0) >= 1, 90, "a failure")
    pages = outbox(port)["pages"]
    checks.equal((pages["sent"], pages["pending"]), (0, 1), "without PUBACK nothing is told")
    checks.that("did not answer within 2000 ms" in pages["last_error"], pages["last_error"])
    iot.kill()
    before = pages["failures"]
    common.wait_until(lambda: outbox(port)["pages"]["failures"] > before, 90, "a refused connection")
    checks.equal(outbox(port)["pages"]["sent"], 0, "nobody was told")
    common.wait_until(lambda: kinds(secure_reader) == ["fired"], 60, "over TLS")
    common.wait_until(lambda: outbox(port)["secure"]["sent"] == 1, 30, "acknowledged over TLS")
    doubtful = outbox(port)["doubtful"]
    common.wait_until(lambda: "certificate verify failed" in outbox(port)["doubtful"]["last_error"],
                      30, "an authority that nobody knows")
    checks.equal(doubtful["sent"], 0, "nothing for a broker in doubt")


def check_second_life(checks, agent, port, writer, iot, receiver):
    """Killed with its event untold; the broker comes back."""
    reader = engines.start_where_nobody_misses_it(agent, iot, PASSWORD)
    common.wait_until(lambda: kinds(reader) == ["fired"], 120, "told after both were killed")
    common.wait_until(lambda: outbox(port)["pages"]["sent"] == 1, 30, "acknowledged")
    checks.equal(heard(reader)[0]["id"], receiver.delivered()[0][0], "the key that webhooks get")
    checks.equal({k: v for k, v in heard(reader)[0].items() if k not in ("id", "context")},
                 receiver.delivered()[0][1], "what webhooks get")
    common.wait_until(lambda: "refuses the login" in outbox(port)["stranger"]["last_error"], 60,
                      "the wrong password")
    stranger = outbox(port)["stranger"]
    checks.equal((stranger["sent"], stranger["dead"]), (0, 0), "kept until the login is mended")
    writer.status = 200
    common.wait_until(lambda: kinds(reader) == ["fired", "resolved"], 120, "the end")
    checks.that(not any(kept for topic, kept, _ in reader.got if topic == TOPIC), "not retained")
    return reader


def check_third_life(checks, agent, port, reader, receiver):
    """The login is mended: told at last. What was told is not told again."""
    common.wait_until(lambda: outbox(port).get("stranger", {}).get("sent") == 2, 60, "mended")
    ids = [json.loads(p)["id"] for t, _, p in list(reader.got) if t == "strange/pages"]
    checks.equal(ids, [key for key, _ in receiver.delivered()], "all of it, in order")
    checks.equal(kinds(reader), ["fired", "resolved"], "nothing twice")
    _, metrics = common.get(port, "/metrics")
    checks.that(re.search(rb'nines_notifier_total\{notifier="stranger",kind="mqtt",outcome="sent"\} 2',
                          metrics), "the metric")


def check_mute(checks, port, mute):
    common.wait_until(lambda: outbox(port).get("mute", {}).get("sent", 0) + len(
        {e["id"] for e in mute.got}) >= 2 and len(mute.got) >= 4, 120, "the mute broker is told")
    ids = [e["id"] for e in mute.got]
    checks.equal(ids[:3], ids[:1] * 3, "without PUBACK the same event again")
    checks.equal(len(set(ids)), 2, "two events in all")


def make_pki(folder):
    for arguments in (["init", "--cluster", "shop"], ["issue", "localhost"]):
        done = common.run(common.tool("NINES_BIN"), "pki", *arguments, "--dir", f"{folder}/pki")
        assert done.returncode == 0, done
    return f"{folder}/pki/localhost"


def main():
    checks = common.Checks()
    folder = common.scratch("mqtt_notifier")
    log, port, pki = f"{folder}/access.log", common.free_port(), make_pki(folder)
    receiver, mute = Receiver(), Mute(2)
    receiver.open(200)
    iot = engines.Mosquitto(folder, "iot", PASSWORD)
    secure = engines.Mosquitto(folder, "secure", PASSWORD, (
        f"cafile {pki}/ca.crt\ncertfile {pki}/node.crt\nkeyfile {pki}/node.key\n"
        f"require_certificate true\nlistener {common.free_port()} 127.0.0.1"))
    config = configuration(folder, port, pki, iot, secure, mute)
    common.write(config, open(config).read().replace("{hook}", str(receiver.port)))
    slo = common.ratio_slo("web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1h")
    common.write(f"{folder}/slos/web.yaml", slo + POLICY)
    common.write(log, "")
    writer = common.AccessLog(log)
    writer.start()
    start = lambda: common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")
    try:
        iot.start()
        secure.start()
        plain_port = int(re.findall(r"listener (\d+)", open(secure.config).read())[1])
        secure_reader = engines.MqttReader(plain_port, "edge", PASSWORD)
        with start() as agent:
            common.wait_until(lambda: agent.slos().get("web", {}).get("total", 0) > 0, 60, "lines")
            check_first_life(checks, agent, port, writer, iot, secure_reader)
        with start() as agent:
            common.wait_until(lambda: outbox(port), 60, "the second life")
            reader = check_second_life(checks, agent, port, writer, iot, receiver)
            check_mute(checks, port, mute)
            agent.wait_for_commits()  # else who was told as the last is told again
        common.write(f"{folder}/mended", PASSWORD + "\n")
        with start() as agent:
            check_third_life(checks, agent, port, reader, receiver)
            told = b"".join(common.get(port, p)[1] for p in ("/metrics", "/api/outbox", "/api/status"))
        told += open(f"{folder}/agent.log", "rb").read()
        for secret in (PASSWORD, "guess"):
            checks.that(secret.encode() not in told, f"{secret} is told in log, metrics or API")
    finally:
        writer.ending.set()
        writer.join()
        for broker in (iot, secure):
            broker.kill()
        receiver.shut()
        print(open(f"{folder}/agent.log").read()[-4000:] if checks.failures else "", end="")
    checks.finish()


if __name__ == "__main__":
    main()

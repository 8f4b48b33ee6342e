"""Engines that agents tell, started on loopback from Debian's programs, which tests/run unpacks."""
import base64
import glob
import gzip
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import urllib.parse

import common


class Engine:
    """A program that can be killed and started again on the same data."""

    def __init__(self, folder, name):
        self.folder, self.name, self.port = f"{folder}/{name}", name, common.free_port()
        os.makedirs(self.folder, exist_ok=True)
        self.process = None

    environment = None

    def start(self):
        with open(f"{self.folder}/log", "ab") as log:
            self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, cwd=self.folder,
                                            env=self.environment)
        common.wait_until(self.ready, 30, f"{self.name} is ready")
        return self

    url_path = "/api/v1/write"
    kind = "remote_write"
    host = "127.0.0.1"  # where it listens

    def kill(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()

    def get(self, path, **parameters):
        query = urllib.parse.urlencode(parameters)
        status, body = common.get(self.port, f"{path}?{query}" if query else path)
        return json.loads(body) if status == 200 else None

    def samples(self, selector, seconds):
        """{labels as sorted pairs: [(time, value)]}: as stored, not as a query would fill in."""
        answer = self.get("/api/v1/query", query=f"{selector}[{seconds}s]")
        return {} if answer is None else {
            tuple(sorted(r["metric"].items())): [(float(t), float(v)) for t, v in r["values"]]
            for r in answer["data"]["result"]}


class Prometheus(Engine):
    def __init__(self, folder, name, window=None):
        super().__init__(folder, name)
        tsdb = f"storage: {{tsdb: {{out_of_order_time_window: {window}}}}}\n" if window else ""
        self.config = common.write(f"{self.folder}/p.yml", "global: {scrape_interval: 1m}\n" + tsdb)

    def command(self):
        return [common.tool("NINES_PROMETHEUS"), f"--config.file={self.config}",
                f"--storage.tsdb.path={self.folder}/data",
                f"--web.listen-address={self.host}:{self.port}",
                "--web.enable-remote-write-receiver"]

    def ready(self):
        return common.get(self.port, "/-/ready")[0] == 200


class VictoriaMetrics(Engine):
    def command(self):
        return [common.tool("NINES_VICTORIA_METRICS"), f"-storageDataPath={self.folder}/data",
                f"-httpListenAddr={self.host}:{self.port}", "-retentionPeriod=2",
                "-memory.allowedBytes=64MB", "-dedup.minScrapeInterval=1ms",
                "-search.latencyOffset=0s"]

    def ready(self):
        return common.get(self.port, "/health")[0] == 200

    def samples(self, selector, seconds):
        # Its range selectors leave out the newest; the export has all that is stored.
        common.get(self.port, "/internal/force_flush")
        _, body = common.get(self.port, "/api/v1/export?" + urllib.parse.urlencode({
            "match[]": selector}))
        found = {}
        for line in body.splitlines():
            series = json.loads(line)
            found.setdefault(tuple(sorted(series["metric"].items())), []).extend(
                (t / 1000, float(v)) for t, v in zip(series["timestamps"], series["values"]))
        return {labels: sorted(set(values)) for labels, values in found.items()}


class Collector:
    """Stands in for a collector of OpenTelemetry (Debian has none): takes OTLP/HTTP in JSON as its
    specification says and refuses all else."""
    url_path, kind = "/v1/metrics", "otlp"

    def __init__(self, name):
        self.name, self.port, self.points, self.wrong = name, common.free_port(), {}, []
        self.server = None

    def start(self):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    assert self.path == "/v1/metrics", self.path
                    assert self.headers["Content-Type"] == "application/json"
                    assert self.headers["Content-Encoding"] == "gzip"
                    collector.take(json.loads(gzip.decompress(body)))
                    status, answer = 200, b"{}"
                except (AssertionError, KeyError, TypeError, ValueError, OSError) as e:
                    collector.wrong.append(repr(e))
                    status, answer = 400, json.dumps({"code": 3, "message": repr(e)}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()
        return self

    def kill(self):
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @staticmethod
    def attributes(items):
        found = {}
        for item in items:
            assert set(item) == {"key", "value"} and set(item["value"]) == {"stringValue"}, item
            assert item["key"] not in found, item
            found[item["key"]] = item["value"]["stringValue"]
        return found

    def take(self, request):
        assert set(request) == {"resourceMetrics"}
        for resource_metrics in request["resourceMetrics"]:
            resource = self.attributes(resource_metrics["resource"]["attributes"])
            labels = {"job": resource["service.name"], "instance": resource["service.instance.id"],
                      "node": resource["host.name"]}
            for metric in resource_metrics["scopeMetrics"][0]["metrics"]:
                (kind,) = set(metric) - {"name"}
                if metric["name"].endswith("_total"):
                    assert kind == "sum" and metric["sum"]["isMonotonic"] is True
                    assert metric["sum"]["aggregationTemporality"] == 2
                else:
                    assert kind == "gauge"
                for point in metric[kind]["dataPoints"]:
                    own = {**labels, **self.attributes(point["attributes"]),
                           "__name__": metric["name"]}
                    at = int(point["timeUnixNano"])
                    assert isinstance(point["timeUnixNano"], str) and at > 10**18
                    series = self.points.setdefault(tuple(sorted(own.items())), {})
                    series.setdefault(at / 1e9, float(point["asDouble"]))

    def samples(self, selector, _seconds):
        name, rest = re.match(r"([a-z_:]*)\{(.*)\}", selector).groups()
        wanted = dict(re.findall(r'(\w+)="([^"]*)"', rest), **({"__name__": name} if name else {}))
        return {labels: sorted(points.items()) for labels, points in list(self.points.items())
                if wanted.items() <= dict(labels).items()}


class Broker(Engine):
    """A server that is reached over TCP without HTTP; its store can be taken away."""

    def ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def forget(self):
        shutil.rmtree(f"{self.folder}/data", ignore_errors=True)


class Nats(Broker):
    """nats-server with JetStream, of a `domain` if given; `extra` is text of its configuration."""

    def __init__(self, folder, name, extra="", domain=""):
        super().__init__(folder, name)
        own = f", domain: {domain}" if domain else ""
        self.config = common.write(f"{self.folder}/n.conf", (
            f"server_name: {name}\nlisten: 127.0.0.1:{self.port}\n{extra}\n"
            f"jetstream {{ store_dir: \"{self.folder}/data\", max_mem: 64MB, max_file: 512MB{own} }}\n"))

    def command(self):
        return [common.tool("NINES_NATS_SERVER"), "-c", self.config]


def connected(port):
    """A connection to what was just started."""
    def once():
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=10)
        except ConnectionRefusedError:
            return None
    return common.wait_until(once, 30, "that it listens")


class NatsClient:
    """As much of the protocol as a test needs to look into streams."""

    def __init__(self, port, **login):
        self.socket = connected(port)
        self.file = self.socket.makefile("rb")
        assert self.file.readline().startswith(b"INFO ")
        options = {"verbose": False, "pedantic": False, "headers": True, "no_responders": True}
        self.socket.sendall(b"CONNECT " + json.dumps({**options, **login}).encode() +
                            b"\r\nSUB inbox.test 1\r\nPING\r\n")
        line = self.file.readline()
        assert line.startswith(b"PONG"), line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def ask(self, subject, body=None):
        data = json.dumps(body).encode() if body is not None else b""
        self.socket.sendall(f"PUB {subject} inbox.test {len(data)}\r\n".encode() + data + b"\r\n")
        while True:
            words = self.file.readline().split()
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                body = self.file.read(int(words[-1]) + 2)[:-2]
                return json.loads(body) if words[0] == b"MSG" else {"error": body.decode()}
            else:
                raise AssertionError(words)

    def stream(self, name):
        """What it holds: [(subject, headers, body)], oldest first."""
        info = self.ask(f"$JS.API.STREAM.INFO.{name}")
        if "error" in info:
            return []
        found = []
        state = info["state"]
        for sequence in range(state["first_seq"], state["last_seq"] + 1):
            got = self.ask(f"$JS.API.STREAM.MSG.GET.{name}", {"seq": sequence}).get("message")
            if got is not None:
                found.append((got["subject"], base64.b64decode(got.get("hdrs", "")).decode(),
                              base64.b64decode(got.get("data", ""))))
        return found


class Mosquitto(Broker):
    """mosquitto with the user edge; `extra` is text of its configuration."""

    def __init__(self, folder, name, password, extra=""):
        super().__init__(folder, name)
        program = common.tool("NINES_MOSQUITTO")
        root = os.path.dirname(os.path.dirname(program))
        libraries = ":".join(glob.glob(f"{root}/lib/*-linux-gnu*"))
        self.environment = {**os.environ, "LD_LIBRARY_PATH": libraries}
        users = f"{self.folder}/users"
        helper = f"{root}/bin/mosquitto_passwd"
        common.write(users, f"edge:{password}\n")
        subprocess.run([helper if os.path.exists(helper) else "mosquitto_passwd", "-U", users],
                       check=True, env=self.environment)
        os.chmod(users, 0o644)
        user = "user root\n" if os.geteuid() == 0 else ""
        self.config = common.write(f"{self.folder}/m.conf", (
            f"{user}listener {self.port} 127.0.0.1\nallow_anonymous false\n"
            f"password_file {users}\npersistence false\n{extra}\n"))

    def command(self):
        return [common.tool("NINES_MOSQUITTO"), "-c", self.config]


class MqttReader(threading.Thread):
    """Subscribes to everything; keeps (topic, retained, payload) in order."""

    def __init__(self, port, user, password):
        super().__init__(daemon=True)
        self.got = []
        self.socket = connected(port)
        self.file = self.socket.makefile("rb")
        body = self.text("MQTT") + bytes([4, 0xC2, 0, 0]) + self.text(f"reader-{id(self)}")
        self.send(0x10, body + self.text(user) + self.text(password))
        head, answer = self.packet()
        assert head == 0x20 and answer[1] == 0, answer
        self.send(0x82, b"\0\1" + self.text("#") + b"\1")
        while self.take() != 0x90:  # until it is subscribed, what comes is told to nobody
            pass
        self.socket.settimeout(None)
        self.start()

    @staticmethod
    def text(value):
        data = value.encode()
        return len(data).to_bytes(2, "big") + data

    def send(self, head, body):
        length, rest = b"", len(body)
        while True:
            length += bytes([rest & 0x7F | (0x80 if rest > 0x7F else 0)])
            rest >>= 7
            if not rest:
                break
        self.socket.sendall(bytes([head]) + length + body)

    def packet(self):
        head = self.file.read(1)
        if not head:
            raise OSError("closed")
        length = shift = 0
        while True:
            byte = self.file.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return head[0], self.file.read(length)

    def take(self):
        """The first byte of the next packet; what is told is kept."""
        head, body = self.packet()
        if head & 0xF0 == 0x30:
            at = 2 + int.from_bytes(body[:2], "big")
            topic = body[2:at].decode()
            if head & 6:
                self.send(0x40, body[at:at + 2])
                at += 2
            self.got.append((topic, bool(head & 1), body[at:]))
        return head

    def run(self):
        try:
            while True:
                self.take()
        except (OSError, IndexError):
            pass

    def newest(self, topic):
        return next((p for t, _, p in reversed(list(self.got)) if t == topic), None)

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.join()
        self.socket.close()


def start_where_nobody_misses_it(agent, broker, password):
    """Starts the broker; the agent, which tries again all the time, sees it when the reader that is
    returned has subscribed: what is not retained is told once."""
    agent.process.send_signal(signal.SIGSTOP)
    try:
        broker.start()
        return MqttReader(broker.port, "edge", password)
    finally:
        agent.process.send_signal(signal.SIGCONT)

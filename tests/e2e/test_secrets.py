#!/usr/bin/env python3
"""Secrets stay secret: an agent is given one in every place where one may stand (files, environment,
inline), sends them to services that refuse it and say what they were sent, at log level debug. None
is in its log, /metrics, any answer of the API, its state, what doctor and other commands print, or
its command line; those it makes itself are readable by its user only; core dumps are off in the unit."""
import base64
import http.server
import json
import os
import re
import secrets
import socketserver
import stat
import sys
import threading

import common
import fleet_nodes
import nkeys
import test_alerts

OPTIONS = ("agent/src/config/options.cpp", "agent/src/config/options_remediation.cpp")
NAMED = re.compile(r'\{"([a-z_.\[\]]*(?:secret|token|password|key|credentials|nkey|header)_?(?:file|files|env|token)?)",')


class Echo(http.server.ThreadingHTTPServer):
    """Refuses everybody, and repeats what it was sent; what that was is kept."""
    daemon_threads = True

    def __init__(self):
        self.got = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                sent = f"{self.path}\n{self.headers}\n".encode() + body
                self.server.got.append(sent)
                answer = b"refused, you said: " + sent
                self.send_response(403)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            do_GET = do_PUT = do_POST

            def log_message(self, *_):
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def url(self, path=""):
        return f"http://127.0.0.1:{self.server_address[1]}{path}"


class Mute(socketserver.ThreadingTCPServer):
    """A broker or mail server that greets, then repeats every line as its refusal."""
    daemon_threads = True

    def __init__(self, greeting):
        server = self
        self.got = []

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                self.request.settimeout(10)
                try:
                    self.request.sendall(greeting)
                    while data := self.request.recv(65536):
                        server.got.append(data)
                        self.request.sendall(b"-ERR '" + data.strip() + b"'\r\n")
                except OSError:
                    pass

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


class World:
    def __init__(self, checks):
        self.checks, self.folder = checks, common.scratch("secrets")
        self.port, self.state = common.free_port(), f"{self.folder}/state"
        self.log, self.said = f"{self.folder}/access.log", f"{self.folder}/agent.log"
        self.known = {}  # where it stands: the secret
        self.echo = Echo()
        self.nats = Mute(b'INFO {"server_id":"x","version":"2.9.0","max_payload":1048576,"headers":true,'
                         b'"jetstream":true,"nonce":"c29tZSBub25jZQ"}\r\n')
        os.makedirs(f"{self.folder}/pki")
        fleet_nodes.issue(f"{self.folder}/pki", ["test"])
        for path in (f"{self.folder}/pki/test/node.key", f"{self.folder}/pki/ca.key"):
            with open(path, encoding="ascii") as f:
                self.known[path] = "".join(line.strip() for line in f if "KEY" not in line)[:40]
        self.known["nkey"] = nkeys.Key("user", "edge").seed
        self.config = common.write(f"{self.folder}/nines.yaml", common.node_yaml(self.port, self.text()))
        common.write(f"{self.folder}/slos/web.yaml", common.ratio_slo(
            "web", f'paths: ["{self.log}"], format: nginx', "status < 500", "", "0.9", "1h") + test_alerts.POLICY)
        common.write(f"{self.folder}/slos/scraped.yaml", common.ratio_slo("scraped", "source: scraped", "value > 0"))

    def secret(self, place):
        self.known[place] = "hush-" + secrets.token_hex(16)
        return self.known[place]

    def file(self, place, before="", after=""):
        path = common.write(f"{self.folder}/keys/{place}", before + self.secret(place) + after + "\n")
        os.chmod(path, 0o600)
        return path

    def text(self):
        url, nats = self.echo.url, f"nats://127.0.0.1:{self.nats.server_address[1]}"
        nkey = common.write(f"{self.folder}/keys/nkey", self.known["nkey"] + "\n")
        os.chmod(nkey, 0o600)
        os.environ["NINES_TEST_NOTIFY"] = self.secret("environment of notifier")
        os.environ["NINES_TEST_REMEDY"] = self.secret("environment of remedy")
        return f"""log_level: debug
api: {{token_file: {self.file("api")}}}
sources:
  - {{name: scraped, scrape: {{url: "{url('/metrics')}", every: 1s, token_file: {self.file("scrape")}}}}}
peers:
  cluster: shop
  listen: 127.0.0.1:{common.free_port()}
  ca_file: {self.folder}/pki/ca.crt
  cert_file: {self.folder}/pki/test/node.crt
  key_file: {self.folder}/pki/test/node.key
webhooks:
  - {{name: inline, url: "{url('/inline')}", bearer_token: {self.secret("bearer_token")}}}
  - {{name: filed, url: "{url('/filed')}", token_file: {self.file("webhook")}}}
notifiers:
  - {{name: pd, kind: pagerduty, url: "{url('/pd')}", secret_file: {self.file("pagerduty")}}}
  - {{name: og, kind: opsgenie, url: "{url('/og')}", secret_file: {self.file("opsgenie")}}}
  - {{name: slack, kind: slack, secret_file: {self.file("slack", url("/services/"))}}}
  - {{name: ntfy, kind: ntfy, url: "{url('/ntfy')}", secret_env: NINES_TEST_NOTIFY}}
  - {{name: mqtt, kind: mqtt, url: "mqtt://127.0.0.1:{self.nats.server_address[1]}", topic: pages, user: me,
      secret_file: {self.file("mqtt")}}}
remotes:
  - {{name: by-token, kind: loki, url: "{url()}", token_file: {self.file("remote token")}}}
  - {{name: by-password, kind: loki, url: "{url()}", user: me, password_file: {self.file("remote password")}}}
upstream:
  - {{name: by-token, url: "{url('/write')}", every: 10s, token_file: {self.file("upstream token")}}}
  - {{name: by-password, kind: otlp, url: "{url('/otlp')}", every: 10s, user: me, password_file: {self.file("upstream password")}}}
  - {{name: nats, kind: nats, url: "{nats}", nkey_file: {nkey}}}
  - {{name: am, kind: alertmanager, urls: ["{url('/am')}"], user: me, password_file: {self.file("alertmanager")}}}
  - {{name: nats-token, kind: nats, url: "{nats}", token_file: {self.file("nats token")}}}
kubernetes: {{api: "{url()}", node: test, token_file: {self.file("kubernetes")}}}
narrative: {{url: "{url('/v1')}", model: small, token_file: {self.file("narrative")}, timeout: 2s}}
remediation:
  enabled: true
  verbs: [webhook, lambda]
  webhooks:
    - {{name: filed, url: "{url('/remedy')}", secret_file: {self.file("remedy")},
        header_files: ["X-Api-Key={self.file("remedy header")}"], dry_run: true}}
    - {{name: from-env, url: "{url('/remedy2')}", secret_env: NINES_TEST_REMEDY, dry_run: true}}
  functions:
    - {{name: lambda, function: f, region: eu-west-1, endpoint: "{url()}",
        credentials_file: {self.file("aws", "[default]" + chr(10) + "aws_access_key_id = AKIDEXAMPLE" + chr(10) +
                                     "aws_secret_access_key = ")}}}
"""

    def said_text(self):
        with open(self.said, "rb") as f:
            return f.read()


def check_places(checks, world):
    """Whoever adds an option for a secret adds it here."""
    names = set()
    for path in OPTIONS:
        with open(f"{common.REPO}/{path}", encoding="utf-8") as f:
            names |= {name.rsplit(".", 1)[1] for name in NAMED.findall(f.read())}
    with open(world.config, encoding="utf-8") as f:
        text = f.read()
    checks.that(len(names) >= 8, f"options with secrets are found: {names}")
    checks.equal(sorted(n for n in names if n + ":" not in text), [], "options for secrets that are not tried")


def exercise(checks, world, agent):
    """Every one of them is used."""
    common.wait_until(lambda: not agent.alive() or agent.slos().get("web", {}).get("total", 0) > 0, 60, "lines")
    if not checks.that(agent.alive(), f"it starts: {world.said_text()[-1500:]}"):
        return
    sent = lambda: b"\n".join(world.echo.got + world.nats.got)
    world.nines("query", "SELECT count(*) FROM remote('by-token')", "--config", world.config)
    world.nines("query", "SELECT count(*) FROM remote('by-password')", "--config", world.config)
    common.get(world.port, "/api/narrative", timeout=20)
    wanted = ("scrape", "bearer_token", "webhook", "pagerduty", "opsgenie", "slack", "environment of notifier",
              "remote token", "remote password", "upstream token", "upstream password", "alertmanager",
              "nats token", "kubernetes", "narrative")
    for place in wanted:
        try:
            common.wait_until(lambda: any(form in sent() for form in forms(world.known[place])), 150, place)
        except TimeoutError:
            checks.that(False, f"{place}: it was never sent, so nothing is known about it")
    print(f"sent and echoed: {sorted(p for p, s in world.known.items() if any(f in sent() for f in forms(s)))}")


def api(port):
    """{path: answer} of everything that can be asked without knowing a name."""
    paths = json.loads(common.get(port, "/api/openapi.json")[1])["paths"]
    asked = [p for p in sorted(paths) if "get" in paths[p] and "{" not in p and not p.endswith("/events")]
    answers = {p: common.get(port, p, timeout=20) for p in ["/", "/metrics", "/healthz", "/readyz", *asked]
               if "stream" not in p}
    return {p: body for p, (status, body) in answers.items() if status is not None}


def everything(world, agent):
    out = {f"API {path}": body for path, body in api(world.port).items()}
    pid = agent.process.pid
    for name in ("cmdline", "comm"):
        with open(f"/proc/{pid}/{name}", "rb") as f:
            out[f"/proc/{name}"] = f.read()
    for words in (("doctor", "--config", world.config), ("slo", "status"), ("slo", "lint", "--config", world.config),
                  ("alert", "list"), ("incident", "list"), ("remedy", "list"), ("fleet", "status"), ("changes",),
                  ("oncall", "who"), ("timeline",),
                  ("query", "SELECT count(*) FROM remote('by-token')", "--config", world.config),
                  ("query", "SELECT count(*) FROM remote('by-password')", "--config", world.config)):
        out["nines " + " ".join(words[:2])] = world.nines(*words)
    return out


def state_files(world):
    out = {}
    for folder, _, names in os.walk(world.state):
        for name in names:
            with open(f"{folder}/{name}", "rb") as f:
                out[f"state {name}"] = f.read()
    return out


def forms(secret):
    """The beginnings, for it may be cut: as it is, and as a login of HTTP has it."""
    return [secret.encode()[:20], base64.b64encode(f"me:{secret}".encode())[:28]]


def check_silence(checks, world, told):
    found = [(place, where) for place, secret in world.known.items() for where, text in told.items()
             if any(form in text for form in forms(secret))]
    for place, where in found:
        at = max(told[where].find(form) for form in forms(world.known[place]))
        print(f"  {place} in {where}: ...{told[where][max(0, at - 160):at + 60]!r}")
    checks.equal(found, [], "secrets that are told")
    print(f"{len(world.known)} secrets are in none of {len(told)} outputs, {sum(map(len, told.values()))} bytes"
          if not found else f"{len(found)} leaks")


def check_modes(checks, world):
    for name in ("link.key", "nines.db"):
        path = f"{world.state}/{name}"
        if os.path.exists(path):
            checks.equal(stat.S_IMODE(os.stat(path).st_mode) & 0o077, 0, f"{name} is its user's only")
    with open(f"{common.REPO}/packaging/systemd/nines.service", encoding="utf-8") as f:
        unit = f.read()
    for line in ("LimitCORE=0", "UMask=0077", "ProtectProc=invisible"):
        checks.that(re.search(f"(?m)^{line}$", unit), f"the unit says {line}")


def main():
    checks = common.Checks()
    world = World(checks)
    world.nines = lambda *words: (lambda done: done.stdout + done.stderr)(common.run(
        common.tool("NINES_BIN"), *words, *([] if "--config" in words else ["--agent", f"127.0.0.1:{world.port}"]),
        timeout=60))
    check_places(checks, world)
    writer = common.AccessLog(world.log)
    writer.start()
    writer.status = 503
    try:
        with common.Agent(world.config, world.state, world.port, log=world.said) as agent:
            exercise(checks, world, agent)
            if not agent.alive():
                return
            told = everything(world, agent)
            agent.process.terminate()
            checks.equal(agent.process.wait(timeout=60), 0, "it ends")
        told["log"] = world.said_text()
        told.update(state_files(world))
        check_silence(checks, world, {k: v for k, v in told.items() if k != "state link.key"})
        check_modes(checks, world)
        # And the search finds what is there.
        planted = {"planted": b"xx" + world.known["slack"].encode() + b"xx"}
        checks.equal([p for p, s in world.known.items() if any(f in planted["planted"] for f in forms(s))], ["slack"],
                     "a planted one")
    finally:
        writer.ending.set()
        writer.join()
        if (checks.failures or sys.exc_info()[0]) and os.path.exists(world.said):
            print(world.said_text().decode(errors="replace")[-3000:])
    checks.finish()


if __name__ == "__main__":
    main()

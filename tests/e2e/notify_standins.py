"""Stand-ins for the services that people are told through. Each checks what it is sent against the
documented wire format and writes down every violation; each can be told to be down.

Sources: PagerDuty Events API v2, Opsgenie Alert API, Slack incoming webhooks, ntfy publish as JSON,
RFC 5321 (SMTP), 3207 (STARTTLS), 4954 (AUTH), 5322 (mail).
"""
import base64
import datetime
import email
import email.policy
import http.server
import json
import re
import socket
import ssl
import subprocess
import threading
import time
import urllib.parse

import common

RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class StandIn:
    """An HTTP service on a port of its own. `answer`: None, or the status it gives to everything."""

    def __init__(self):
        self.port, self.violations, self.requests, self.answer = common.free_port(), [], [], None
        self.lock = threading.Lock()
        standin = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                with standin.lock:
                    status, kind, text = standin.serve(self.command, self.path, self.headers, body)
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def url(self, path=""):
        return f"http://127.0.0.1:{self.port}{path}"

    def must(self, condition, what):
        if not condition:
            self.violations.append(what)
        return condition

    def text(self, of, key, most, least=1):
        value = of.get(key)
        self.must(isinstance(value, str) and least <= len(value) <= most,
                  f"{key} is not a text of {least} to {most} characters: {value!r}")
        return value

    def only(self, of, allowed, what):
        self.must(set(of) <= set(allowed), f"{what} has unknown {set(of) - set(allowed)}")

    def serve(self, method, path, headers, body):
        self.requests.append((time.monotonic(), method, path, body))
        if self.answer is not None:
            return self.answer, "application/json", b'{"status":"invalid event","message":"refused"}'
        parsed = {}
        if method == "POST":
            self.must(headers.get("Content-Type", "").startswith("application/json"), "no JSON type")
            parsed = json.loads(body)
        status, answer = self.handle(method, path, headers, parsed, len(body))
        if isinstance(answer, str):
            return status, "text/html", answer.encode()
        return status, "application/json", json.dumps(answer).encode()


class PagerDuty(StandIn):
    def __init__(self, key):
        super().__init__()
        self.key, self.triggers, self.resolves, self.open = key, [], [], set()

    def handle(self, method, path, headers, event, size):
        before = len(self.violations)
        self.must((method, path) == ("POST", "/v2/enqueue"), f"{method} {path}")
        self.must(size <= 512_000, "larger than 512,000 bytes")
        self.must(event.get("routing_key") == self.key, "routing_key")
        self.only(event, ["routing_key", "event_action", "dedup_key", "payload", "links", "images",
                          "client", "client_url"], "event")
        dedup = self.text(event, "dedup_key", 255)
        action = event.get("event_action")
        if action == "trigger":
            payload = event.get("payload", {})
            self.only(payload, ["summary", "source", "severity", "timestamp", "component", "group",
                                "class", "custom_details"], "payload")
            self.text(payload, "summary", 1024)
            self.text(payload, "source", 1024)
            self.must(payload.get("severity") in ("critical", "error", "warning", "info"), "severity")
            self.must(RFC3339.match(payload.get("timestamp", "")), "timestamp")
            for link in event.get("links", []):
                self.only(link, ["href", "text"], "link")
            self.triggers.append(dedup)
            self.open.add(dedup)
        else:
            self.must(action == "resolve", f"event_action {action}")
            self.resolves.append(dedup)
            self.open.discard(dedup)
        if len(self.violations) > before:
            return 400, {"status": "invalid event", "message": "Event object is invalid",
                         "errors": self.violations[before:]}
        return 202, {"status": "success", "message": "Event processed", "dedup_key": dedup}


class Opsgenie(StandIn):
    """Answers are asynchronous; a request is processed when it is asked for the second time."""

    def __init__(self, key):
        super().__init__()
        self.key, self.created, self.closed, self.open = key, [], [], {}
        self.pending, self.polls = {}, {}

    def handle(self, method, path, headers, body, size):
        self.must(headers.get("Authorization") == "GenieKey " + self.key, "Authorization")
        url = urllib.parse.urlsplit(path)
        parts = url.path.split("/")[1:]
        if method == "GET" and parts[:3] == ["v2", "alerts", "requests"]:
            return self.request(parts[3])
        if method == "POST" and parts == ["v2", "alerts"]:
            self.create(body)
            return self.accept(("create", body["alias"]))
        if method == "POST" and len(parts) == 4 and parts[3] == "close":
            self.must(url.query == "identifierType=alias", f"query {url.query}")
            self.only(body, ["user", "source", "note"], "close")
            self.text(body, "source", 100)
            self.text(body, "user", 100)
            self.text(body, "note", 25_000)
            return self.accept(("close", urllib.parse.unquote(parts[2])))
        self.must(False, f"{method} {path}")
        return 404, {"message": "Not found"}

    def create(self, body):
        self.only(body, ["message", "alias", "description", "responders", "visibleTo", "actions",
                         "tags", "details", "entity", "source", "priority", "user", "note"], "alert")
        for key, most in (("message", 130), ("alias", 512), ("description", 15_000),
                          ("entity", 512), ("source", 100)):
            self.text(body, key, most)
        self.must(body.get("priority") in ("P1", "P2", "P3", "P4", "P5"), "priority")
        self.must(len(body["tags"]) <= 20 and all(len(t) <= 50 for t in body["tags"]), "tags")
        details = body.get("details", {})
        self.must(all(isinstance(v, str) for v in details.values()), "details are texts")
        self.must(sum(len(k) + len(v) for k, v in details.items()) <= 8000, "details too large")

    def accept(self, what):
        number = f"req-{len(self.pending) + 1}"
        self.pending[number] = what
        return 202, {"result": "Request will be processed", "took": 0.1, "requestId": number}

    def request(self, number):
        if not self.must(number in self.pending, f"request {number}"):
            return 404, {"message": "Request not found"}
        self.polls[number] = self.polls.get(number, 0) + 1
        if self.polls[number] < 2:
            return 404, {"message": "Request not found. It might not be processed, yet."}
        action, alias = self.pending[number]
        good, status = True, "Created alert" if action == "create" else "Closed alert"
        if action == "create":
            self.created.append(alias)
            self.open[alias] = True
        elif self.open.pop(alias, None):
            self.closed.append(alias)
        else:
            good, status = False, "Alert does not exist"
        return 200, {"data": {"success": good, "isSuccess": good, "status": status,
                              "action": action, "alias": alias}, "requestId": number}


class Slack(StandIn):
    PATH = "/services/T0/B0/verysecretpart"

    def __init__(self):
        super().__init__()
        self.texts, self.at = [], []

    def handle(self, method, path, headers, body, size):
        self.must((method, path) == ("POST", self.PATH), f"{method} {path}")
        now = time.monotonic()
        self.must(not self.at or now - self.at[-1] >= 0.9, "more than one message a second")
        self.at.append(now)
        self.only(body, ["text", "blocks"], "message")
        text = self.text(body, "text", 3000)
        self.must(not re.search(r"[<>]|&(?!amp;|lt;|gt;)", text), f"unescaped: {text}")
        for block in body["blocks"]:
            self.must(block["type"] == "section" and block["text"]["type"] == "mrkdwn", "block")
            self.must(0 < len(block["text"]["text"]) <= 3000, "section too long")
        self.texts.append(text)
        return 200, "ok"


class Ntfy(StandIn):
    def __init__(self, token):
        super().__init__()
        self.token, self.messages = token, []

    def handle(self, method, path, headers, body, size):
        self.must((method, path) == ("POST", "/"), f"{method} {path}")
        self.must(headers.get("Authorization") == "Bearer " + self.token, "Authorization")
        self.only(body, ["topic", "message", "title", "tags", "priority", "actions", "click",
                         "attach", "markdown", "icon", "filename", "delay", "email"], "message")
        self.must(re.fullmatch(r"[-_A-Za-z0-9]{1,64}", body["topic"]), "topic")
        self.must(len(body["message"].encode()) <= 4096, "message becomes an attachment")
        self.must(isinstance(body["priority"], int) and 1 <= body["priority"] <= 5, "priority")
        self.must(all(isinstance(t, str) for t in body["tags"]), "tags")
        self.messages.append(body)
        return 200, {"id": f"m{len(self.messages)}", "time": int(time.time()), "event": "message",
                     "topic": body["topic"]}


class Webhook(StandIn):
    def __init__(self):
        super().__init__()
        self.events = []

    def handle(self, method, path, headers, body, size):
        self.events.append((headers.get("Idempotency-Key"), body))
        return 200, {}


def make_certificate(folder):
    """A certificate for 127.0.0.1 and its key; it is its own authority."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
               "-nodes", "-days", "2", "-subj", "/CN=mail", "-addext",
               "subjectAltName=IP:127.0.0.1", "-keyout", f"{folder}/mail.key", "-out",
               f"{folder}/mail.pem"]
    done = subprocess.run(command, capture_output=True)
    if done.returncode != 0:
        raise RuntimeError(done.stderr.decode())
    return f"{folder}/mail.pem", f"{folder}/mail.key"


class Smtp(threading.Thread):
    """A mail server that insists on STARTTLS (or begins with TLS) and a login. `replies`: what it
    says to a command instead, e.g. {"RCPT": "450 later"}."""

    def __init__(self, user, password, certificate, implicit=False):
        super().__init__(daemon=True)
        self.user, self.password, self.implicit = user, password, implicit
        self.violations, self.mails, self.replies = [], [], {}
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(*certificate)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.guarded, args=(connection,), daemon=True).start()

    def guarded(self, connection):
        try:
            self.converse(connection)
        except (OSError, ssl.SSLError, EOFError):
            pass
        finally:
            connection.close()

    def must(self, condition, what):
        if not condition:
            self.violations.append(what)
        return condition

    def converse(self, connection):
        secure = self.implicit
        if self.implicit:
            connection = self.context.wrap_socket(connection, server_side=True)
        stream = connection.makefile("rwb")

        def say(text):
            stream.write(text.encode() + b"\r\n")
            stream.flush()

        def line():
            got = stream.readline()
            if not got:
                raise EOFError
            self.must(got.endswith(b"\r\n") and len(got) <= 1000, f"line {got[:80]!r}")
            return got[:-2]

        say("220 mail.example.org ESMTP")
        logged_in, sender, recipients = False, None, []
        while True:
            command = line().decode("ascii")
            verb = command.split(" ")[0].upper()
            if verb in self.replies:
                say(self.replies[verb])
            elif verb == "EHLO":
                self.must(re.fullmatch(r"EHLO [-.A-Za-z0-9]+", command), command)
                say("250-mail.example.org\r\n250-8BITMIME\r\n250-SIZE 1000000\r\n" +
                    ("250 AUTH LOGIN PLAIN" if secure else "250 STARTTLS"))
            elif verb == "STARTTLS":
                self.must(not secure, "STARTTLS twice")
                say("220 go ahead")
                connection = self.context.wrap_socket(connection, server_side=True)
                stream, secure = connection.makefile("rwb"), True
            elif verb == "AUTH":
                self.must(secure, "AUTH in clear")
                wanted = base64.b64encode(f"\0{self.user}\0{self.password}".encode()).decode()
                logged_in = command == f"AUTH PLAIN {wanted}"
                say("235 welcome" if logged_in else "535 authentication failed")
            elif verb == "MAIL":
                self.must(logged_in, "MAIL before the login")
                sender = re.fullmatch(r"MAIL FROM:<([^<>\s]+)>( BODY=8BITMIME)?", command)
                self.must(sender, command)
                say("250 ok")
            elif verb == "RCPT":
                recipient = re.fullmatch(r"RCPT TO:<([^<>\s]+)>", command)
                if self.must(recipient, command):
                    recipients.append(recipient[1])
                say("250 ok")
            elif verb == "DATA":
                self.must(sender and recipients, "DATA without an envelope")
                say("354 go ahead")
                lines = []
                while (text := line()) != b".":
                    lines.append(text[1:] if text.startswith(b".") else text)
                self.mails.append((recipients, email.message_from_bytes(
                    b"\r\n".join(lines) + b"\r\n", policy=email.policy.default)))
                say("250 queued")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                self.must(False, command)
                say("500 what?")


def check_mail(checks, mail, recipients):
    to, message = mail
    checks.equal(to, recipients, "recipients")
    for header in ("From", "To", "Subject", "Date", "Message-ID", "MIME-Version"):
        checks.equal(len(message.get_all(header, [])), 1, f"number of {header} headers")
    checks.that(isinstance(message["Date"].datetime, datetime.datetime), "Date is one")
    checks.that(re.fullmatch(r"<[^<>@\s]+@[^<>@\s]+>", message["Message-ID"]), message["Message-ID"])

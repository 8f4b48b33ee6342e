#!/usr/bin/env python3
"""Every path and method of the OpenAPI document with good, odd and hostile parameters, bodies and
headers: no 500, no crash, no answer that the document does not describe.
  --seconds N   how long (10)      --seed N   which requests (1)"""
import argparse
import collections
import gzip
import json
import random
import socket
import time
import urllib.parse

import api_world
import common
import openapi

NASTY = ["", "0", "-1", "1e9", "18446744073709551616", "null", "true", "'", '"', "<script>", "../../etc/passwd",
         "%00", "%zz", "\x00", "a" * 3000, "ä\u202e\U0001F600", "{name}", "*", "x/history", "x/forecast", " ",
         "2026-11-22T10:00:00Z", "9999-12-31T23:59:59Z", "0000-00-00T00:00:00Z", "1h", "92d", "99999d", "-5m",
         "' OR 1=1 --", "$(reboot)", "\r\nX: y", "P0", "pay", "web", "pay-availability"]
BODIES = [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 5000, b'{"a":' * 2000, b'{"who":' + b"9" * 400 + b"}",
          b'{"sql":"SELECT"}', b'{"do":"resolve"}', b'{"kind":"note","text":"\\ud800"}']
SQL = ["SELECT 1", "SELECT count(*) FROM logs('*')", "SELECT * FROM nothing", "DROP TABLE x", "SELECT " + "(" * 900]


class Fuzz:
    def __init__(self, world, seed):
        self.world, self.chance = world, random.Random(seed)
        self.document = openapi.Document(world.json("/api/openapi.json"))
        self.operations = [o for o in self.document.operations() if o[0] != "/api/events"]
        self.ids = [i["id"] for i in world.json("/api/incidents?state=all")]
        self.ids += [a["id"] for a in world.json("/api/alerts")] + ["1", "2"]
        self.statuses, self.checked, self.troubles = collections.Counter(), 0, []

    def value(self, schema):
        """Mostly what the schema wants, at times not."""
        schema = self.document.resolve(schema)
        pick = self.chance
        if pick.random() < .15:
            return pick.choice([None, True, -1, 1e308, [], {}, "x" * 2000, *NASTY])
        if "enum" in schema:
            return pick.choice(schema["enum"])
        kind = schema.get("type", "string")
        kind = kind[0] if isinstance(kind, list) else kind
        if kind == "integer":
            return pick.choice([0, 1, 2, 7, 100, 2000, 10**12])
        if kind in ("number", "boolean"):
            return pick.choice([True, False])
        if kind == "array":
            return [self.value(schema.get("items", {})) for _ in range(pick.randrange(3))]
        if kind == "object":
            return {k: self.value(s) for k, s in schema.get("properties", {}).items() if pick.random() < .7}
        return pick.choice(["ada", "pay", "web", *SQL, *self.ids, *NASTY])

    def query(self, parameters):
        pairs = []
        for parameter in parameters:
            if parameter["in"] == "query" and (parameter.get("required") or self.chance.random() < .4):
                pairs.append((parameter["name"], self.value(parameter["schema"])))
        if self.chance.random() < .08:
            pairs.append((self.chance.choice(["x", "limit", "format"]), self.chance.choice(NASTY)))
        return "&".join(f"{k}={urllib.parse.quote(str(v).encode('utf-8', 'replace'), safe='')}" for k, v in pairs)

    def body(self, operation):
        (kind, content), *_ = operation["requestBody"]["content"].items()
        value = self.value(content["schema"])
        if kind == "application/json" or not isinstance(value, dict):
            return json.dumps(value).encode()
        return urllib.parse.urlencode({k: str(v) for k, v in value.items()}, errors="replace").encode()

    def request(self):
        path, method, operation = self.chance.choice(self.operations)
        parameters = self.document.parameters(path, operation)
        target = path
        for parameter in parameters:
            if parameter["in"] == "path":
                given = self.chance.choice(["pay", "web", "pay-availability", "web-strict", *self.ids, *NASTY])
                target = target.replace("{%s}" % parameter["name"],
                                        urllib.parse.quote(given.encode(), safe="") or "x")
        query = self.query(parameters)
        body = None
        if "requestBody" in operation:
            body = self.chance.choice(BODIES) if self.chance.random() < .2 else self.body(operation)
        verb = method.upper()
        if self.chance.random() < .08:
            verb = self.chance.choice(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
        headers = {}
        for name, values in (("Accept-Encoding", ["gzip", "gzip;q=0", "*", "br", ";;,"]),
                             ("If-None-Match", ["*", '"x"', "W/", '"' * 200]), ("Origin", ["null", "https://x"]),
                             ("Accept", ["text/plain", "application/json", "*/*;q=0"]),
                             ("Last-Event-ID", ["1.1", "x"]), ("Content-Type", ["text/xml"])):
            if self.chance.random() < .15:
                headers[name] = self.chance.choice(values)
        return path, verb, operation if verb.lower() == method else None, target + ("?" + query if query else ""), \
            body, headers

    def one(self):
        path, verb, operation, target, body, headers = self.request()
        token = self.chance.random() < .8
        try:
            status, got, answer = self.world.ask(verb, target, body, headers, token=token)
        except (OSError, ConnectionError) as e:
            self.troubles.append(f"{verb} {target:.200}: {e!r}")
            return
        self.statuses[status] += 1
        if status == 429:
            time.sleep(float(got["Retry-After"]))
        told = f"{verb} {target:.300} {body[:200] if body else ''} -> {status} {answer[:200]}"
        if status >= 500 and status != 503:
            self.troubles.append(told)
        if operation is None or verb == "HEAD" or status in (304, 204):
            return
        self.check(operation, status, got, answer, told)

    def check(self, operation, status, headers, answer, told):
        described = self.document.response(operation, status)
        if described is None:
            if status not in (400, 404, 413, 429):  # of requests that are no such operation
                self.troubles.append("not described: " + told)
            return
        kind = headers["Content-Type"].split(";")[0]
        if kind not in described["content"]:
            self.troubles.append(f"{kind} is not described: {told}")
        elif kind.endswith("json") and not kind.endswith("ndjson"):
            try:
                if headers.get("Content-Encoding") == "gzip":
                    answer = gzip.decompress(answer)
                misfits = self.document.misfits(json.loads(answer), described["content"][kind]["schema"])
            except ValueError as e:
                misfits = [f"no JSON: {e}"]
            if misfits:
                self.troubles.append(f"{misfits[:4]}: {told}")
            self.checked += 1

    def bytes(self):
        """What no HTTP library would send."""
        junk = self.chance.choice([b"GET", b"\x00" * 64, b"GET / HTTP/9.9\r\n\r\n", b"POST /api/query HTTP/1.1\r\n"
                                   b"Content-Length: -1\r\n\r\n", b"GET /%ff HTTP/1.1\r\n\r\n", b"GET /api/slo HTTP/1.1\r\n"
                                   b"Host: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET /api/events HTTP/1.1\r\n\r\n"])
        with socket.create_connection(("127.0.0.1", self.world.port), timeout=20) as s:
            s.sendall(junk)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--seed", type=int, default=1)
    options = options.parse_args()
    checks = common.Checks()
    with api_world.World("api-fuzz") as world:
        world.burn()
        common.wait_until(lambda: world.json("/api/incidents"), 60, "an incident")
        fuzz = Fuzz(world, options.seed)
        before = api_world.resident_kib(world.agent)
        until, requests = time.monotonic() + options.seconds, 0
        while time.monotonic() < until and len(fuzz.troubles) < 20:
            fuzz.one()
            requests += 1
            if requests % 25 == 0:
                fuzz.bytes()
        checks.that(requests >= 100, f"only {requests} requests")
        checks.equal(fuzz.troubles[:10], [], "troubles")
        checks.that(world.agent.alive(), "the agent is alive")
        checks.equal(common.get(world.port, "/healthz")[0], 200, "it answers")
        after = api_world.resident_kib(world.agent)
        checks.that(after < 64 * 1024, f"{after} KiB are resident")
        print(f"{requests} requests of seed {options.seed}, {fuzz.checked} documents checked, answers "
              f"{dict(sorted(fuzz.statuses.items()))}, resident {before} -> {after} KiB")
    checks.finish()


if __name__ == "__main__":
    main()

"""Stand-ins for the search APIs that remote tables ask, replaying their documented wire formats.

Each holds records (ms since the epoch, fields) in the order of time and answers as the system
does, down to the limits of its pages. `faults` is a list of functions that get the handler and
answer one request each in place of the stand-in.
"""
import base64
import calendar
import http.server
import json
import re
import threading
import time
import urllib.parse


def iso(ms):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ms // 1000)) + f".{ms % 1000:03}Z"


def ns_of(text):
    """RFC 3339 in UTC, as nanoseconds."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    seconds = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
    return seconds * 10**9 + int((fraction + "0" * 9)[:9])


class Server:
    """One stand-in on a port of its own; subclasses answer in `serve`."""

    def __init__(self, records):
        self.records, self.requests, self.faults, self.login = records, [], [], None
        self.lock = threading.Lock()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def handle_any(self):
                size = int(self.headers.get("Content-Length") or 0)
                self.body = self.rfile.read(size)
                url = urllib.parse.urlsplit(self.path)
                self.route = url.path
                self.parameters = dict(urllib.parse.parse_qsl(url.query))
                with outer.lock:
                    outer.requests.append((self.command, self.path, self.body))
                    fault = outer.faults.pop(0) if outer.faults else None
                try:
                    if outer.login and self.headers.get("Authorization") != outer.login:
                        self.answer(401, {"error": "missing authentication credentials"})
                    elif fault:
                        fault(self)
                    else:
                        outer.serve(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass  # it was not wanted any more

            do_GET = do_POST = do_DELETE = handle_any

            def answer(self, status, body, headers=()):
                body = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                for name, value in headers:
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()


class Elasticsearch(Server):
    """elastic.co "Paginate search results" (search_after, point in time) and "Search API";
    `flavour` opensearch: opensearch.org "Point in Time"; none: no points in time at all."""

    def __init__(self, records, flavour="elasticsearch"):
        super().__init__(records)
        self.flavour, self.open = flavour, set()

    def serve(self, h):
        if h.route.endswith("/_pit") and h.command == "POST" and self.flavour == "elasticsearch":
            self.open.add("46ToAw==")
            return h.answer(200, {"id": "46ToAw=="})
        if (h.route.endswith("/_search/point_in_time") and h.command == "POST" and
                self.flavour == "opensearch"):
            self.open.add("o463QQ==")
            return h.answer(200, {"pit_id": "o463QQ==", "_shards": {"total": 1, "failed": 0},
                                  "creation_time": 1658146050064})
        if h.command == "DELETE":
            body = json.loads(h.body)
            self.open -= {body.get("id"), *body.get("pit_id", [])}
            return h.answer(200, {"succeeded": True, "num_freed": 1})
        if not h.route.endswith("/_search"):
            return h.answer(405, {"error": f"Incorrect HTTP method for uri [{h.path}]"})
        return h.answer(200, self.search(json.loads(h.body)))

    def search(self, body):
        pit = body.get("pit", {}).get("id")
        if pit and pit not in self.open:
            raise AssertionError("a point in time that is not open")
        clauses = body["query"]["bool"]["filter"]
        span = clauses[0]["range"]["@timestamp"]
        low, high = ns_of(span["gte"]) // 10**6, ns_of(span["lt"]) // 10**6
        exact = pit and self.flavour == "elasticsearch"
        found = [(ms, n, fields) for n, (ms, fields) in enumerate(self.records) if low <= ms < high]
        for clause in clauses[1:]:
            word = clause["query_string"]["query"]
            found = [hit for hit in found if word in json.dumps(hit[2])]
        after = body.get("search_after")
        if after:
            found = [hit for hit in found if (hit[0], hit[1])[:len(after)] > tuple(after)]
        assert body["size"] <= 10000
        hits = [{"_index": "logs-1", "_id": f"id{n}", "_score": None,
                 "_source": {"@timestamp": iso(ms), **fields},
                 "sort": [ms, n] if exact else [ms]} for ms, n, fields in found[:body["size"]]]
        answer = {"took": 3, "timed_out": False,
                  "_shards": {"total": 1, "successful": 1, "skipped": 0, "failed": 0},
                  "hits": {"max_score": None, "hits": hits}}
        return {"pit_id": pit, **answer} if pit else answer


class Loki(Server):
    """grafana.com/docs/loki "Loki HTTP API": query_range, start inclusive, end exclusive."""
    LIMIT = 5000

    def serve(self, h):
        if h.route != "/loki/api/v1/query_range":
            return h.answer(404, b"404 page not found\n")
        p = h.parameters
        start, end, limit = int(p["start"]), int(p["end"]), int(p["limit"])
        if limit > self.LIMIT:
            return h.answer(400, b"max entries limit per query exceeded, limit > max_entries_limit")
        if end - start > (30 * 24 + 1) * 3600 * 10**9:
            return h.answer(400, b"the query time range exceeds the limit (limit: 30d1h)")
        if p["query"].startswith("rate("):
            return h.answer(200, {"status": "success",
                                  "data": {"resultType": "matrix", "result": [], "stats": {}}})
        streams = {}
        found = [(ms * 10**6, f) for ms, f in self.records if start <= ms * 10**6 < end]
        for ns, fields in found[:limit]:
            fields = dict(fields)
            labels = {"service_name": fields.pop("service"), "cluster": "eu"}
            line = fields.pop("line", None) or json.dumps(fields)
            key = json.dumps(labels)
            streams.setdefault(key, {"stream": labels, "values": []})["values"].append(
                [str(ns), line, {"detected_level": "info"}] if line[0] != "{" else [str(ns), line])
        return h.answer(200, {"status": "success", "data": {
            "resultType": "streams", "result": list(streams.values()), "stats": {}}})


class Graylog(Server):
    """docs.graylog.org "Graylog REST API", search/universal/absolute: `to` belongs to it, offset
    and limit stay within 10,000."""
    LEVELS = {"error": 3, "info": 6, "warn": 4}

    def serve(self, h):
        if h.route != "/api/search/universal/absolute" or "X-Requested-By" not in h.headers:
            return h.answer(400, {"type": "ApiError", "message": "CSRF protection header missing"})
        p = h.parameters
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", p["from"]), p["from"]
        low, high = ns_of(p["from"]) // 10**6, ns_of(p["to"]) // 10**6
        offset, limit = int(p["offset"]), int(p["limit"])
        if offset + limit > 10000:
            return h.answer(500, {"type": "ApiError", "message": "Result window is too large"})
        found = [(n, ms, f) for n, (ms, f) in enumerate(self.records) if low <= ms <= high]
        messages = []
        for n, ms, fields in found[offset:offset + limit]:
            fields = {**fields, "level": self.LEVELS[fields["level"]]}
            messages.append({"highlight_ranges": {}, "index": "graylog_0", "decoration_stats": None,
                             "message": {"_id": f"m{n}", "timestamp": iso(ms), "source": "web-1",
                                         "gl2_source_input": "5f", **fields}})
        return h.answer(200, {"query": p["query"], "built_query": "{}", "used_indices": [],
                              "messages": messages, "fields": [], "time": 4,
                              "total_results": len(found), "from": p["from"], "to": p["to"]})


class Splunk(Server):
    """help.splunk.com "Export data using the Splunk REST API": search/v2/jobs/export with
    output_mode=json, a result a line, previews first."""
    cut = False

    def serve(self, h):
        form = dict(urllib.parse.parse_qsl(h.body.decode()))
        if h.route != "/services/search/v2/jobs/export" or form["output_mode"] != "json":
            return h.answer(404, {"messages": [{"type": "ERROR", "text": "Not Found"}]})
        if "syntaxerror" in form["search"]:
            return h.answer(200, {"messages": [{"type": "FATAL", "text": "Unknown search command"}]})
        assert form["search"].endswith("| sort 0 _time"), form["search"]
        low, high = float(form["earliest_time"]), float(form["latest_time"])
        found = [(ms, f) for ms, f in self.records if low * 1000 <= ms < high * 1000]
        lines = [{"preview": True, "offset": 0, "lastrow": True, "result": {"_raw": "a preview"}}]
        for n, (ms, fields) in enumerate(found):
            raw = iso(ms) + " " + json.dumps(fields)
            lines.append({"preview": False, "offset": n, "result": {
                "_time": iso(ms).replace("Z", "+00:00"), "_raw": raw, "host": "web-1",
                "index": "main", "sourcetype": "app", **fields}})
        lines.append({"preview": False, "lastrow": True})
        text = "".join(json.dumps(line) + "\n" for line in lines).encode()
        if self.cut:  # in the middle of a chunked answer that ends well all the same
            text = text[:len(text) // 2].rsplit(b"\n", 1)[0] + b"\n"
        h.send_response(200)
        h.end_headers()
        for at in range(0, len(text), 1000):
            h.wfile.write(text[at:at + 1000])
        h.close_connection = True


def basic(user, password):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()

"""A proxy before an engine that has a bad day: answers in its place, or passes on what came and loses
the answer."""
import http.client
import http.server
import threading

import common


class FaultyProxy:
    """mood: "pass"; "lose" (the engine takes it, the connection is reset before its answer); or
    (status, headers, body) that it answers by itself."""

    def __init__(self, engine):
        self.engine, self.port, self.mood, self.met = engine, common.free_port(), "pass", {}
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                mood = proxy.mood
                proxy.met[str(mood)] = proxy.met.get(str(mood), 0) + 1
                if mood in ("pass", "lose"):
                    status, headers, answer = proxy.forward(self.path, dict(self.headers), body)
                else:
                    status, headers, answer = mood
                if mood == "lose":
                    self.close_connection = True
                    self.connection.close()
                    return
                self.send_response(status)  # with the date of this clock
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_):
                pass  # of connections that it resets itself

        self.server = Server(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05},
                         daemon=True).start()

    def forward(self, path, headers, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.engine.port, timeout=10)
        try:
            connection.request("POST", path, body, headers)
            answer = connection.getresponse()
            return answer.status, {}, answer.read()
        except OSError:
            return 502, {}, b"the engine is away"
        finally:
            connection.close()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

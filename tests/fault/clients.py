"""Clients of the HTTP port who mean harm."""
import resource
import selectors
import socket
import time

import common
import world
from trial import LONG, Skipped, case


def more_descriptors(count):
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < count:
        raise Skipped(f"{count} descriptors are needed, {most} may be had")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count, most))


class Crowd:
    """Connections that are kept; what each was answered, and how many were closed on us."""

    def __init__(self, port, count):
        self.sockets, self.refused, self.answers, self.closed = [], 0, {}, 0
        self.selector = selectors.DefaultSelector()
        for n in range(count):
            s = socket.socket()
            s.settimeout(5)
            try:
                s.connect(("127.0.0.1", port))
            except OSError:
                self.refused += 1
                s.close()
                continue
            s.setblocking(False)
            self.selector.register(s, selectors.EVENT_READ)
            self.sockets.append(s)
            if n % 256 == 0:
                self.listen(0)

    def say(self, data):
        for s in list(self.sockets):
            try:
                s.send(data)
            except BlockingIOError:
                pass
            except OSError:
                self.drop(s)

    def listen(self, seconds):
        until = time.monotonic() + seconds
        while True:
            for key, _ in self.selector.select(max(0, min(0.2, until - time.monotonic()))):
                try:
                    data = key.fileobj.recv(4096)
                except OSError:
                    data = b""
                if data:
                    code = data[9:12].decode(errors="replace")
                    self.answers[code] = self.answers.get(code, 0) + 1
                else:
                    self.drop(key.fileobj)
            if time.monotonic() >= until:
                return

    def drop(self, s):
        self.closed += 1
        self.selector.unregister(s)
        self.sockets.remove(s)
        s.close()

    def end(self):
        for s in self.sockets:
            s.close()
        self.sockets.clear()
        self.selector.close()


def beset(test, node, what, crowd_size, act):
    """While they are there it counts; once they are gone it answers at once."""
    crowd = Crowd(node.port, crowd_size)
    act(crowd)
    size = node.recount()
    test.that(node.agent.alive(), f"{what}: it lives")
    node.note_memory()
    crowd.end()
    began = time.monotonic()
    common.wait_until(lambda: common.get(node.port, "/healthz")[0] == 200, 30, f"{what}: it answers")
    answered = time.monotonic() - began
    common.wait_until(lambda: sum(node.counts()) >= sum(size), 30, f"{what}: what was written meanwhile")
    test.saw(f"{what}: {crowd_size - crowd.refused} connections, answers {crowd.answers}, {crowd.closed}"
             f" closed by the agent; /healthz {answered:.1f} s after they left")
    return crowd


@case(40, "slow loris, huge headers, 10,000 connections", "clients that dribble a byte a second, send headers"
      " without end, or connect and stay", (1, 2, 9))
def hostile_clients(test):
    many = 10_000
    more_descriptors(many + 500)
    with world.Node(test) as node:
        node.start()
        node.write(2)
        node.grown(10)

        def dribble(crowd):
            for byte in (b"GET /api/slo HTTP/1.1\r\nHost: x\r\nX-A: " + 200 * b"a")[:120 if LONG else 20]:
                crowd.say(bytes([byte]))
                crowd.listen(1)

        crowd = beset(test, node, "slow loris", 500, dribble)
        test.proof(crowd.closed >= 490, f"{crowd.closed} of 500 dribbling clients were closed")

        def endless(crowd):
            crowd.say(b"GET / HTTP/1.1\r\n")
            for _ in range(64):
                crowd.say(b"X: " + 4000 * b"h" + b"\r\n")
                crowd.listen(0.01)
            crowd.listen(2)

        crowd = beset(test, node, "huge headers", 200, endless)
        test.proof(crowd.closed == 200, f"{crowd.closed} of 200 with 256 KB of headers were closed")

        def stay(crowd):
            crowd.listen(3)

        crowd = beset(test, node, "10,000 connections", many, stay)
        test.proof(crowd.refused < many / 100 and crowd.answers.get("503", 0) > 9000,
                   f"{many - crowd.refused} connected, {crowd.answers.get('503', 0)} were answered 503")
        node.settles("beset")

"""Peers who are hostile, older, newer, cloned, or whose certificates are no good; names that no DNS knows."""
import json
import os
import shutil
import socket
import struct
import time

import common
import fleet_nodes
import injection
import msgpack_frames as frames
import world
from test_alerts import Receiver
from trial import Skipped, case


def fleet_node(test, name, ports, certificates=None):
    """A node that listens at ports[name] and dials the others."""
    others = ", ".join(f"127.0.0.1:{p}" for n, p in ports.items() if n != name)
    files = "".join(f"  {key}_file: {certificates}/{name}/{file}\n" for key, file in (
        ("ca", "ca.crt"), ("cert", "node.crt"), ("key", "node.key"))) if certificates else ""
    node = world.Node(test, name, f"peers:\n  cluster: shop\n  listen: 127.0.0.1:{ports[name]}\n"
                      f"  nodes: [{others}]\n{files}")
    text = open(f"{node.folder}/slos/web.yaml").read().replace(f"{node.folder}/", "")  # the same for all
    common.write(f"{node.folder}/slos/web.yaml", text)
    return node


def parts(node):
    """{node: (good, bad)} as this one knows them."""
    return {p["node"]: (p["good"], p["bad"]) for slo in fleet(node)["slos"] if slo["slo"] == "web"
            for p in slo["nodes"]}


def fleet(node):
    status, body = common.get(node.port, "/api/fleet")
    return json.loads(body) if status == 200 else {"nodes": [], "slos": []}


def agree(test, nodes, what, seconds=90):
    wanted = {n.name: n.recount() for n in nodes}
    try:
        common.wait_until(lambda: all({k: v for k, v in parts(n).items() if k in wanted} == wanted
                                      for n in nodes), seconds, what, poll=0.3)
    except TimeoutError:
        pass
    for n in nodes:
        got = {k: v for k, v in parts(n).items() if k in wanted}
        test.equal(got, wanted, f"{what}: what {n.name} knows")
    test.saw(f"{what}: {sum(map(sum, wanted.values()))} events of {len(nodes)} nodes, the same everywhere")


def counted(nodes, lines=15):
    for node in nodes:
        if node.writer is None:
            node.write()
    for node in nodes:
        node.grown(lines, 60)


def quiet(nodes):
    for node in nodes:
        node.stop_writing()


def talk(port, *pieces, pause=0.0, read_s=3):
    """What comes back for these bytes until it is closed."""
    got = b""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(read_s)
        try:
            for piece in pieces:
                s.sendall(piece)
                time.sleep(pause)
            while data := s.recv(65536):
                got += data
        except OSError:
            pass
    return got


def byes(data):
    return [f[1] for f in frames.split(data) if f[0] == frames.BYE]


@case(50, "hostile peers", "garbage, huge lengths, broken checksums, bombs, endless hellos and 300 silent"
      " connections at the port for peers", (1, 2, 8, 9))
def hostile_peers(test):
    ports = {n: common.free_port() for n in "ab"}
    with fleet_node(test, "a", ports).start() as a, fleet_node(test, "b", ports).start() as b:
        counted([a, b])
        hello = frames.hello("shop", "evil", boot=1, incarnation=7)
        bad_sum = bytearray(hello)
        bad_sum[-1] ^= 1
        nodes = b"\xdd\xff\xff\xff\xff"  # an array of 4 G elements
        attacks = {
            "random bytes": [os.urandom(200_000)], "HTTP": [b"GET / HTTP/1.1\r\n\r\n"],
            "a length of 4 GB": [struct.pack(">I", 0xFFFFFFFF) + b"\1\1\0\0"],
            "a length of 0": [struct.pack(">I", 0)], "a broken checksum": [bytes(bad_sum)],
            "a first frame of 1 MB": [frames.frame(1, b"\xc0" * 1_000_000)],
            "an array of 4 G elements": [frames.frame(1, nodes)],
            "nesting": [frames.frame(1, b"\x91" * 4000)],
            "zstd that is none": [frames.frame(1, b"\xff" * 100, flags=1)],
            "two hellos": [hello, hello], "parts before a welcome": [hello, frames.frame(9, b"\x94\0\xc3\xa1a\x90")],
            "an unknown message": [hello, frames.frame(99, b"\x90")],
            "hello by bytes": [bytes([x]) for x in hello]}
        closed = sum(hung_up(ports["a"], pieces) for pieces in attacks.values())
        silent = [socket.create_connection(("127.0.0.1", ports["a"]), 5) for _ in range(300)]
        counted([a, b])
        for s in silent:
            s.close()
        refused = a.metric("nines_peer_refused_total") or 0
        test.proof(closed >= len(attacks) - 3, f"{closed} of {len(attacks)} attacks were hung up on, 300 sat")
        test.that("evil" not in parts(a), f"nothing of it is counted: {parts(a)} ({refused} refused)")
        a.note_memory()
        b.note_memory()
        quiet([a, b])
        agree(test, [a, b], "beset by peers")


def hung_up(port, pieces):
    """Whether the other side closed within some seconds."""
    with socket.create_connection(("127.0.0.1", port), 10) as s:
        s.settimeout(8)
        try:
            for piece in pieces:
                s.sendall(piece)
            while s.recv(65536):
                pass
            return True
        except TimeoutError:
            return False
        except OSError:
            return True


@case(51, "peers of an older and of a newer version", "a hand-made peer says that it speaks protocols 0, 2 to 9,"
      " 1 to 9, or sends frames of version 2", (4, 8))
def other_versions(test):
    ports = {n: common.free_port() for n in "ab"}
    with fleet_node(test, "a", ports).start() as a, fleet_node(test, "b", ports).start() as b:
        counted([a, b])
        told = {}
        for what, low, high in (("older", 0, 0), ("newer", 2, 9), ("both", 1, 9)):
            hello = frames.hello("shop", what, boot=3, incarnation=11, low=low, high=high)
            told[what] = talk(ports["a"], hello)
        for what in ("older", "newer"):
            said = byes(told[what])
            test.that(said and b"this node speaks 1" in said[0], f"{what}: told why: {told[what]!r}")
            test.that(f"{what} speaks protocols" in a.own_log(), f"{what}: the log says so")
        types = [f[0] for f in frames.split(told["both"])]
        test.that(frames.WELCOME in types, f"one that speaks 1 to 9 is welcome: {types}")
        later = talk(ports["a"], frames.frame(1, b"\x90", version=2))
        test.that(frames.WELCOME not in [f[0] for f in frames.split(later)], "frames of version 2 are refused")
        test.proof(all(frames.split(data) for data in told.values()),
                   f"answers: older {byes(told['older'])}, newer {byes(told['newer'])}, 1 to 9 {types}")
        counted([a, b])
        quiet([a, b])
        agree(test, [a, b], "beside other versions")


@case(52, "node cloned with its state", "the state of a node is copied and runs a second time under its name",
      (1, 5, 8))
def cloned(test):
    ports = {n: common.free_port() for n in "abc"}
    nodes = [fleet_node(test, n, ports).start() for n in "ac"]
    a, c = nodes
    twin = None
    try:
        counted(nodes)
        quiet(nodes)
        agree(test, nodes, "before")
        a.kill()
        twin = fleet_node(test, "twin", {"twin": ports["b"], "c": ports["c"]})
        shutil.rmtree(f"{twin.folder}/logs")
        for part in ("state", "logs"):
            shutil.copytree(f"{a.folder}/{part}", f"{twin.folder}/{part}")
        text = common.node_yaml(twin.port, world.CALM + f"peers:\n  cluster: shop\n  listen: 127.0.0.1:"
                                f"{ports['b']}\n  nodes: [127.0.0.1:{ports['c']}]\n")
        common.write(twin.config, text.replace("node: test", "node: a"))
        known = parts(c)["a"]
        for node in (a, twin):
            node.start()
            node.write()
        c.write()
        common.wait_until(lambda: "two nodes call themselves a" in c.own_log(), 90, "c tells")
        test.proof("two nodes call themselves a" in c.own_log(), "c heard two nodes of one name at a time")
        counted(nodes, 20)
        shown = parts(c)["a"]
        truth = max(sum(n.recount()) for n in (a, twin))
        test.that(sum(known) <= sum(shown) <= truth, f"nothing is invented: {known} {shown} {truth}")
        twin.end()
        twin = None
        quiet(nodes)
        agree(test, nodes, "once the clone is gone", 150)
    finally:
        for node in [*nodes, *([twin] if twin else [])]:
            node.end()


@case(53, "certificates: expired, not yet valid, of a wrong authority", "nines pki under libfaketime, 40 days"
      " ago and ahead, and a second authority; later they are made anew", (4, 9), needs=("openssl",))
def certificates(test):
    names = ["good", "right", "expired", "early", "foreign"]
    pki, other = f"{test.folder}/pki", f"{test.folder}/other"
    clock = injection.FalseClock(test, "-50d")
    issue(pki, clock, "init", "--cluster", "shop")
    issue(other, None, "init", "--cluster", "shop")
    for name, when in (("good", None), ("right", None), ("expired", "-40d"), ("early", "+40d")):
        clock.tell(when or "+0")
        issue(pki, clock if when else None, "issue", name, "--days", "20")
    issue(other, None, "issue", "foreign")
    os.rename(f"{other}/foreign", f"{pki}/foreign")
    ended = common.run("openssl", "x509", "-checkend", "0", "-noout", "-in", f"{pki}/expired/node.crt")
    early = common.run("openssl", "verify", "-CAfile", f"{pki}/ca.crt", f"{pki}/early/node.crt")
    foreign = common.run("openssl", "verify", "-CAfile", f"{pki}/ca.crt", f"{pki}/foreign/node.crt")
    test.proof(ended.returncode == 1 and b"not yet valid" in early.stderr and foreign.returncode != 0,
               "openssl: expired, not yet valid, unknown authority")
    ports = {n: common.free_port() for n in names}
    nodes = [fleet_node(test, n, ports, pki) for n in names]
    try:
        for node in nodes:
            node.start()
        counted(nodes)  # each its own log, whatever its papers
        good = nodes[:2]
        common.wait_until(lambda: all(sorted(parts(n)) == ["good", "right"] for n in good), 90,
                          "the two know each other")
        quiet(nodes)
        agree(test, good, "the two with papers")
        for node in good:
            test.equal(sorted(parts(node)), ["good", "right"], f"{node.name} knows nobody else")
        for node in nodes[2:]:
            test.that(set(parts(node)) <= {node.name}, f"{node.name} is told nothing: {parts(node)}")
        test.that(any(w in good[0].own_log() for w in ("certificate", "TLS", "tls")), "the log says why")
        for name in names[2:]:
            shutil.rmtree(f"{pki}/{name}")
            issue(pki, None, "issue", name)
        for node in nodes[2:]:
            node.terminate()
            node.start()
        agree(test, nodes, "all, with new papers", 150)
    finally:
        for node in nodes:
            node.end()


def issue(directory, clock, *words):
    done = common.run(common.tool("NINES_BIN"), "pki", *words, "--dir", directory,
                      env=clock.env if clock else None)
    if done.returncode != 0:
        raise RuntimeError(f"pki {words}: {done.stderr.decode()}")


@case(54, "DNS gone, for peers and receivers of pages", "in a mount namespace resolv.conf names a server that"
      " never answers; later hosts knows the name", (3, 4, 8), root=True)
def no_dns(test):
    for name, text in (("resolv.conf", "nameserver 127.0.0.77\noptions timeout:3 attempts:2\n"),
                       ("hosts", "127.0.0.1 localhost\n"), ("nsswitch.conf", "hosts: files dns\n")):
        if not os.path.exists(f"/etc/{name}"):
            raise Skipped(f"/etc/{name} is not there to be covered")
        injection.do("mount", "--bind", common.write(f"{test.folder}/etc/{name}", text), f"/etc/{name}")
    silent = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        silent.bind(("127.0.0.77", 53))
    except OSError as e:
        raise Skipped(f"no name server of our own: {e}") from e
    silent.setblocking(False)
    receiver = Receiver()
    receiver.open(200)
    fleet_nodes.issue(f"{test.folder}/pki", ["test"])
    extra = (f"{fleet_nodes.peers_yaml(f'{test.folder}/pki/test', [9])}"
             f"webhooks: [{{name: hook, url: \"http://hook.nines.test:{receiver.port}/\"}}]\n")
    with world.Node(test, extra=extra.replace("127.0.0.1:9]", "peer.nines.test:9]")) as node:
        node.start()
        node.write()
        node.grown(5)
        node.writer.status = 503
        common.wait_until(lambda: "FIRED" in node.own_log(), 60, "a page is decided")
        worst, until = 0.0, time.monotonic() + 12
        while time.monotonic() < until:
            asked = time.monotonic()
            test.that(common.get(node.port, "/healthz", timeout=20)[0] == 200, "it answers")
            worst = max(worst, time.monotonic() - asked)
            time.sleep(0.1)
        questions = asked_of(silent)
        test.proof(questions > 0, f"{questions} questions were put to the name server, and none answered")
        test.that(worst < 2, f"answers wait for no DNS: {worst:.2f} s")
        node.grown(20)
        test.equal(receiver.delivered(), [], "nothing can be told")
        with open("/etc/hosts", "a") as f:
            f.write("127.0.0.1 hook.nines.test\n")
        common.wait_until(lambda: any(b["kind"] == "fired" for _, b in receiver.delivered()), 120, "told")
        fired = {key for key, b in receiver.delivered() if b["kind"] == "fired"}
        test.equal(len(fired), 1, "one page")
        test.saw(f"answers within {worst:.2f} s meanwhile; told once the name was known, once")
        node.settles("without DNS", again=False)
    receiver.shut()


def asked_of(server):
    count = 0
    try:
        while b"nines" in server.recv(512):
            count += 1
    except BlockingIOError:
        pass
    return count

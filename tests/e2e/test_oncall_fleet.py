#!/usr/bin/env python3
"""On-call with two live nodes: one page for both; when the node that told it is killed the other one
goes on with the next person; a link that the dead one sent acknowledges on the living one, as both
have the same link key; the acknowledgement stops the chain on both, also where the dead one is back."""
import json
import os
import urllib.parse
import urllib.request

import common
import fleet_nodes
import notify_standins as standins
from test_incident_people import told, transitions

PEOPLE = """
people:
  - {id: anna, notify: [phone-anna]}
  - {id: ben, notify: [phone-ben]}
  - {id: carla, notify: [phone-carla]}
schedules:
  - name: primary
    layers: [{rotation: weekly, start: "2026-01-05 09:00", people: [anna]}]
policies:
  - name: all
    levels: [{schedule: primary}, {people: [ben]}, {people: [carla]}]
    acknowledge_within: {P1: 45s}
"""
KEY = "5a" * 32


class Node(fleet_nodes.Node):
    def __init__(self, folder, name, ports, phones):
        super().__init__(folder, name)
        self.state = f"{self.folder}/state"
        common.write(f"{self.state}/link.key", KEY)
        os.chmod(f"{self.state}/link.key", 0o600)
        common.write(f"{self.folder}/oncall.yaml", PEOPLE)
        hooks = "".join(f'  - {{name: phone-{who}, url: "{hook.url("/" + name)}"}}\n'
                        for who, hook in phones.items())
        others = [port for other, port in ports.items() if other != name]
        self.configure(fleet_nodes.peers_yaml(f"{folder}/pki/{name}", others, ports[name]) +
                       f'api: {{public_url: "http://127.0.0.1:{self.port}/"}}\n'
                       f"oncall: {{file: oncall.yaml}}\nwebhooks:\n{hooks}")

    def declare(self, text):
        done = common.run(common.tool("NINES_BIN"), "incident", "declare", text, "--severity", "P1",
                          "--service", "shop", "-o", "json", "--agent", f"127.0.0.1:{self.port}",
                          "--state", self.state, "--by", "kim", timeout=60)
        assert done.returncode == 0, done
        return json.loads(done.stdout)["id"]

    def incident(self, name):
        status, body = common.get(self.port, f"/api/incidents/{name}")
        return json.loads(body) if status == 200 else {"pages": [], "state": ""}

    def paged(self, name):
        return [(p["node"], p["details"]["person"]) for p in self.incident(name)["pages"]
                if "person" in p["details"]]


def acknowledge(checks, url, port):
    """By a link as it was sent, but on the node that answers there."""
    parts = urllib.parse.urlsplit(url)
    here = parts._replace(netloc=f"127.0.0.1:{port}").geturl()
    data = urllib.parse.urlencode({"name": "ben"}).encode()
    with urllib.request.urlopen(urllib.request.Request(here, data, method="POST"), timeout=30) as got:
        checks.equal(got.status, 200, "the link works on the other node")


def main():
    checks = common.Checks()
    folder = common.scratch("oncall-fleet")
    fleet_nodes.issue(f"{folder}/pki", ["a", "b"])
    ports = {name: common.free_port() for name in ("a", "b")}
    phones = {who: standins.Webhook() for who in ("anna", "ben", "carla")}
    a, b = (Node(folder, name, ports, phones) for name in ("a", "b"))
    try:
        for node in (a, b):
            node.start()
        for node in (a, b):
            common.wait_until(lambda n=node: common.get(n.port, "/readyz")[0] == 200, 90, "ready")
        fleet_nodes.hear_each_other([a, b])
        name = a.declare("the shop does not answer")
        common.wait_until(lambda: told(phones["anna"], name), 60, "anna is told")
        common.wait_until(lambda: ("a", "anna") in b.paged(name), 60, "b knows that she is")
        a.agent.kill()
        common.wait_until(lambda: len(b.paged(name)) == 2, 240, "b goes on with the next person")
        chosen, second = b.paged(name)
        following = second[1]  # that a is silent is a page, too, and tires whoever gets it
        checks.equal((chosen, second[0]), (("a", "anna"), "b"), "who was chosen by whom")
        checks.that(following in ("ben", "carla"), following)
        common.wait_until(lambda: told(phones[following], name), 60, "who is told")
        checks.equal(transitions(phones["anna"], name), ["opened"], "anna heard it once")
        link = told(phones["anna"], name)[0][2]["links"]["acknowledge"]
        checks.that(f":{a.port}/" in link, f"the link is of the node that is gone: {link}")
        acknowledge(checks, link, b.port)
        common.wait_until(lambda: b.incident(name)["state"] == "acknowledged", 60, "acknowledged")
        a.start()
        common.wait_until(lambda: a.incident(name)["state"] == "acknowledged", 120, "a hears of it")
        fleet_nodes.hear_each_other([a, b])
        # An incident that is younger and that nobody acknowledges goes on to the second person: by
        # then the time of the first has run out twice.
        later = b.declare("mails are late")
        common.wait_until(lambda: len(b.paged(later)) == 2, 240, "nobody acknowledges the second")
        heard = {who: len(told(hook, name)) for who, hook in phones.items()}
        checks.equal({who for who, times in heard.items() if times}, {"anna", following},
                     "the acknowledgement stopped it")
        checks.equal(set(heard.values()), {0, 1}, f"each once: {heard}")
        checks.equal(a.paged(name), b.paged(name), "both know the same pages")
        common.wait_until(lambda: sum(len(told(hook, later)) for hook in phones.values()) == 2, 60,
                          "the second person is told, not only chosen")
        each = {who: transitions(hook, later) for who, hook in phones.items()}
        checks.equal(sorted(sum(each.values(), [])), ["escalated", "opened"],
                     f"one page each, of two nodes: {each}")
        print(f"  pages: {b.paged(name)}, {b.paged(later)}")
        for hook in phones.values():
            checks.equal(hook.violations, [], "wire formats")
    finally:
        for node in (a, b):
            if node.agent:
                node.agent.kill()
        if checks.failures:
            for node in (a, b):
                print(node.called, node.own_log()[-3000:])
    checks.finish()


if __name__ == "__main__":
    main()

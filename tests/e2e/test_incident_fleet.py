#!/usr/bin/env python3
"""Incidents of a fleet: three agents on machines of their own, peers over mutual TLS, and requests that
pass all of them: the front door on c, orders on a, pay on b. A fault of pay is one incident with one
id on all three, whose first suspect lives on another node than the SLO; what is done to it on one node
is seen on the others, also when the network was cut meanwhile; who lost its disk learns all of it again;
and a node that is killed is one incident and no more."""
import json
import shutil
import threading
import time

import common
import netns
import test_incident
from fleet_world import API, POLICY, World

NODES = ["a", "b", "c"]
WHERE = {"web-5d8f4-aaaaa": "c", "orders-66d5c-ccccc": "a", "pay-7c9f6-bbbbb": "b"}
CONFIG = """sources:
  - name: pods
    paths: ["pods/*/*/*.log"]
incidents:
  sources: [pods]
"""


class Shop(test_incident.Shop):
    """`web` calls `orders`, which calls `pay`, each on a node of its own."""

    def __init__(self, world):
        threading.Thread.__init__(self, daemon=True)
        self.world, self.broken, self.done, self.number = world, False, threading.Event(), 0
        for pod in WHERE:
            common.write(self.path(pod), "")

    def path(self, pod):
        name = pod.split("-")[0]
        return f"{self.world[WHERE[pod]].folder}/pods/shop_{pod}_u-{name}/{name}/0.log"

    def request(self, at):
        self.number += 1
        self.trace = f"t{self.number:08d}"
        web, orders, pay = WHERE
        user = self.number % 97
        self.line(web, at, "info", f"request {self.number} of user {user} comes in")
        self.line(orders, at + .002, "info", f"order of user {user} is taken")
        self.line(pay, at + .004, "info", f"charging card of user {user}")
        if self.broken:
            self.line(pay, at + .006, "error", f"card service refused connection {self.number}")
        else:
            self.line(pay, at + .006, "info", f"charged {self.number} cents")
        self.line(orders, at + .008, "info", f"order {self.number} goes back")
        self.line(web, at + .010, "info", "request answered", status=502 if self.broken else 200)


def cli(world, node, *arguments):
    with world.network.inside(node):
        return common.run(common.tool("NINES_BIN"), "incident", *arguments, "--agent",
                          f"127.0.0.1:{API}", timeout=30)


def act(checks, world, node, *arguments):
    done = cli(world, node, *arguments, "--state", f"{world[node].folder}/state", "--by",
               f"kim at {node}")
    checks.equal(done.returncode, 0, f"on {node}: incident {' '.join(arguments)}: {done.stderr!r}")


def listed(world, node):
    done = cli(world, node, "list", "--all", "-o", "json")
    return json.loads(done.stdout) if done.returncode == 0 else None


def same_everywhere(checks, world, what, seconds=90, nodes=NODES, until=lambda incidents: True):
    def same():
        lists = [listed(world, n) for n in nodes]
        return lists[0] is not None and all(one == lists[0] for one in lists) and until(lists[0]) and lists
    try:
        began = time.monotonic()
        lists = common.wait_until(same, seconds, what, poll=0.5)
        print(f"{what}: {len(lists[0])} incident(s), equal after {time.monotonic() - began:.1f} s", flush=True)
        checks.that(True, what)
        return lists[0]
    except TimeoutError:
        lists = [listed(world, n) for n in nodes]
        return checks.equal([json.dumps(one) for one in lists[1:]], [json.dumps(lists[0])] * (len(nodes) - 1),
                            what) and lists[0]


def suspects(incident):
    return [e["entry"] for e in incident["evidence"] if e["kind"] == "suspects"]


def opens(checks, world, shop):
    shop.broken = True
    found = same_everywhere(checks, world, "one incident on all nodes", 120, until=len)
    checks.equal(len(found), 1, "there is one incident")
    checks.equal((found[0]["service"], found[0]["opened_on"]), ("checkout-service", "c"), "of the front door")
    found = same_everywhere(checks, world, "suspects on all nodes", 120,
                            until=lambda all: suspects(all[0]))
    first = next(e for e in suspects(found[0])[::-1] if e["details"]["rank"] == "1")
    print("first suspect:", first["text"], first["details"], flush=True)
    checks.equal(first["details"]["service"], "pay", "the first suspect is who broke")
    checks.equal(first["details"].get("on"), "b", "and where it runs")
    checks.that("card service refused connection" in first["text"] + first["details"].get("example", ""),
                f"with the text of a line that only b has seen: {first}")
    checks.that("missing" not in first["details"], "all nodes were heard")
    for node in NODES:
        asked = sum(" suspects: " in line for line in world[node].own_log().splitlines())
        checks.equal(asked > 0, node == "c", f"{node} asks who is suspected only where it opened")
    return found[0]["id"]


def is_acknowledged(checks, world, name):
    act(checks, world, "b", "ack", name, "looking")
    found = same_everywhere(checks, world, "acknowledged on b, seen on all", 60,
                            until=lambda all: all[0]["state"] == "acknowledged")
    checks.equal(found[0]["acknowledged_by"], "kim at b", "by whom")
    common.wait_until(lambda: "acknowledged by kim at b" in world["a"].own_log(), 30, "a's log tells it")


def is_parted(checks, world, name):
    """Too short for anybody to be missed."""
    world.network.part(["c"], ["a", "b"])
    act(checks, world, "c", "note", name, "c was here")
    act(checks, world, "c", "assign", name, "commander", "alex")
    act(checks, world, "a", "note", name, "a was here")
    act(checks, world, "b", "assign", name, "commander", "bo")
    checks.that(listed(world, "a") != listed(world, "c"), "apart they know different things")
    world.network.heal()
    found = same_everywhere(checks, world, "equal after healing", 120,
                            until=lambda all: len(all[0]["notes"]) == 2)
    checks.equal(sorted(n["text"] for n in found[0]["notes"]), ["a was here", "c was here"], "both notes")


def is_over(checks, world, shop, name):
    shop.broken = False
    checkout = lambda: world["c"].agent and json.loads(world["c"].get("/api/slo")[1] or b"[]")
    common.wait_until(lambda: all(not s["alerts"] for s in checkout() if s["slo"] == "checkout"), 200,
                      "the alert is over", poll=1)
    act(checks, world, "a", "resolve", name, "card service is back", "--force")
    found = same_everywhere(checks, world, "resolved on a, seen on all", 60,
                            until=lambda all: all[0]["state"] == "resolved")
    checks.equal([h["kind"] for h in found[0]["history"]].count("resolved"), 1, "it is resolved once")
    for node in NODES:
        common.wait_until(lambda: "resolved by kim at a" in world[node].own_log(), 30, f"{node} tells it")
        told = world[node].own_log()
        for what in (f"{name} opened:", f"{name} resolved by"):
            checks.equal(told.count(what), 1, f"{node} tells once: {what}")


def disk_is_lost(checks, world):
    before = listed(world, "b")
    world["a"].kill()
    shutil.rmtree(f"{world['a'].folder}/state")
    world["a"].start()
    found = same_everywhere(checks, world, "a learns all incidents again", 120, until=len)
    checks.equal(found, before, "and they are what they were")


def is_killed(checks, world):
    world.all_hear_all(60)
    before = len(listed(world, "a"))
    world["b"].kill()
    rest = ["a", "c"]
    found = same_everywhere(checks, world, "b is missed", 150, rest, lambda all: len(all) > before)
    silent = found[0]
    checks.that("node b is silent" in silent["title"], f"what it is about: {silent['title']}")
    checks.equal((silent["severity"], silent["opened_on"]), ("P1", "a"), "of whom the lowest peer tells")
    time_over = time.monotonic() + 45
    common.wait_until(lambda: time.monotonic() > time_over, 60, "more time", poll=1)
    found = same_everywhere(checks, world, "and nothing more", 30, rest)
    checks.equal(len(found), before + 1, f"one incident of it: {[i['title'] for i in found]}")
    world["b"].start()
    found = same_everywhere(checks, world, "b is back, and knows of it", 150,
                            until=lambda all: len(all) > before and all[0].get("recovered"))
    checks.equal(len(found), before + 1, "which is no incident of its own")


def main():
    checks = common.Checks()
    netns.need_namespaces()
    with World(checks, "incidents", NODES, extra=lambda world: CONFIG) as world:
        common.write(f"{world['c'].folder}/slos/checkout.yaml", common.ratio_slo(
            "checkout", 'paths: ["pods/shop_web-*/*/*.log"]', "status < 500", total="status > 0",
            target="0.9", window="1h") + POLICY.replace("sloRef: web", "sloRef: checkout").replace(
                "name: quick", "name: quicker", 1))
        shop = Shop(world)
        test_incident.history(shop, 600)
        shop.start()
        try:
            world.start()
            common.wait_until(lambda: json.loads(world["c"].get("/api/slo")[1] or b"[]"), 60, "counts")
            name = opens(checks, world, shop)
            is_acknowledged(checks, world, name)
            is_parted(checks, world, name)
            is_over(checks, world, shop, name)
            disk_is_lost(checks, world)
            is_killed(checks, world)
            world.check_memory()
        finally:
            shop.done.set()
    checks.finish()


if __name__ == "__main__":
    main()

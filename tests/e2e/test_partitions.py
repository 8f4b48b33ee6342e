#!/usr/bin/env python3
"""Nodes in network namespaces whose network is cut, half cut, lossy, slow, and whose clocks are wrong.
After each fault: no event lost, no page twice, budgets equal everywhere and equal to a recount of the
logs within a minute of healing. All scenarios at once, as they mostly wait; `test_partitions.py NAME`
for one. NINES_LONG=1: faults last for minutes."""
import os
import subprocess
import sys
import time

import chaos_proxy
import common
import engines
import netns
import test_fleet
import test_upstream
from fleet_world import PEERS, PEOPLE, World, clock_ahead

LONG = bool(os.environ.get("NINES_LONG"))
DETECTED_S = 15 + 5  # half-open links: 15 s, and room for a busy machine
STEP_S = test_upstream.STEP_S


def wait(seconds, what):
    """For faults that have to last; nothing to be waited for happens meanwhile."""
    until = time.monotonic() + (10 * seconds if LONG else seconds)
    common.wait_until(lambda: time.monotonic() >= until, 20 * seconds + 10, what, poll=0.5)


def fired(world, name):
    return any(node == name for node, _ in world.pages("fired", "quick"))


def check_samples(world, victoria):
    """The engine was cut off, too: it has every sample of every node and what the logs say."""
    common.wait_until(lambda: all(m.metric("nines_upstream_behind_seconds") == 0
                                  for m in world.machines), 150, "everything is told", poll=1)
    for machine in world.machines:
        good, bad = test_fleet.recount([machine])
        for result, wanted in (("good", good), ("bad", bad)):
            with world.network.inside(PEOPLE):
                found = victoria.samples(
                    f'nines_slo_events_total{{slo="web",result="{result}",node="{machine.name}"}}', 3600)
            samples = next(iter(found.values()), [])
            times = [t for t, _ in samples]
            what = f"samples of {machine.name}, {result}"
            world.checks.that(len(times) >= 5, f"{what}: {len(times)}")
            world.checks.equal(times, [times[0] + n * STEP_S for n in range(len(times))] if times else [],
                               f"{what}: one every {STEP_S} s")
            world.checks.equal(samples[-1][1] if samples else None, float(wanted), f"{what}: the last")
            world.checks.that(all(x[1] <= y[1] for x, y in zip(samples, samples[1:])),
                              f"{what}: only grow")


def partition(checks):
    """One node is cut off from all, its pages and its metric engine included; it fires meanwhile, is
    killed and comes back. The others miss it once; what it has to say arrives once."""
    class Victoria(engines.VictoriaMetrics):
        host = "0.0.0.0"

    engine = []

    def upstream(world):
        if not engine:
            with world.network.inside(PEOPLE):
                engine.append(Victoria(world.folder, "victoria").start())
            world.callback(engine[0].kill)
        return (f"upstream: [{{name: vm, kind: remote_write, every: {STEP_S}s, url: \"http://"
                f"{world.network.address(PEOPLE)}:{engine[0].port}/api/v1/write\"}}]\n")

    with World(checks, "partition", ["a", "b", "c"], extra=upstream) as world:
        world.start()
        a = world["a"]
        world.network.part(["a"], ["b", "c", PEOPLE])
        a.writer.status = 503
        common.wait_until(lambda: "FIRED" in a.own_log(), 60, "a fires while it is cut off")
        common.wait_until(lambda: world.pages("fired"), 90, "a is missed")
        common.wait_until(lambda: a.fleet().get("isolated"), 60, "a knows that it is cut off")
        checks.that(not fired(world, "a"), "nobody can have heard that a fires")
        a.kill()
        a.writer.status = 200
        a.start()
        common.wait_until(lambda: "resolved page web" in a.own_log(), 120, "a's alert ends")
        wait(5, "cut off for longer")
        world.stop_writing()
        world.heal()
        common.wait_until(lambda: ("a", "web") in world.pages("resolved", "quick")
                          and world.pages("resolved"), 150, "all pages came")
        world.all_hear_all(60)
        checks.equal(world.pages("fired", "quick"), [("a", "web")], "what a fired")
        world.check_pages(silent=[("b", "a")])
        check_samples(world, engine[0])
        world.check_memory()


def reset(checks):
    """Five nodes, two behind a firewall that answers with resets: the three page both once."""
    with World(checks, "reset", ["a", "b", "c", "d", "e"]) as world:
        world.start()
        world.network.part(["a", "b"], ["c", "d", "e"], world.network.reset)
        common.wait_until(lambda: len(world.pages("fired")) >= 2, 150, "both are missed")
        for name in ("a", "b"):
            common.wait_until(lambda: world[name].fleet().get("isolated"), 60, f"{name} is isolated")
        wait(5, "cut off for longer")
        world.stop_writing()
        world.heal()
        common.wait_until(lambda: len(world.pages("resolved")) >= 2, 150, "both are back")
        world.all_hear_all(60)
        world.check_pages(silent=[("c", "a"), ("c", "b")])
        world.check_memory()


def one_way(checks):
    """b does not hear a, but c hears both: nobody is missed and c passes on what was counted, before
    anything heals. Then c, which hears, is heard by nobody: it is missed once."""
    with World(checks, "one-way", ["a", "b", "c"]) as world:
        world.start()
        world.network.drop("a", "b")
        apart(world)
        wait(25, "longer than it takes to miss a node")
        checks.equal([m.peers("state", "silent") for m in world.machines], [[]] * 3, "nobody is missed")
        world.stop_writing()
        world.same_budgets(test_fleet.recount(world.machines), 60)
        checks.equal(world.told(), {}, "and nobody paged")
        world.heal()
        world.all_hear_all(90)
        world.network.drop("c", "a")
        world.network.drop("c", "b")
        common.wait_until(lambda: world.pages("fired"), 150, "c is missed")
        world.network.heal()
        common.wait_until(lambda: world.pages("resolved"), 150, "c is back")
        world.all_hear_all(90)
        world.check_pages(silent=[("a", "c")])
        world.check_memory()


def bridge(checks):
    """a and b hear each other only through c, and then c is heard by nobody: neither can be sure of
    anything, and nobody pages."""
    with World(checks, "bridge", ["a", "b", "c"]) as world:
        world.start()
        world.network.drop("a", "b")
        apart(world)
        wait(20, "longer than it takes to miss a node")
        world.network.drop("c", "a")
        world.network.drop("c", "b")
        common.wait_until(lambda: all(m.fleet().get("isolated") for m in world.machines), 90,
                          "all know that they are cut off")
        wait(10, "cut off for longer")
        world.stop_writing()
        world.heal()
        world.all_hear_all(90)
        world.check_pages(silent=[])
        world.check_memory()


def apart(world):
    common.wait_until(lambda: "b" not in world["a"].peers("connected", True)
                      and "a" not in world["b"].peers("connected", True), 60, "the link is given up")


def half_open(checks):
    """Everything from and to a is dropped under standing connections: both ends notice in time."""
    with World(checks, "half-open", ["a", "b"]) as world:
        world.start()
        wait(5, "standing connections")
        began = time.monotonic()
        world.network.part(["a"], ["b"])
        ends = {}
        for name, other in (("a", "b"), ("b", "a")):
            common.wait_until(lambda: other not in world[name].peers("connected", True), 60,
                              f"{name} notices", poll=0.2)
            ends[name] = time.monotonic() - began
        print("half-open noticed after, s:", {n: round(s, 1) for n, s in ends.items()}, flush=True)
        checks.that(max(ends.values()) <= DETECTED_S, f"noticed within {DETECTED_S} s: {ends}")
        closed = sum(m.metric("nines_peer_links_half_open_total") for m in world.machines)
        checks.that(closed >= 1, "a half-open link is counted")
        wait(10, "cut for longer")
        world.stop_writing()
        world.heal()
        world.all_hear_all(60)
        common.wait_until(lambda: len(world.pages("fired")) == len(world.pages("resolved")), 150,
                          "pages end")
        world.check_pages()
        world.check_memory()


def loss(checks):
    """Three packets of ten are lost and the rest has 256 kbit/s: it goes on, with breaks."""
    with World(checks, "loss", ["a", "b", "c"]) as world:
        world.start()
        for machine in world.machines:
            world.network.lose(machine.name, 30)
            world.network.throttle(machine.name, "256kbit")
        wait(60, "a lossy minute")
        world.stop_writing()
        world.same_budgets(test_fleet.recount(world.machines), 240)  # before anything heals
        world.heal()
        world.all_hear_all(90)
        common.wait_until(lambda: len(world.pages("fired")) == len(world.pages("resolved")), 200,
                          "pages end")
        world.check_pages()
        world.check_memory()


def slow(checks):
    """Two seconds and up to one more each way, and connections overtake each other: no page, equal
    budgets, and clocks that are known to be known badly."""
    names, proxies = ["a", "b", "c"], []

    def peers(world, name):
        others = [n for n in names if n != name]
        routes = {20000 + 10 * names.index(name) + names.index(n): (world.network.address(n), PEERS)
                  for n in others}
        with world.network.inside(PEOPLE):
            proxies.append(chaos_proxy.ChaosProxy("0.0.0.0", routes, 2.0, 1.0, len(proxies)))
        world.callback(proxies[-1].end)
        return [f"{world.network.address(PEOPLE)}:{port}" for port in routes]

    with World(checks, "slow", names, peers=peers) as world:
        world.start(150)
        wait(30, "a while")
        world.stop_writing()
        world.same_budgets(test_fleet.recount(world.machines), 60)
        checks.equal(world.told(), {}, "a slow network is no reason for a page")
        checks.that(sum(p.overtaken for p in proxies) > 0, "pieces went by others")
        for machine in world.machines:
            for node in machine.fleet()["nodes"]:
                if node["self"] or node["clock_offset_ms"] is None:
                    continue
                checks.that(abs(node["clock_offset_ms"]) <= node["clock_uncertainty_ms"],
                            f"{machine.name} of {node['node']}: {node}")
                checks.that(1000 < node["clock_uncertainty_ms"] < 4000, f"uncertainty: {node}")
        world.check_memory()


def clocks(checks):
    """One clock four minutes ahead, one three behind: budgets agree, and the offsets are known."""
    if clock_ahead(0) is None:
        print("##  CLOCK OFFSETS SKIPPED: no libfaketime", flush=True)
        return
    ahead = {"a": 240, "b": -180, "c": 0}
    with World(checks, "clocks", list(ahead), ahead_s=ahead) as world:
        world.start()
        world.network.part(["a"], ["b", "c"])
        common.wait_until(lambda: world.pages("fired"), 120, "a is missed")
        world.stop_writing()
        world.heal()
        common.wait_until(lambda: world.pages("resolved"), 150, "a is back")
        world.all_hear_all(60)
        world.check_pages(silent=[("b", "a")])
        common.wait_until(lambda: all(n["self"] or n["clock_offset_ms"] is not None
                                      for m in world.machines for n in m.fleet()["nodes"]), 60,
                          "clocks are compared anew", poll=0.5)
        for machine in world.machines:
            for node in machine.fleet()["nodes"]:
                if node["self"]:
                    continue
                truth = 1000 * (ahead[node["node"]] - ahead[machine.name])
                checks.that(node["clock_offset_ms"] is not None
                            and abs(node["clock_offset_ms"] - truth) < 500,
                            f"{machine.name} of {node['node']}: {node['clock_offset_ms']}, {truth}")
        world.check_memory()


SCENARIOS = {f.__name__: f for f in (partition, reset, one_way, bridge, half_open, loss, slow,
                                     clocks)}


def run_all(names):
    """Each in a process of its own, since a thread is on one machine at a time."""
    running = {name: subprocess.Popen([sys.executable, os.path.abspath(__file__), name],
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
               for name in names}
    failed = []
    for name, process in running.items():
        text, _ = process.communicate()
        print(f"=== {name}\n{text.decode(errors='replace')}", flush=True)
        failed += [name] if process.returncode != 0 else []
    print(f"{len(running) - len(failed)} of {len(running)} scenarios hold" +
          (f"; not: {', '.join(failed)}" if failed else ""))
    sys.exit(1 if failed else 0)


def main():
    netns.need_namespaces()
    common.tool("NINES_VICTORIA_METRICS")
    if len(sys.argv) != 2:
        run_all(list(SCENARIOS))
    checks, began = common.Checks(), time.monotonic()
    try:
        SCENARIOS[sys.argv[1]](checks)
    except TimeoutError as e:
        checks.that(False, str(e))
    print(f"{time.monotonic() - began:.0f} s")
    checks.finish()


if __name__ == "__main__":
    main()

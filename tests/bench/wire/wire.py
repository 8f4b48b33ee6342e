#!/usr/bin/env python3
"""What a node sends, receives and writes in a day: three agents in network namespaces with everything
on (peers over mutual TLS, remote write to a VictoriaMetrics, a webhook), 20 SLOs each over a log of ten
lines a second, and the intervals of a node. Bytes are those of its network card (Ethernet, IP, TCP, TLS
included) between two looks, scaled to a day. Root.
Run: NINES_BIN=build/release/agent/nines NINES_VICTORIA_METRICS=... tests/bench/wire/wire.py [--seconds 600]"""
import argparse
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../e2e"))
import common  # noqa: E402
import engines  # noqa: E402
import netns  # noqa: E402
from fleet_world import PEOPLE, World  # noqa: E402

SLOS, DAY_S = 20, 86400


def look(world):
    found = {}
    for m in world.machines:
        shown = subprocess.run(["ip", "-n", world.network.namespace(m.name), "-s", "-j", "link", "show",
                                "eth0"], capture_output=True, check=True).stdout
        card = json.loads(shown)[0]["stats64"]
        found[m.name] = {"sent": card["tx"]["bytes"], "received": card["rx"]["bytes"],
                         "packets sent": card["tx"]["packets"],
                         "to peers, before TLS": m.metric("nines_peer_bytes_sent_total"),
                         "remote write bodies": m.metric("nines_upstream_bytes_total"),
                         "written to the store": m.metric("nines_store_written_bytes_total"),
                         "flushes of the store": m.metric("nines_store_flushes_total")}
    return time.monotonic(), found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--settle", type=int, default=150)
    arguments = parser.parse_args()
    netns.need_namespaces()

    class Victoria(engines.VictoriaMetrics):
        host = "0.0.0.0"

    engine = []

    def upstream(world):
        if not engine:
            with world.network.inside(PEOPLE):
                engine.append(Victoria(world.folder, "victoria").start())
            world.callback(engine[0].kill)
        return (f"upstream: [{{name: vm, kind: remote_write, url: \"http://"
                f"{world.network.address(PEOPLE)}:{engine[0].port}/api/v1/write\"}}]\n")

    with World(common.Checks(), "wire", ["a", "b", "c"], extra=upstream) as world:
        for machine in world.machines:
            with open(machine.config) as f:
                text = f.read().replace("flush: 1s\nevaluate: 1s\n", "")
            common.write(machine.config, text)
            for n in range(1, SLOS):
                common.write(f"{machine.folder}/slos/slo{n}.yaml", common.ratio_slo(
                    f"service-{n}-availability", "paths: [access.log], format: nginx", "status < 500",
                    f"request_time >= 0.0{n:02}" if n % 2 else "", "0.999", "30d"))
        world.start()
        time.sleep(arguments.settle)  # past start-up and the first catching up
        began, before = look(world)
        time.sleep(arguments.seconds)
        ended, after = look(world)
        scale = DAY_S / (ended - began)
        print(f"{ended - began:.0f} s, {len(world.machines)} nodes, {SLOS} SLOs each; scaled to a day:")
        for what in before["a"]:
            values = [(after[m.name][what] - before[m.name][what]) * scale for m in world.machines]
            mean, unit = sum(values) / len(values), what.startswith(("packets", "flushes"))
            print(f"  {what:24}" + (f"{mean:12,.0f}" if unit else f"{mean / 1e6:12.2f} MB") +
                  "   each: " + ", ".join(f"{v:,.0f}" if unit else f"{v / 1e6:.2f}" for v in values))


if __name__ == "__main__":
    main()

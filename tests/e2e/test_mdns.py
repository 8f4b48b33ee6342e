#!/usr/bin/env python3
"""Machines that name no peers find each other by multicast DNS: at the start, after one was away, at a
new address; those of another cluster are left alone."""
import common
import netns
from fleet_world import World

NAMES = ["pi-1", "pi-2", "pi-3"]


def main():
    netns.need_namespaces()
    checks = common.Checks()
    with World(checks, "mdns", NAMES, peers=lambda world, name: []) as world:
        world.start()
        checks.equal(world["pi-1"].alive(), NAMES, "all are found")
        world["pi-2"].kill()
        common.wait_until(lambda: world["pi-1"].peers("connected", True) == ["pi-1", "pi-3"], 30,
                          "pi-2 is missed")
        # It comes back elsewhere: where it was dialled nobody answers any more.
        before = world.network.address("pi-2")
        world.network.within("pi-2", "ip", "address", "del", f"{before}/24", "dev", "eth0")
        world.network.within("pi-2", "ip", "address", "add", "10.77.0.99/24", "dev", "eth0")
        world["pi-2"].start()
        world.all_hear_all(60)
        checks.equal(world["pi-3"].alive(), NAMES, "all are there again")
        world.stop_writing()
        world.heal()
        world.check_memory()
    checks.finish()


if __name__ == "__main__":
    main()

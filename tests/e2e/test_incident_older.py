#!/usr/bin/env python3
"""A node that is started in the midst of trouble: an incident that began before anything is known of
it stays open, and who breaks meanwhile is suspected all the same."""
import datetime
import threading
import time

import common
from test_incident import Shop, incidents, stop

PAST_S = 780  # of the shop; what is older than a quarter of an hour is not learned from


class Legacy(threading.Thread):
    """A service of which half fails, for 25 minutes already."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.done = path, threading.Event()
        begin = time.time() - 3600
        common.write(path, "".join(self.line(begin + s, s, s > 2100) for s in range(0, 3600, 2)))

    @staticmethod
    def line(at, number, broken=True):
        status = 503 if broken and number // 2 % 2 else 200
        stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(at))
        return f'10.0.0.1 - - [{stamp}] "GET / HTTP/1.1" {status} 12 "-" "t" 0.010\n'

    def run(self):
        number = 0
        while not self.done.wait(0.5):
            number += 2
            with open(self.path, "a", encoding="utf-8") as out:
                out.write(self.line(time.time(), number))


def of(port, service):
    return [i for i in incidents(port) if i["service"] == service]


def suspects(incident):
    return [e["entry"] for e in incident["evidence"] if e["kind"] == "suspects"]


def main():
    checks = common.Checks()
    root = common.scratch("incident-older")
    port = common.free_port()
    shop, legacy = Shop(root), Legacy(f"{root}/access/legacy.log")
    begin = time.time() - PAST_S
    for i in range(PAST_S * 4):
        shop.request(begin + i / 4)
    config = common.write(f"{root}/nines.yaml", common.node_yaml(port, f"""sources:
  - name: pods
    paths: ["{root}/pods/*/*/*.log"]
incidents:
  sources: [pods]
"""))
    common.write(f"{root}/slos/checkout.yaml", common.ratio_slo(
        "checkout", f'paths: ["{root}/pods/shop_web-*/*/*.log"]', "status < 500",
        total="status > 0", window="1h"))
    common.write(f"{root}/slos/legacy.yaml", common.ratio_slo(
        "legacy", f'paths: ["{root}/access/legacy.log"], format: nginx', "status < 500", "", "0.99",
        "1h"))
    shop.start()
    legacy.start()
    with common.Agent(config, f"{root}/state", port, log=f"{root}/agent.log") as agent:
        older = common.wait_until(lambda: of(port, "legacy-service"), 120, "the older incident")[0]
        print(f"{older['id']}: {older['title']}", flush=True)
        began = datetime.datetime.fromisoformat(older["began"].replace("Z", "+00:00")).timestamp()
        checks.that(began < begin, f"it began {begin - began:.0f} s before all that is known")
        time_broken = time.time()
        shop.broken = True
        newer = common.wait_until(lambda: of(port, "checkout-service"), 120, "the newer incident")[0]
        checks.that(newer["id"] != older["id"], "what breaks now is an incident of its own")
        common.wait_until(lambda: suspects(of(port, "checkout-service")[0]), 90, "suspects")
        print(f"somebody is suspected {time.time() - time_broken:.0f} s after it broke", flush=True)
        first = next(e for e in suspects(of(port, "checkout-service")[0])
                     if e["details"]["rank"] == "1")
        checks.equal(first["details"]["service"], "pay", f"the first suspect: {first['text']}")
        checks.that(of(port, "legacy-service")[0]["state"] in ("open", "acknowledged"),
                    "the older incident is open all the time")
        stop(checks, agent)
    shop.done.set()
    legacy.done.set()
    checks.finish()


if __name__ == "__main__":
    main()

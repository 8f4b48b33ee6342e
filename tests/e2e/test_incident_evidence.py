#!/usr/bin/env python3
"""What an incident knows of itself, on a live agent: a bad deploy, told through `nines annotate`, is
the first suspect; bad events, requests and users are those that the generator wrote, to the last
one; the budget spent is what `nines slo status` says; the class is right; diagnostics are there,
also after kill -9, over which the count of users goes on to the last one; and who reads
`nines incident show` or the review finds all of it."""
import json
import time

import common
import test_incident

USERS = 97


class Shop(test_incident.Shop):
    """A front door that calls `pay`; `mail` has requests of its own. While `broken`, pay fails in
    two of three requests. Remembers what it wrote."""

    def __init__(self, root):
        super().__init__(root)
        self.answers = []  # (time, user, bad) of each
        self.named = "user"

    def request(self, at):
        self.number += 1
        self.trace = f"t{self.number:08d}"
        bad = self.broken and self.number % 3 != 0
        user = f"{self.named}-{self.number * 31 % USERS}"
        self.line("web-5d8f4-aaaaa", at, "info", f"order {self.number} comes in")
        self.line("pay-7c9f6-bbbbb", at + .002, "info", f"charging card of order {self.number}")
        if bad:
            self.line("pay-7c9f6-bbbbb", at + .004, "error", f"no field total in order {self.number}")
        else:
            self.line("pay-7c9f6-bbbbb", at + .004, "info", f"charged {self.number} cents")
        answered = at + .008
        self.line("web-5d8f4-aaaaa", answered, "info", "order answered", status=502 if bad else 200,
                  user_id=user)
        self.answers.append((int(answered), user, bad))
        self.trace = f"m{self.number:08d}"
        self.line("mail-66d5c-ccccc", at, "info", f"letter {self.number} is out")


class World:
    def __init__(self, checks):
        self.checks, self.root, self.port = checks, common.scratch("evidence"), common.free_port()
        self.state = f"{self.root}/state"
        self.shop = Shop(self.root)
        begin = time.time() - 600
        for i in range(2400):
            self.shop.request(begin + i / 4)
        self.config = common.write(f"{self.root}/nines.yaml", common.node_yaml(self.port, f"""sources:
  - name: pods
    paths: ["{self.root}/pods/*/*/*.log"]
    user: user_id
incidents:
  sources: [pods]
"""))
        common.write(f"{self.root}/slos/checkout.yaml", common.ratio_slo(
            "checkout", f'paths: ["{self.root}/pods/shop_web-*/*/*.log"]', "status < 500",
            total="status > 0", window="1h"))

    def start(self):
        return common.Agent(self.config, self.state, self.port, log=f"{self.root}/agent.log")

    def nines(self, *arguments):
        done = common.run(common.tool("NINES_BIN"), *arguments, "--agent",
                          f"127.0.0.1:{self.port}", timeout=30)
        self.checks.equal(done.returncode, 0, f"nines {' '.join(arguments)}: {done.stderr.decode()}")
        return done.stdout.decode()

    def incidents(self):
        status, body = common.get(self.port, "/api/incidents?state=all")
        return json.loads(body) if status == 200 else []

    def evidence(self, one, name):
        """The evidence that counts now, of `suspects` or `diagnostics`."""
        by_number = {e["number"]: e["entry"] for e in one["evidence"]}
        return [by_number[number] for number in one[name]]


def breaks(world):
    """A deploy, and from then on pay fails; then nothing is written any more."""
    checks, shop = world.checks, world.shop
    world.nines("annotate", "--kind", "deploy", "--service", "pay", "--text", "1.4.2", "--state",
                world.state)
    shop.broken = True
    common.wait_until(world.incidents, 90, "an incident")
    common.wait_until(lambda: world.incidents()[0]["failure_class"], 60, "its class")
    at_first = world.incidents()[0]
    checks.that(at_first["impact"] is not None, "what it costs is told when it opens")
    checks.that(len(at_first["diagnostics"]) >= 6, "and so are diagnostics")
    time_of = time.time()
    common.wait_until(lambda: time.time() > time_of + 20, 40, "twenty seconds of it")
    shop.done.set()
    shop.join()
    written = time.time()
    # The last word of what began less than two minutes ago.
    return common.wait_until(
        lambda: next((i for i in world.incidents()
                      if int(i["impact"]["until"]) > written + 10), None), 240, "its impact at the end")


def costs_are_exact(world, one):
    checks, impact = world.checks, one["impact"]
    since, until = int(impact["since"]), int(impact["until"])
    answers = [a for a in world.shop.answers if since <= a[0] < until]
    bad = [a for a in world.shop.answers if a[2]]
    checks.that(all(since <= a[0] < until for a in bad), "all that failed did so since the onset")
    checks.equal(int(impact["bad"]), len(bad), "bad events are those that were written")
    checks.equal(int(impact["all"]), len(answers), "of all events since the onset")
    checks.equal(impact["users"], str(len({a[1] for a in bad})), "users who met a bad event")
    checks.equal(int(impact["failed"]), len(bad), "requests with an error line")
    checks.equal(sorted(impact["siblings"].split(", ")), ["checkout-service", "pay"],
                 "services that these requests share; mail is none of them")
    status = json.loads(world.nines("slo", "status", "-o", "json"))[0]
    checks.equal(float(impact["consumed"]), status["error_budget_consumed"],
                 "budget consumed, as the status says")
    checks.equal(float(impact["spent"]), status["error_budget_consumed"],
                 "all of it was spent by this incident")
    print(f"{len(bad)} bad of {len(answers)} events, {impact['users']} users, "
          f"{100 * float(impact['spent']):.1f} % of the budget: as written")


def users_go_on(world):
    """After kill -9: guests, whom the life before has not seen, and no user but those twice."""
    checks, shop = world.checks, world.shop
    shop.named = "guest"
    for _ in range(60):
        shop.request(time.time())
        time.sleep(.1)  # the pace of what is written
    written = time.time()
    one = common.wait_until(
        lambda: next((i for i in world.incidents() if int(i["impact"]["until"]) > written + 5), None),
        240, "its impact after kill -9", poll=1)
    bad = {a[1] for a in shop.answers if a[2]}
    guests = sum(user.startswith("guest") for user in bad)
    checks.that(guests > 20, f"{guests} guests met a bad event")
    checks.equal(one["impact"]["users"], str(len(bad)), "users over kill -9, exactly")
    print(f"{one['impact']['users']} users, {guests} of them since kill -9: as written")


def causes_are_named(world, one):
    checks = world.checks
    suspects = world.evidence(one, "suspects")
    first = suspects[0]["details"]
    checks.equal((first.get("kind"), first["service"]), ("deploy", "pay"),
                 f"the deploy is the first suspect: {[s['text'] for s in suspects]}")
    checks.equal(suspects[1]["details"]["service"], "pay", "then the service that it broke")
    checks.that("wrong_if" in first and "errors began before" in first["wrong_if"],
                "and what would make that wrong")
    checks.equal(one["failure_class"]["class"], "bad_deploy", "the kind of failure")
    checks.that(float(one["failure_class"]["weight"]) > 4 and one["failure_class"]["why-1"] != "",
                f"with its weight and why: {one['failure_class']}")


def diagnostics_are_there(world, one):
    checks = world.checks
    parts = {}
    for page in world.evidence(one, "diagnostics"):
        if "part" in page["details"]:  # else it is of Kubernetes, the kernel, a metric
            parts.setdefault(page["details"]["part"], []).append(page)
    checks.equal(sorted(parts), ["changes", "examples", "log", "node", "pods", "templates"],
                 "what was looked at")
    def lines(part):
        return [v for page in parts[part] for k, v in page["details"].items() if k.isdigit()]
    checks.that(any("no field total" in line for line in lines("log")),
                f"lines around the first suspect's: {lines('log')}")
    checks.that(any(line.startswith("pay now logs") for line in lines("examples")),
                f"what the suspect logs now: {lines('examples')}")
    checks.that(any("deploy" in line and "pay" in line and "1.4.2" in line for line in lines("changes")),
                f"the last changes: {lines('changes')}")
    checks.that(any(line.startswith("memory used") for line in lines("node")),
                f"how the node is: {lines('node')}")


def is_shown(world, one):
    checks, name = world.checks, one["id"]
    shown = world.nines("incident", "show", name)
    print(shown)
    for part in ("Impact, as of", "users met a bad event", "the error budget of 1h",
                 "1. deploy of pay (1.4.2)", "a bad deploy or change, not confirmed", "Diagnostics",
                 "no field total"):
        checks.that(part in shown, f"it is shown: {part!r}")
    checks.that("deploy of pay" in world.nines("incident", "list"), "the list names the deploy")
    checks.that("It looks like a bad deploy" in world.nines("incident", "narrative", name),
                "the story says what it looks like")
    review = world.nines("incident", "postmortem", name)
    for part in ("Kind: failure class bad_deploy", "users met a bad event", "deploy of pay (1.4.2)"):
        checks.that(part in review, f"the review says {part!r}")


def main():
    checks = common.Checks()
    world = World(checks)
    world.shop.start()
    with world.start() as agent:
        common.wait_until(lambda: agent.slos().get("checkout", {}).get("total", 0) > 2450, 60, "counts")
        one = breaks(world)
        checks.equal(len(world.incidents()), 1, "there is one incident")
        costs_are_exact(world, one)
        causes_are_named(world, one)
        diagnostics_are_there(world, one)
        is_shown(world, one)
        before = world.incidents()[0]
        agent.wait_for_commits()
        agent.kill()
    with world.start() as agent:
        after = common.wait_until(world.incidents, 30, "incidents after kill -9")[0]
        for part in ("id", "failure_class", "suspects", "diagnostics"):
            checks.equal(after[part], before[part], f"{part} after kill -9")
        known = {e["number"]: e for e in after["evidence"]}
        checks.that(all(known.get(e["number"]) == e for e in before["evidence"]),
                    "all evidence is there after kill -9")
        diagnostics_are_there(world, after)
        users_go_on(world)
    checks.finish()


if __name__ == "__main__":
    main()

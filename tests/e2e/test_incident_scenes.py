#!/usr/bin/env python3
"""Named failures of a small shop (scenes.py), replayed through `agent --once --clock log` on top of
two healthy days: each is one incident, opened within ten seconds of the condition that says so,
with the right first suspect; it is over after the repair, and is the same incident when the failure
comes back within half an hour. And healthy weeks, in which nothing pages.

    test_incident_scenes.py              a week of two seeds, and all scenes
    NINES_LONG=1 ...                     a month of three seeds, and all scenes of three
    NINES_SCENE=slow_db,broker ...       only these, no weeks; NINES_SEED, NINES_TOLD=1: print all
"""
import copy
import datetime
import os
import re
import signal
import time

import common
import scenes
from scenes import DAY, HOUR, MINUTE, Fault

PAST = 2 * DAY + 10 * HOUR  # healthy, from a Monday on
AGAIN = 15 * MINUTE
BACK = 5 * MINUTE  # after it was over


class Scene:
    """What fails, who must be suspected first (none: no service logs what would tell), and how long
    after the first sign it is opened at the latest."""

    def __init__(self, target, suspect, within_s, contains="", lasts_s=20 * MINUTE):
        self.target, self.suspect, self.within_s = target, suspect, within_s
        self.lasts_s = lasts_s
        self.contains = contains  # in the title


# How long it takes is the arithmetic of the rules: a burn rate of 14.4 over an hour, where a fifth
# of the requests fails; six times the longest silence of a service; ten seconds of a kernel's word.
SCENES = {
    "killed": Scene("payments", "payments", 20 * MINUTE),
    "broker": Scene("broker", "broker", 20 * MINUTE),
    "malformed": Scene("worker", "worker", 40 * MINUTE, lasts_s=45 * MINUTE),
    "disk": Scene("db", "db", 20 * MINUTE),
    "slow_db": Scene("db", "db", 40 * MINUTE, lasts_s=45 * MINUTE),
    "bad_deploy": Scene("api", "api", 20 * MINUTE),
    "oom": Scene("payments", "payments", 10, "killed payments for want of memory"),
    "crash_loop": Scene("orders", "orders", 5 * MINUTE, "restarts"),
    "voltage": Scene("c", None, 20, "voltage"),
}
SECTIONS = ("Incident Summary", "Timeline", "Root Cause Analysis", "Resolution", "Lessons Learned",
            "Action Items", "Prevention")


def start_of(days):
    return scenes.monday(time.time() - (days + 8) * DAY)


def replay(checks, root, paths, name, extra="", state=None):
    common.write(f"{root}/{name}.yaml",
                 scenes.configuration(paths, f"slos: [{name}-slos.yaml]\n{extra}"))
    common.write(f"{root}/{name}-slos.yaml", scenes.slos(paths))
    began = time.monotonic()
    done = common.run(common.tool("NINES_BIN"), "agent", "--once", "--clock", "log", "--config",
                      f"{root}/{name}.yaml", *(["--state", state] if state else []), timeout=1200)
    news = done.stderr.decode()
    common.write(f"{root}/{name}.txt", news)
    if not checks.equal(done.returncode, 0, f"{name}: the replay ends well"):
        print(news[-2000:])
    return news, time.monotonic() - began


NEWS = re.compile(r"^(\S+Z) (INC-[0-9-]+) (.*)$")


def at(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def incidents_of(news):
    """id -> [(time, what)], in order."""
    found = {}
    for line in news.splitlines():
        if match := NEWS.match(line):
            found.setdefault(match[2], []).append((at(match[1]), match[3]))
    return found


def suspects_of(told, before):
    """As they were told last, in their order."""
    names = []
    for when, what in told:
        if what.startswith("suspects: ") and when <= before:
            names = [part.split(";")[0].strip() for part in what[len("suspects: "):].split(" | ")]
    return names


def when(told, what, default=0.0):
    return next((at_s for at_s, text in told if text.startswith(what)), default)


def healthy(checks, seed, days, per_minute):
    root = common.scratch(f"healthy-{seed}")
    began = time.monotonic()
    shop = scenes.Shop(f"{root}/logs", seed, start_of(days), per_minute)
    shop.live(days * DAY)
    made = time.monotonic() - began
    news, took = replay(checks, root, [f"{root}/logs"], "healthy")
    pages = [line for line in news.splitlines() if " FIRED " in line]
    opened = incidents_of(news)
    print(f"seed {seed}: {days} days, {shop.written} lines (written in {made:.0f} s, replayed in "
          f"{took:.0f} s): {len(opened)} incidents, {len(pages)} alerts", flush=True)
    for line in news.splitlines():
        if " FIRED " in line or " opened: " in line:
            print("   " + line)
    checks.equal(len(opened), 0, f"seed {seed}: incidents in {days} healthy days")
    checks.equal(len(pages), 0, f"seed {seed}: alerts in {days} healthy days")


def play(checks, root, kind, past, name, faults, state=None, extra=""):
    """What happens after the past, with these faults; what the agent told of it."""
    shop = copy.deepcopy(past)
    shop.root = f"{root}/{name}"
    shop.live(max(f.end for f in faults) + 150 * MINUTE - shop.now, faults)
    news, took = replay(checks, root, [past.root, shop.root], name, extra, state)
    if os.environ.get("NINES_TOLD"):
        print("\n".join("    " + line[:2000] for line in news.splitlines()))
    return news, took


def scene(checks, root, kind, past):
    what = SCENES[kind]
    begin = past.now + 30 * MINUTE
    first = Fault(kind, what.target, begin, begin + what.lasts_s)
    news, took = play(checks, root, kind, past, f"{kind}-once", [first])
    found = incidents_of(news)
    if not checks.equal(len(found), 1, f"{kind}: incidents"):
        print("\n".join("    " + line[:300] for line in news.splitlines()))
    if not found:
        return
    told = next(iter(found.values()))
    opened, over = when(told, "opened"), when(told, "is over")
    alert = min((at(line.split()[0]) for line in news.splitlines() if " FIRED " in line),
                default=opened)
    names = suspects_of(told, first.end)
    title = next(text for _, text in told if text.startswith("opened"))
    print(f"{kind}: opened {opened - begin:.0f} s after the fault, over {over - first.end:.0f} s "
          f"after its end; suspects {', '.join(names) or 'none'} ({took:.0f} s)\n    {title}",
          flush=True)
    checks.that(0 <= opened - begin <= what.within_s, f"{kind}: opened {opened - begin:.0f} s after")
    checks.that(opened - alert <= 10, f"{kind}: opened within ten seconds of the alert")
    checks.that(what.contains in title, f"{kind}: {title!r} says {what.contains!r}")
    if what.suspect:
        checks.equal(names[:1], [what.suspect], f"{kind}: first suspect of {names}")
    if checks.that(over > first.end, f"{kind}: it is over after the repair"):
        comes_back(checks, root, kind, past, first, over)


def comes_back(checks, root, kind, past, first, over):
    """The same again, half an hour later at most; and the review of it all."""
    again = Fault(kind, first.target, over + BACK, over + BACK + AGAIN)
    port = common.free_port()
    state = f"{root}/{kind}-state"
    news, _ = play(checks, root, kind, past, f"{kind}-twice", [first, again], state,
                   f"listen: 127.0.0.1:{port}\n")
    found = incidents_of(news)
    if not checks.equal(len(found), 1, f"{kind}: incidents when it comes back"):
        print("\n".join("    " + line[:300] for line in news.splitlines()))
    for name, told in found.items():
        back = when(told, "is back")
        print(f"    back {back - again.begin:.0f} s after the fault; {len(told)} news", flush=True)
        checks.that(again.begin < back < over + 30 * MINUTE, f"{kind}: it is reopened")
        checks.equal(told[-1][1], "is over", f"{kind}: and over in the end")
    review(checks, root, kind, port, state, next(iter(found)))


def review(checks, root, kind, port, state, name):
    what = SCENES[kind]
    with common.Agent(f"{root}/{kind}-twice.yaml", state, port, log=f"{root}/agent.log") as agent:
        common.wait_until(lambda: common.get(port, "/api/incidents?state=all")[0] == 200, 60, "API")
        done = common.run(common.tool("NINES_BIN"), "incident", "postmortem", name, "--agent",
                          f"127.0.0.1:{port}")
        text = done.stdout.decode()
        common.write(f"{root}/{kind}.md", text)
        heads = re.findall(r"^## (.*)$", text, re.M)
        checks.equal(tuple(heads), SECTIONS, f"{kind}: sections of the review")
        checks.that(what.suspect is None or what.suspect in text, f"{kind}: it names {what.suspect}")
        checks.that("came back 1 time" in text, f"{kind}: it says that it came back")
        agent.process.send_signal(signal.SIGTERM)
        checks.equal(agent.process.wait(timeout=60), 0, f"{kind}: the agent stops")
    if os.environ.get("NINES_TOLD"):
        print(text)


def main():
    checks = common.Checks()
    only = [name for name in os.environ.get("NINES_SCENE", "").split(",") if name]
    long = bool(os.environ.get("NINES_LONG"))
    if not only:
        for seed in (1, 2, 3) if long else (1, 2):
            healthy(checks, seed, 30 if long else 7, 12)
    root = common.scratch("scenes")
    seeds = (1, 2, 3) if long else (int(os.environ.get("NINES_SEED", "1")),)
    for seed in seeds:
        past = scenes.Shop(f"{root}/past-{seed}", seed, start_of(4), 20)
        past.live(PAST)
        for kind in only or SCENES:
            scene(checks, f"{root}/{seed}", kind, past)
    checks.finish()


if __name__ == "__main__":
    main()

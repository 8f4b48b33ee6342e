"""Clocks that jump, drift, and begin in 1970."""
import ctypes
import datetime
import os
import time

import common
import injection
import world
from trial import LONG, Skipped, case, rounds

DAY = 86400


def shown(node):
    """What the agent takes for now, in seconds."""
    text = node.status().get("now", "1970-01-01T00:00:00Z")
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def events_total(node):
    return tuple(int(node.metric("nines_slo_events_total", f'{{slo="web",service="web-service",result="{r}"}}')
                     or 0) for r in ("good", "bad"))


class Clocked(world.Node):
    """Agent and writer have the same wrong clock, as on one machine."""

    def __init__(self, test, first=0, **options):
        super().__init__(test, **options)
        self.clock = injection.FalseClock(test, f"{first:+d}s")
        self.ahead = first

    def jump(self, ahead_s):
        """Its lines cannot be told apart by time, but all of them count."""
        self.ahead = ahead_s
        self.clock.tell(f"{ahead_s:+d}s")
        if self.writer is not None:
            self.writer.clock_ahead_s = ahead_s
        common.wait_until(lambda: abs(shown(self) - time.time() - ahead_s) < 5, 30,
                          f"the agent sees {ahead_s:+d} s")


def goes_on(node, lines):
    begun = sum(events_total(node))
    common.wait_until(lambda: sum(events_total(node)) >= begun + lines, 60, f"{lines} more lines counted")


@case(20, "clock jumps +3 d, back, -1 h, back", "libfaketime, told anew while the agent runs; the monotonic"
      " clock stays right", (1, 5, 7))
def jumps(test):
    with Clocked(test) as node:
        node.start(env=node.clock.env)
        node.write(2)
        goes_on(node, 40)
        seen = []
        for ahead in (3 * DAY, 0, -3600, 0) * rounds(1, 5):
            node.jump(ahead)
            seen.append(f"{shown(node) - time.time():+.0f} s")
            goes_on(node, 40)
            test.that(node.agent.alive(), "it lives")
        test.proof(len(seen) >= 4, f"the agent's clock showed {', '.join(seen)} of the true time")
        node.stop_writing()
        wanted = node.recount()
        try:
            common.wait_until(lambda: events_total(node) == wanted, 60, "")
        except TimeoutError:
            pass
        test.equal(events_total(node), wanted, "nines_slo_events_total")
        test.saw(f"{sum(wanted)} events, {sum(events_total(node))} counted; FIRED"
                 f" {node.own_log().count('FIRED')} times")
        test.equal(node.own_log().count("FIRED"), 0, "no page for a clock")
        node.note_memory()


@case(21, "clock drifts slowly, forwards and backwards", "libfaketime: 3 % too fast, then 3 % too slow",
      (1, 5, 7))
def drifts(test):
    for share in (0.03, -0.03):
        with Clocked(test, extra="", name=f"drift{'-' if share < 0 else ''}") as node:
            node.clock.tell(f"+0s x{1 + share}")
            began = time.time()
            node.start(env=node.clock.env)
            node.write(2)
            until = time.monotonic() + (600 if LONG else 20)
            while time.monotonic() < until:
                node.writer.clock_ahead_s = share * (time.time() - began)
                time.sleep(0.2)
            apart = shown(node) - time.time()
            test.proof(apart * share > 0 and abs(apart) > 0.3 * abs(share) * (time.time() - began),
                       f"the agent's clock was {apart:+.2f} s off after {time.time() - began:.0f} s")
            node.settles(f"{100 * share:+.0f} %", again=False)


UNSYNCHRONISED = r"""
#include <stdlib.h>
#include <sys/timex.h>
#include <unistd.h>
int adjtimex(struct timex *state) {  /* as NTP says before and after it has set the clock */
  int set = access(getenv("CLOCK_IS_SET"), F_OK) == 0;
  state->status = set ? 0 : STA_UNSYNC;
  return set ? TIME_OK : TIME_ERROR;
}
"""


def young_machine(up_s):
    """What is started from now on sees a monotonic clock of a machine that came up so long ago."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(0x80) != 0:  # CLONE_NEWTIME, of children
        raise Skipped(f"no time namespace: {os.strerror(ctypes.get_errno())}")
    back = int(time.monotonic()) - up_s
    boot = int(time.clock_gettime(time.CLOCK_BOOTTIME)) - up_s
    with open("/proc/self/timens_offsets", "w") as f:
        f.write(f"monotonic -{back} 0\nboottime -{boot} 0\n")


@case(22, "1970: a Pi without a clock battery counts before NTP has set its clock",
      "libfaketime shows 1970, a time namespace a machine 20 s up, adjtimex an unset clock; then NTP sets it",
      (1, 5, 7), root=True, needs=("cc",))
def before_ntp(test):
    is_set = f"{test.folder}/clock-is-set"
    preload = injection.library(test, "adjtimex", UNSYNCHRONISED)
    young_machine(20)
    with Clocked(test, 120 - int(time.time())) as node:
        env = {**node.clock.env, "CLOCK_IS_SET": is_set}
        env["LD_PRELOAD"] = f"{preload}:{env['LD_PRELOAD']}"
        node.start(env=env)
        node.write(2)
        node.writer.clock_ahead_s = node.ahead
        common.wait_until(lambda: os.path.getsize(node.log) > 8000, 60, "lines are written")
        test.proof(shown(node) < DAY and "Jan/1970" in open(node.log).read(),
                   f"the agent saw {node.status()['now']}, as did the log")
        code, body = common.get(node.port, "/readyz")
        test.that(code == 503 and b"clock" in body, f"it says that it waits: {code} {body}")
        node.kill()  # as a Pi whose plug is pulled: nothing was committed, all is read again
        node.start(env=env)
        common.wait_until(lambda: os.path.getsize(node.log) > 16_000, 60, "more lines of 1970")
        test.equal(node.counts(), (0, 0), "nothing is counted in 1970")
        node.jump(0)
        open(is_set, "w").close()
        common.wait_until(lambda: common.get(node.port, "/readyz")[0] == 200, 60, "it is ready")
        node.settles("1970, then the true time", again=False)

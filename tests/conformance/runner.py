"""Plays a scenario in one of four ways and says what was lost or doubled."""
import collections
import os
import random
import signal
import time

import model
import programs

WAYS = ("tail", "tail+kill", "agent", "agent+kill")
XFAIL_SECONDS = 8  # how long a scenario that is expected to fail may take to pass all the same


class Wrong(Exception):
    pass


def ways_of(scenario):
    return [w for w in WAYS if w.split("+")[0] in scenario.ways
            and not (w.endswith("+kill") and scenario.no_kill)]


def seconds_of(scenario, way):
    return XFAIL_SECONDS if model.mark_of(scenario, way) else scenario.seconds


def play(scenario, way, folder, seed):
    """Raises Wrong; returns a remark."""
    root = os.path.join(folder, "files")
    os.makedirs(root)
    os.chmod(folder, 0o755)
    world = model.World(root)
    chance = random.Random(f"{seed}/{scenario.name}/{way}")
    try:
        player = PlayTail if way.startswith("tail") else PlayAgent
        return player(scenario, world, folder, chance, way.endswith("+kill")).play()
    finally:
        world.close()


# --- tail ----------------------------------------------------------------------------------------
def show(record):
    text = str(record.get("raw", dict(record)))
    return repr(text if len(text) <= 120 else text[:80] + f"...({len(text)})")


def compare(wanted, printed, what):
    """Exact records in order."""
    for n, (w, p) in enumerate(zip(wanted, printed)):
        if not model.matches(w, p):
            keys = {k: p.get(k, p.get("fields", {}).get(k)) for k in w}
            raise Wrong(f"{what}: record {n} is {show(keys)}, expected {show(w)}"
                        f" ({len(printed)} records for {len(wanted)})")
    if len(printed) < len(wanted):
        raise Wrong(f"{what}: {len(wanted) - len(printed)} of {len(wanted)} records are missing at "
                    f"the end, first {show(wanted[len(printed)])}")
    if len(printed) > len(wanted):
        raise Wrong(f"{what}: {len(printed) - len(wanted)} records too many, first "
                    f"{show(printed[len(wanted)])}")


def compare_unordered(wanted, printed, what):
    left = list(printed)
    for w in wanted:
        found = next((p for p in left if model.matches(w, p)), None)
        if found is None:
            raise Wrong(f"{what}: {show(w)} is missing among {len(printed)} records")
        left.remove(found)
    if left:
        raise Wrong(f"{what}: {len(left)} records too many, first {show(left[0])}")


def by_source(records):
    out = collections.defaultdict(list)
    for r in records:
        out[r["source"]].append(r)
    return out


def overlap_ok(wanted, first, second, finished, what):
    """A killed run printed `first`, the next one `second`: the first is how the expected records
    begin, the second how they end, and none is missing in between. What both hold was printed
    before the position was saved. A run that came to its end has saved it: nothing comes twice."""
    compare(wanted[:len(first)], first, f"{what}, killed run")
    if len(second) > len(wanted):
        raise Wrong(f"{what}: after the kill {len(second)} records came, {len(wanted)} are there")
    if len(first) + len(second) < len(wanted):
        raise Wrong(f"{what}: {len(wanted) - len(first) - len(second)} of {len(wanted)} lost "
                    "between a kill and the next run")
    if finished and second:
        raise Wrong(f"{what}: {len(second)} records came again after a run that had ended well")
    compare(wanted[len(wanted) - len(second):], second, f"{what}, run after the kill")


class PlayTail:
    def __init__(self, scenario, world, folder, chance, kill):
        self.scenario, self.world, self.chance = scenario, world, chance
        self.tail = programs.Tail(scenario, world, folder)
        self.kill = kill
        self.killed = 0

    def play(self):
        for n, step in enumerate(self.scenario.steps):
            if step.expected is not None:
                self.look(step.expected, f"look at step {n}")
            elif step.do is not None:
                step.do(self.world)
        return f"{self.killed} runs killed" if self.kill else ""

    def look(self, expected, what):
        first, finished = [], False
        if self.kill and self.chance.random() < 0.7:
            first, finished = self.tail.run(kill_after=self.chance.uniform(0.001, 0.03))
            self.killed += not finished
            second, _ = self.tail.run()
            self.judge_killed(expected, first, second, finished, what)
        else:
            self.judge(expected, self.tail.run()[0], what)

    def judge(self, expected, printed, what):
        if isinstance(expected, dict):
            got = by_source(printed)
            for name in sorted(set(expected) | set(got)):
                compare(expected.get(name, []), got.get(name, []), f"{what}, {name}")
        elif self.scenario.any_order:
            compare_unordered(expected, printed, what)
        else:
            compare(expected, printed, what + self.trouble(printed))

    def trouble(self, printed):
        return f" ({self.tail.trouble.strip()})" if not printed and self.tail.trouble else ""

    def judge_killed(self, expected, first, second, finished, what):
        if isinstance(expected, dict):
            a, b = by_source(first), by_source(second)
            for name in sorted(set(expected) | set(a) | set(b)):
                overlap_ok(expected.get(name, []), a.get(name, []), b.get(name, []), finished,
                           f"{what}, {name}")
        elif self.scenario.any_order:
            again = [r for r in second if r not in first]
            compare_unordered(expected, first + again, what)
        else:
            overlap_ok(expected, first, second, finished, what)


# --- agent ---------------------------------------------------------------------------------------
def totals(expected):
    records = [r for part in expected.values() for r in part] \
        if isinstance(expected, dict) else expected
    counted = [r for r in records if r.counted]
    bad = sum(r.bad for r in counted)
    return len(counted) - bad, bad


class PlayAgent:
    def __init__(self, scenario, world, folder, chance, kill):
        self.scenario, self.world, self.chance = scenario, world, chance
        self.agent = programs.Agent(scenario, world, folder)
        self.wanted = (0, 0)
        # Steps before which it is killed; some of them while it is still busy with the last one.
        steps = len(scenario.steps)
        self.kill_before = set(chance.sample(range(steps), min(steps, chance.choice((1, 1, 2, 3)))
                                             )) if kill else set()
        self.unsure = False     # killed: what was counted is counted, but perhaps not yet again
        self.committed = (0, 0)  # counts that no kill can take away
        self.first_look = True
        self.kills = 0

    def play(self):
        try:
            # A scenario that begins with a stop has its first life only when it says start.
            if self.scenario.steps[0].what != "stop":
                self.agent.start()
                # Files must not vanish before a program that runs could have seen them.
                self.until_ready("at the start")
            for n, step in enumerate(self.scenario.steps):
                if n in self.kill_before:
                    self.kill()
                self.perform(step, f"step {n} ({step.what})")
            self.after_all()
        except Wrong as e:
            raise Wrong(f"{e}{self.where_killed()}\n{self.agent.last_words()}") from None
        finally:
            self.agent.end(signal.SIGKILL)
        return f"{self.kills} kills{self.where_killed()}" if self.kill_before else ""

    def where_killed(self):
        return f" [killed before steps {sorted(self.kill_before)}]" if self.kill_before else ""

    def kill(self):
        if not self.agent.running():
            return
        time.sleep(self.chance.choice((0, 0.02, 0.3, 1.1)) * self.chance.random())
        self.agent.end(signal.SIGKILL)
        self.kills += 1
        self.unsure = True
        self.agent.start()

    def perform(self, step, what):
        if step.expected is not None:
            good, bad = totals(step.expected)
            self.wanted = (self.wanted[0] + good, self.wanted[1] + bad)
            self.settle(what)
            if self.first_look:  # what was rotated before a first commit counts as an old archive
                self.commit(what)
            self.first_look = False
        elif step.what == "stop":
            if self.agent.running():
                self.agent.end()
        elif step.what == "start":
            self.agent.start()
        elif step.what == "restart":
            self.agent.end()
            self.agent.start()
        elif step.what == "damage state":
            self.agent.damage_state()
        elif step.do is not None:
            if step.destroys:
                self.commit(f"before {what}")
            step.do(self.world)

    def commit(self, what):
        """What is about to be destroyed must be saved when kills follow: a program that is stopped
        in an orderly way has saved all of it, with no need to guess how long that takes."""
        if not self.kill_before or not self.agent.running():
            return
        if self.unsure:
            self.settle(what, at_least=True)
        if self.committed != self.wanted or self.first_look:
            self.agent.end()
            self.agent.start()
            self.settle(what, at_least=True)
            self.committed = self.wanted

    def settle(self, what, at_least=False):
        """Counts are exactly what they should be, soon. Too many is wrong at once; at_least: what
        was written since the last look may be among them."""
        good, bad = self.wanted
        seen = [None]

        def settled():
            if not self.agent.running():
                raise Wrong(f"{what}: the agent ended by itself")
            seen[0] = self.agent.counts() or seen[0]
            if seen[0] is None:
                return False
            if at_least:
                return seen[0][0] >= good and seen[0][1] >= bad and self.agent.ready()
            if sum(seen[0][:2]) > good + bad:
                raise Wrong(f"{what}: {seen[0][:2]} good and bad, expected {self.wanted}: doubled")
            return seen[0][:2] == (good, bad) and self.agent.ready()

        if not programs.wait_for(settled, seconds_of(self.scenario, "agent+kill" if self.kill_before else "agent")):
            got = seen[0][:2] if seen[0] else None
            raise Wrong(f"{what}: {got} good and bad, expected {self.wanted}")
        self.unsure = False

    def until_ready(self, what):
        def ready():
            if not self.agent.running():
                raise Wrong(f"{what}: the agent ended by itself")
            return self.agent.ready()
        if not programs.wait_for(ready, 90):
            raise Wrong(f"{what}: not ready")

    def after_all(self):
        """Nothing is counted again: not by the next evaluation, not by the next life."""
        if not self.agent.running():
            self.agent.start()
        self.settle("at the end")
        at = self.agent.counts()[2]
        programs.wait_for(lambda: self.agent.counts() and self.agent.counts()[2] != at, 30)
        self.settle("one evaluation later")
        if self.scenario.inputs:
            return
        self.agent.end(self.chance.choice((signal.SIGTERM, signal.SIGKILL)))
        self.agent.start()
        self.settle("after one more start")

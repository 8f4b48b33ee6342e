"""Random histories from a seed: lists of commands as the driver takes them (driver.cpp), in the shapes
that oracle.World.play() takes. The chances are set so that the edges of the definitions are met often:
ends of resolutions, late horizons, exact limits of rates, steps of the clock, restarts.
"""
import random
from fractions import Fraction

NS = 10**9
MINUTE, HOUR, DAY = 60, 3600, 86400
WINDOWS = [60, 70, 300, 900, HOUR, HOUR + 10, 2 * HOUR, 2 * HOUR + 10, 6 * HOUR, DAY, 2 * DAY,
           3 * DAY - 10, 3 * DAY, 3 * DAY + 10, 7 * DAY, 28 * DAY, 30 * DAY, 31 * DAY, 31 * DAY + 10,
           45 * DAY, 90 * DAY, 92 * DAY]
TARGETS = ["0.5", "0.75", "0.9", "0.95", "0.99", "0.995", "0.999", "0.9995", "0.9999", "0.99999",
           "0.123456789", "0.999999999999999999", "0.000001"]
PAIRS = [(HOUR, 300), (6 * HOUR, 30 * MINUTE), (DAY, 2 * HOUR), (3 * DAY, 6 * HOUR), (10 * MINUTE, MINUTE),
         (30 * MINUTE, 300), (7 * DAY, 12 * HOUR), (20, 10)]
AGES = [0, 10, 300, 590, 600, 610, 2 * HOUR - 10, 2 * HOUR, 2 * HOUR + 600, 2 * HOUR + 610, 3 * DAY,
        3 * DAY + HOUR, 3 * DAY + HOUR + 10, 31 * DAY, 31 * DAY + 3 * HOUR, 31 * DAY + 3 * HOUR + 300, 92 * DAY, 93 * DAY,
        93 * DAY + HOUR]
STEPS = [[10], [10, 10, 10, 20], [10, 30, 60, 300], [60, 600, HOUR], [HOUR, 6 * HOUR, DAY],
         [10, 300, DAY, 9 * DAY, 40 * DAY], [10, 20, 60, 2 * HOUR, 3 * DAY]]


class History:
    def __init__(self, seed):
        self.random = r = random.Random(seed)
        self.commands = []
        self.now = 1767225600 + r.choice([0, 10, 50, 3590, r.randrange(400 * DAY)])
        self.steps = r.choice(STEPS)
        self.volume = r.choice([1, 3, 30, 1000, 200000])
        self.coverage = r.choice(["none", "full", "full", "full", "patchy", "sparse"])
        self.lag = r.choice([0, 0, 0, 5, 30, 115, 120, 125, 700])
        self.specs = [self.slo(f"slo{i}") for i in range(r.choice([1, 1, 1, 2, 3]))]
        self.hot = 0  # batches left of the present trouble
        self.trouble = 0.0
        self.exact = None  # a share of bad events to be met exactly
        self.always = self.limit(["0.5", "0.9", "1", "0.01", "0.75"]) if r.random() < 0.1 else None

    def slo(self, name):
        r = self.random
        target = r.choice(TARGETS[:10]) if r.random() < 0.85 else r.choice(TARGETS)
        window = r.choice(WINDOWS) if r.random() < 0.8 else 10 * r.randrange(6, 92 * DAY // 10)
        fields = {"name": name, "service": "shop", "target": target, "window": window,
                  "tier": r.randrange(1, 4)}
        if r.random() < 0.5:
            fields.update(mincov=r.choice(["0", "0.1", "0.5", "0.9", "1"]),
                          late=r.choice([0, 10, 60, 600, HOUR, DAY]),
                          stale=r.choice([10, 120, 600, DAY]))
        if self.coverage in ("patchy", "sparse") and r.random() < 0.7:
            fields["mincov"] = r.choice(["0", "0.01", "0.1"])
        if r.random() < 0.5:
            fields.update(minbad=r.choice([0, 1, 2, 5]), sig=r.choice(["0.0001", "0.01", "0.5", "1", "0.000001"]),
                          resratio=r.choice(["0.9", "1", "0.5", "0.333"]), resevals=r.choice([1, 2, 3]),
                          cooldown=r.choice([0, 10, 60, 900, HOUR]))
        if r.random() < 0.05:
            fields["highvalue"] = 1
        if r.random() < 0.3:
            fields.update(reduce=r.choice(["0.5", "0.25", "0.9"]), freeze=r.choice(["0.1", "0.2"]),
                          spent=r.choice(["0", "0.01", "0.5", "1"]))
        if r.random() < 0.25:
            self.slices(fields)
        if r.random() < 0.15:
            self.calendar(fields)
        if r.random() < 0.2:
            fields["reserve"] = r.choice(["0.25", "0.5", "0.999", "0.01"])
        return fields, self.rules(fields), self.exclusions(fields)

    def slices(self, fields):
        r = self.random
        fields.update(budgeting=r.choice(["timeslices", "ratio_timeslices"]),
                      slice=r.choice([60, 60, 120, 300, 420, HOUR, 5 * HOUR]),
                      slicetarget=r.choice(["0.95", "0.9", "1", "0.5", "0.999"]),
                      onempty=r.choice(["good", "good", "bad", "skip"]),
                      floor=r.choice([0, 0, 1, 10]))
        fields["window"] = max(fields["window"], fields["slice"])
        if self.coverage == "none" or fields.get("mincov") == "0":
            fields["mincov"] = "0.5"  # else each slice of the past would be judged

    def calendar(self, fields):
        r = self.random
        count, unit, usual = r.choice([(1, "day", DAY), (2, "day", 2 * DAY), (1, "week", 7 * DAY),
                                       (1, "month", 30 * DAY), (3, "month", 90 * DAY)])
        zone = r.choice(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata",
                         "Australia/Lord_Howe"])
        anchor = 1735689600 + r.choice([0, 0, 30 * DAY, 4 * DAY, 2 * HOUR + 1800, 59 * DAY])
        fields.update(calendar=f"{count},{unit},{zone},{anchor}", window=usual)

    def exclusions(self, fields):
        r = self.random
        if r.random() < 0.7 and "reserve" not in fields:
            return []
        out = []
        for _ in range(r.randrange(1, 4)):
            begin = self.now + r.choice([-40 * DAY, -DAY, -3600, -300, 0, 60, 600, 6000, DAY]) + r.choice(
                [0, 0, 7, 30])
            length = r.choice([1, 10, 60, 130, 600, HOUR, 5 * HOUR, 3 * DAY])
            out.append((r.choice(["drop", "reserve"] if "reserve" in fields else ["drop"]), begin,
                        begin + length))
        if "reserve" in fields and all(e != "reserve" for e, _, _ in out):
            out.append(("reserve", self.now, self.now + HOUR))
        return out

    def rules(self, slo):
        r = self.random
        most = 1 / (1 - Fraction(slo["target"]))
        out = []
        for i in range(r.choice([0, 1, 2, 3, 4, 6])):
            long, short = r.choice(PAIRS)
            if r.random() < 0.15:
                long = 10 * r.randrange(1, 4 * DAY // 10)
                short = 10 * r.randrange(1, long // 10 + 1)
            factor = r.choice(["14.4", "6", "3", "1", "0.5", "13.44", "0.9333", "2"])
            if Fraction(factor) <= most:
                out.append({"kind": "burn", "name": f"b{i}", "severity": r.choice(["page", "ticket"]),
                            "long": long, "short": short, "factor": factor})
        for i in range(r.choice([0, 0, 1, 2, 3])):
            factor = r.choice(["0.5", "0.9", "1", "0.1", "1.5"])
            if Fraction(factor) <= most:
                out.append({"kind": "budget", "name": f"g{i}",
                            "severity": r.choice(["critical", "page", "ticket", "warning"]),
                            "long": slo["window"], "short": slo["window"], "factor": factor,
                            "for": r.choice([0, 10, 60, 300, HOUR, 2 * HOUR])})
        for i in range(r.choice([0, 0, 0, 1, 2])):
            length = r.choice(WINDOWS)
            out.append({"kind": "threshold", "name": f"t{i}",
                        "severity": r.choice(["critical", "page", "ticket", "warning"]),
                        "long": length, "short": length,
                        "factor": r.choice(["0.5", "0.9", "0.99", "0.995", "0.9999", slo["target"]]),
                        "for": r.choice([0, 10, 60, 300, HOUR, 2 * HOUR])})
        r.shuffle(out)
        return out

    def start(self):
        for fields, rules, excluded in self.specs:
            self.commands.append(("slo", dict(fields)))
            self.commands += [("rule", dict(rule)) for rule in rules]
            self.commands += [("exclude", *e) for e in excluded]
        self.commands.append(("start",))

    def events(self, fields):
        """Good and bad events of one slot."""
        r = self.random
        n = r.randrange(self.volume + 1)
        exact = self.always or self.exact
        if exact is not None and exact.denominator <= 10**5:
            times = 1 + n % (10**6 // exact.denominator)
            return (exact.denominator - exact.numerator) * times, exact.numerator * times
        if r.random() < 0.02:
            return -r.randrange(n + 1), r.randrange(3)  # its other half comes from another source
        budget = 1 - float(fields["target"])
        share = min(1.0, self.trouble * budget)
        bad = round(n * share) if r.random() < 0.5 else sum(r.random() < share for _ in range(min(n, 30)))
        if r.random() < 0.15:
            # Exactly on its target, or beside it.
            bad = int(n * budget) + r.choice([-1, 0, 0, 1])
        bad = max(0, min(n, bad))
        return n - bad, bad

    def mood(self):
        r = self.random
        if self.hot > 0:
            self.hot -= 1
        elif r.random() < 0.3:
            self.hot = r.randrange(1, 12)
            self.trouble = r.choice([0.5, 0.9, 1, 1, 1.1, 2, 6, 15, 100, 1e9])
            self.exact = self.limit() if r.random() < 0.4 else None
        else:
            self.trouble = r.choice([0, 0, 0.4])
            self.exact = self.limit() if r.random() < 0.2 else None

    def limit(self, factors=None):
        """A share of bad events on which some comparison is decided."""
        r = self.random
        fields, rules, _ = r.choice(self.specs)
        factor = Fraction(r.choice(factors or [rule["factor"] for rule in rules] or ["1"]))
        share = (1 - Fraction(fields["target"])) * factor * Fraction(
            r.choice(["1", fields.get("resratio", "0.9")]))
        return share if share <= 1 else None

    def batch(self, step):
        r = self.random
        self.mood()
        deltas = []
        slot = self.now // 10
        for i, (fields, _, _) in enumerate(self.specs):
            if r.random() < 0.1:
                continue
            last = max(1, step // 10)
            slots = range(slot - last, slot) if last <= 6 else sorted(
                slot - 1 - r.randrange(last) for _ in range(r.randrange(1, 6)))
            for s in slots:
                good, bad = self.events(fields)
                covered = 10 if self.coverage == "full" and last <= 6 else 0
                if self.coverage == "patchy":
                    covered = r.choice([0, 3, 10, 10])
                deltas.append([i, s, good, bad, covered])
            if last > 6 and self.coverage == "full":
                # The quiet stretch before now, at most a few hours of it.
                reach = min(step, r.choice([300, 300, 300, 330, 600, 600, 600, HOUR, 2 * HOUR]))
                for begin in range(self.now - reach, self.now, HOUR):
                    deltas.append([i, begin // 10, 0, 0, min(HOUR, self.now - begin)])
            elif self.coverage == "sparse" and r.random() < 0.5:
                deltas.append([i, slot - 1 - r.randrange(40), 0, 0, r.choice([1, 10, 90, 400])])
            if r.random() < 0.15:
                age = r.choice(AGES) if r.random() < 0.7 else r.randrange(94 * DAY)
                good, bad = self.events(fields)
                deltas.append([i, slot - age // 10 + r.choice([-1, 0, 1]), good, bad,
                               r.choice([0, 0, 10, 25])])
            if r.random() < 0.02:
                deltas.append([i, slot + r.choice([1, 6, 30, 8640, 8641, 9000, 20000]), 1, 1,
                               r.choice([0, 10])])
        if r.random() < 0.01:
            deltas.append([9, slot, 4, 5, 10])
        newest = self.now - 1
        if r.random() < 0.05:
            newest = r.choice([0, self.now - HOUR])
        self.commands.append(("batch", newest * NS, deltas))
        if r.random() < 0.1:
            self.commands.append(("sketch", r.randrange(len(self.specs)), self.now // HOUR - r.choice(
                [0, 0, 1, 23, 24, 25]), [r.choice([1, 5.5, 100, 250.25, 9999]) * r.random() + 1e-5
                                         for _ in range(r.randrange(1, 9))]))

    def evaluate(self):
        r = self.random
        watermark = self.now - self.lag
        if r.random() < 0.03:
            watermark -= r.choice([10, 60, 600, HOUR, HOUR + 10, DAY])
        now = self.now
        if r.random() < 0.03:
            now += r.choice([119, 120, 121, 600])
        self.commands.append(("eval", watermark * NS + r.choice([0, 0, 1, NS - 1]), now * NS))
        if r.random() < 0.15:
            again = self.commands[-1]
            if r.random() < 0.5:
                self.batch(10)  # what came late changes what was found for the same end
            self.commands.append(again)
        if r.random() < 0.1:
            length = r.choice(WINDOWS) if r.random() < 0.7 else 10 * r.randrange(1, 92 * DAY // 10)
            back = r.choice([0, 10, 300, HOUR, 3 * HOUR, DAY, 4 * DAY])
            end = self.now - min(back, 92 * DAY - length)
            self.commands.append(("window", r.randrange(len(self.specs)), end * NS, length))

    def new_name(self):
        """One that no SLO has: the engine refuses a second one."""
        taken = {fields["name"] for fields, _, _ in self.specs}
        number = len(self.specs)
        while f"slo{number}x" in taken:
            number += 1
        return f"slo{number}x"

    def restart(self):
        r = self.random
        for i, (fields, rules, excluded) in enumerate(self.specs):
            if r.random() < 0.3:
                # An overlay read at evaluation time: taken away, it brings the counts back.
                excluded = self.exclusions(fields)
                self.specs[i] = (fields, rules, excluded)
            if r.random() < 0.3:
                fields["target"] = r.choice(TARGETS[:10])
                self.specs[i] = (fields, self.rules(fields), excluded)
            elif r.random() < 0.2 and "calendar" not in fields and "budgeting" not in fields:
                fields["window"] = r.choice(WINDOWS)
                self.specs[i] = (fields, self.rules(fields), excluded)
            elif r.random() < 0.2:
                r.shuffle(rules)
                del rules[r.randrange(len(rules) + 1):]
        if r.random() < 0.1:
            self.specs.append(self.slo(self.new_name()))
        if r.random() < 0.1 and len(self.specs) > 1:
            del self.specs[r.randrange(len(self.specs))]
        self.start()

    def make(self):
        r = self.random
        self.start()
        if r.random() < 0.1:
            self.evaluate()  # nothing is known yet
        for _ in range(r.choice([3, 6, 10, 15, 28])):
            step = r.choice(self.steps)
            self.now += step
            if r.random() < 0.02:
                self.now += r.choice([-10, -300, -2 * HOUR, -3 * DAY, HOUR, 100 * DAY])
            if r.random() > 0.05:
                self.batch(step)
            if r.random() < 0.85:
                self.evaluate()
            if r.random() < 0.03:
                self.restart()
        self.evaluate()
        return self.commands


def history(seed):
    return History(seed).make()


def text_of(commands):
    lines = ["case"]
    for verb, *args in commands:
        if verb in ("slo", "rule"):
            lines.append(verb + "".join(f" {k}={v}" for k, v in args[0].items()))
        elif verb == "batch":
            lines.append(f"batch {args[0]} " + " ".join(":".join(map(str, d)) for d in args[1]))
        elif verb == "sketch":
            lines.append(f"sketch {args[0]} {args[1]} " + " ".join(map(repr, args[2])))
        else:
            lines.append(" ".join(map(str, (verb, *args))))
    return "\n".join(lines) + "\n"


def answers_of(commands):
    """How many lines the driver prints for them."""
    return sum(c[0] in ("start", "eval", "window") for c in commands)

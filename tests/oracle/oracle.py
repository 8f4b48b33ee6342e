"""What an SLO engine must say about a history, computed the plain way: every delta ever told is kept
and every number is summed anew from them, in integers and exact fractions. Written from the text of
engine.hpp and the sources of its formulas (SRE Workbook ch. 5, OpenSLO); it shares no code, table or
constant with the program. Slow and simple on purpose.

An answer has the shape of what the driver prints, except that a number which the program gives as a
double is a Fraction here (or a Near, where the definition itself is approximate).
"""
import bisect
import itertools
import math
from fractions import Fraction

NS = 10**9
MINUTE, HOUR, DAY = 60, 3600, 86400

# (slot, longest window answered, how far behind the newest slot it is kept), in seconds.
RESOLUTIONS = [
    (10, 2 * HOUR, 2 * HOUR + 10 * MINUTE),
    (MINUTE, 3 * DAY, 3 * DAY + HOUR),
    (5 * MINUTE, 31 * DAY, 31 * DAY + 3 * HOUR),
    (HOUR, 92 * DAY, 93 * DAY),
]
ALL = range(len(RESOLUTIONS))
LATE_INTO = ALL[1:]
KINDS = ["burn", "budget", "threshold"]
# How soon somebody must look, by severity and tier 1, 2, 3.
PRIORITY = {"critical": (0, 1, 1), "page": (0, 1, 1), "ticket": (2, 2, 3), "warning": (3, 3, 3)}
URGENCY = {"critical": 0, "page": 1, "ticket": 2, "warning": 3}
RISKS = ["SAFE", "OBSERVE", "DANGER", "FREEZE"]
GATES = ["GO", "CAUTION", "HOLD", "FREEZE"]


class Near:
    """A double that may be off by the share `relative`."""

    def __init__(self, value, relative):
        self.value, self.relative = value, relative

    def __repr__(self):
        return f"~{self.value!r}"


def down(value, step):
    return value // step * step


def chance(bad, total, p):
    """P(X >= bad) of Binomial(total, p), by adding up terms; about 9 digits."""
    if bad <= 0:
        return 1.0
    p, q = float(p), float(1 - p)
    log_term = (math.lgamma(total + 1) - math.lgamma(bad + 1) - math.lgamma(total - bad + 1)
                + bad * math.log(p) + (total - bad) * math.log(q))
    upwards = bad > total * p
    term, added, k = 1.0, 0.0, bad
    if upwards:
        while k <= total and term > added * 1e-17:
            added += term
            term *= (total - k) / (k + 1) * p / q
            k += 1
        return min(1.0, added * math.exp(log_term)) if log_term > -700 else 0.0
    while k > 0:
        term *= k / (total - k + 1) * q / p
        k -= 1
        added += term
        if term < added * 1e-17:
            break
    return max(0.0, 1.0 - added * math.exp(log_term))


class Counts:
    """All that was told about one SLO."""

    def __init__(self, late_horizon_s):
        self.late_horizon_s = late_horizon_s
        self.newest = None  # start of the newest 10 s slot, in seconds
        self.first_covered = None
        self.told = [{} for _ in RESOLUTIONS]  # slot start -> [good, bad, covered seconds]
        self.sums = [None] * len(RESOLUTIONS)

    def keeps(self, resolution, at_s):
        if self.newest is None:
            return True
        slot_s, _, kept_s = RESOLUTIONS[resolution]
        return at_s // slot_s * slot_s > self.newest // slot_s * slot_s - kept_s

    def tell(self, at_s, good, bad, covered_s, newest_before):
        """Returns kept, late or dropped. A longer coverage goes on into the slots that follow."""
        fate = self._tell_slot(at_s, good, bad, min(covered_s, 10), newest_before)
        left = min(covered_s, HOUR) - 10
        while left > 0:
            at_s += 10
            self._tell_slot(at_s, 0, 0, min(left, 10), newest_before)
            left -= 10
        return fate

    def _tell_slot(self, at_s, good, bad, covered_s, newest_before):
        late = newest_before is not None and newest_before - at_s > self.late_horizon_s
        if self.newest is None or at_s > self.newest:
            self.newest = at_s
        into = [r for r in (LATE_INTO if late else ALL) if self.keeps(r, at_s)]
        if not into:
            return "dropped"
        if covered_s and (self.first_covered is None or at_s < self.first_covered):
            self.first_covered = at_s
        news = covered_s
        for r in into:
            slot_s = RESOLUTIONS[r][0]
            start = at_s // slot_s * slot_s
            counts = self.told[r].get(start)
            if counts is None:
                counts = self.told[r][start] = [0, 0, 0]
            counts[0] += good
            counts[1] += bad
            # No second is covered twice; what a finer slot knows already is no news to a coarser one.
            news = min(news, slot_s - counts[2])
            counts[2] += news
            self.sums[r] = None
        return "late" if late else "kept"

    def total(self, resolution, from_s, to_s):
        """Of [from_s, to_s); what is kept no more counts nothing."""
        if self.newest is None:
            return [0, 0, 0]
        slot_s, _, kept_s = RESOLUTIONS[resolution]
        from_s = max(from_s, down(self.newest, slot_s) - kept_s + slot_s)
        to_s = max(from_s, to_s)
        if self.sums[resolution] is None:
            starts = sorted(self.told[resolution])
            told = self.told[resolution]
            columns = zip(*[told[s] for s in starts]) if starts else [[], [], []]
            running = [list(itertools.accumulate(c, initial=0)) for c in columns]
            self.sums[resolution] = (starts, running)
        starts, running = self.sums[resolution]
        low, high = bisect.bisect_left(starts, from_s), bisect.bisect_left(starts, to_s)
        return [column[high] - column[low] for column in running]

    def window(self, end_s, length_s):
        """[good, bad, covered, start, end]"""
        r = next((i for i, (_, limit, _) in enumerate(RESOLUTIONS) if length_s <= limit), 3)
        while r < 3 and not self.keeps(r, down(end_s - length_s, RESOLUTIONS[r][0])):
            r += 1
        start = done = down(end_s - length_s, RESOLUTIONS[r][0])
        sums = [0, 0, 0]
        for finer in range(r, -1, -1):
            to = down(end_s, RESOLUTIONS[finer][0])
            if done >= to:
                continue
            if finer != r and not self.keeps(finer, done):
                break
            sums = [a + b for a, b in zip(sums, self.total(finer, done, to))]
            done = to
        return [max(sums[0], 0), max(sums[1], 0), sums[2], start, done]

    def coverage(self, window):
        """None: nothing is known about coverage at all."""
        if self.first_covered is None:
            return None
        known_s = window[4] - max(window[3], self.first_covered)
        return Fraction(window[2], known_s) if known_s > 0 else Fraction(0)


class Rule:
    def __init__(self, fields, order):
        self.name, self.severity = fields["name"], fields["severity"]
        self.kind = fields.get("kind", "burn")
        self.long_s, self.short_s = int(fields["long"]), int(fields["short"])
        self.for_s = int(fields.get("for", 0))
        self.factor = Fraction(fields["factor"])
        self.firing, self.since_ns, self.resolved_s = False, 0, None
        self.calm, self.calm_end = 0, None
        if self.kind == "threshold":
            self.urgency = (URGENCY[self.severity], self.factor, order)
        elif self.kind == "budget":
            self.urgency = (-self.factor, order)
        else:
            self.urgency = (URGENCY[self.severity], self.long_s, order)

    def remember(self, other):
        self.firing, self.since_ns, self.resolved_s = other.firing, other.since_ns, other.resolved_s
        self.calm, self.calm_end = other.calm, other.calm_end


class Slo:
    def __init__(self, fields, rules):
        get = fields.get
        self.name, self.service = fields["name"], get("service", "")
        self.tier = int(get("tier", 3))
        self.target = Fraction(fields["target"])
        self.budget = 1 - self.target
        self.window_s = int(fields["window"])
        self.stale_s = int(get("stale", 120))
        self.min_coverage = Fraction(get("mincov", "0.9"))
        self.min_bad = int(get("minbad", 2))
        self.significance = Fraction(get("sig", "0.01"))
        self.resolve_ratio = Fraction(get("resratio", "0.9"))
        self.resolve_evaluations = int(get("resevals", 2))
        self.cooldown_s = int(get("cooldown", 900))
        self.high_value = bool(int(get("highvalue", 0)))
        self.reduce_below = Fraction(get("reduce", "0.5"))
        self.freeze_below = Fraction(get("freeze", "0.1"))
        self.require_spent = Fraction(get("spent", "0"))
        self.rules = [Rule(r, i) for i, r in enumerate(rules)]
        self.counts = Counts(int(get("late", 600)))
        self.values = {}  # hour -> [values]
        self.newest_hour = None
        self.evaluated = False
        self.newest_before, self.batch = None, None

    def limit(self, rule):
        """The share of bad events above which a rule may fire."""
        return 1 - rule.factor if rule.kind == "threshold" else rule.factor * self.budget

    @staticmethod
    def exceeds(window, limit):
        """bad / total > limit, without a division: both sides are multiplied out."""
        good, bad = window[:2]
        return good + bad > 0 and bad * limit.denominator > limit.numerator * (good + bad)

    def burn(self, window):
        total = window[0] + window[1]
        return Fraction(window[1], total) / self.budget if total else None

    def uncovered(self, window):
        coverage = self.counts.coverage(window)
        return coverage is not None and coverage < self.min_coverage

    def take_values(self, hour, values):
        if self.newest_hour is None or hour > self.newest_hour:
            self.newest_hour = hour
        if hour > self.newest_hour - 24:
            self.values.setdefault(hour, []).extend(values)

    def quantiles(self, end_s):
        if self.newest_hour is None:
            return [None] * 3
        self.newest_hour = max(self.newest_hour, (end_s - 1) // HOUR)
        values = sorted(v for hour, vs in self.values.items()
                        if self.newest_hour - 24 < hour <= self.newest_hour for v in vs)
        if not values:
            return [None] * 3
        # Nearest rank.
        return [Near(values[max(1, -(-len(values) * p // 1000)) - 1], 0.0101)
                for p in (500, 950, 990)]


class World:
    """One case: takes the commands of the driver and answers those that print."""

    def __init__(self):
        self.slos, self.journal = [], []
        self.next, self.orphans = [], []
        self.vague = False  # a decision was too close to call for a double: no comparing after it

    def play(self, command):
        return getattr(self, command[0])(*command[1:])

    def slo(self, fields):
        self.next.append((fields, []))

    def rule(self, fields):
        self.next[-1][1].append(fields)

    def start(self):
        before = self.slos
        self.slos = [Slo(fields, rules) for fields, rules in self.next]
        self.next = []
        self.watermark, self.newest = None, None
        self.late = self.dropped = self.skewed = self.unknown = 0
        names = [s.name for s in self.slos]
        for known, kind, args in self.journal:
            getattr(self, "_" + kind)(*args, [names.index(n) if n in names else None for n in known])
        self.unknown = 0
        rules = {(s.name, r.name): r for s in self.slos for r in s.rules}
        remembered = self.orphans + [(s.name, r) for s in before for r in s.rules]
        self.orphans = []
        for name, rule in remembered:
            if (name, rule.name) in rules:
                rules[name, rule.name].remember(rule)
            elif rule.firing:
                self.orphans.append((name, rule))
        return {"start": []}

    def batch(self, max_ns, deltas):
        merged = {}
        for slo, slot, good, bad, covered in deltas:
            sums = merged.setdefault((slo, slot), [0, 0, 0])
            sums[0] += good
            sums[1] += bad
            sums[2] += covered
        args = (max_ns, sorted((slo, slot, *sums) for (slo, slot), sums in merged.items()))
        names = [s.name for s in self.slos]
        self.journal.append((names, "batch", args))
        self._batch(*args, list(range(len(names))))

    def too_far_ahead(self, slo, at_s, max_ns):
        if not slo.evaluated or slo.counts.newest is None:
            return False
        if max_ns and at_s <= max_ns // NS:
            return False
        return at_s - max(self.newest, down(self.watermark, 10)) > DAY

    def _batch(self, max_ns, deltas, indices):
        before = [s.counts.newest for s in self.slos]
        for slo, slot, good, bad, covered in deltas:
            events = abs(good) + abs(bad)
            index = indices[slo] if slo < len(indices) else None
            if index is None:
                self.unknown += events
                continue
            target, at_s = self.slos[index], slot * 10
            if self.too_far_ahead(target, at_s, max_ns):
                self.skewed += events
                continue
            fate = target.counts.tell(at_s, good, bad, covered, before[index])
            self.late += events if fate == "late" else 0
            self.dropped += events if fate == "dropped" else 0
            newest = [s.counts.newest for s in self.slos if s.counts.newest is not None]
            self.newest = max(newest) if newest else None

    def sketch(self, slo, hour, values):
        names = [s.name for s in self.slos]
        self.journal.append((names, "sketch", (slo, hour, values)))
        self._sketch(slo, hour, values, list(range(len(names))))

    def _sketch(self, slo, hour, values, indices):
        if slo >= len(indices) or indices[slo] is None:
            return
        target = self.slos[indices[slo]]
        if not self.too_far_ahead(target, hour * HOUR, 0):
            target.take_values(hour, values)

    def window(self, slo, end_ns, length_s):
        return {"counts": self.slos[slo].counts.window(down(end_ns // NS, 10), length_s)}

    def eval(self, watermark_ns, now_ns):
        end_s = down(watermark_ns // NS, 10)
        backwards = (self.watermark is not None and end_s < self.watermark
                     and self.watermark - end_s <= HOUR)
        if not backwards:
            self.watermark = end_s
        events = [["resolved", slo, "", rule.name, "", end_s * NS, rule.since_ns,
                   ("configured no more",), 3] for slo, rule in self.orphans]
        self.orphans = []
        slos = [self.judge(s, end_s, watermark_ns, now_ns, backwards, events) for s in self.slos]
        return {"slos": slos, "events": events,
                "counters": [self.late, self.dropped, self.skewed, self.unknown, 0]}

    def judge(self, slo, end_s, watermark_ns, now_ns, backwards, events):
        counts = slo.counts
        slo.evaluated = True
        known = {}

        def window(length_s, end=end_s):
            if (length_s, end) not in known:
                known[length_s, end] = counts.window(end, length_s)
            return known[length_s, end]

        def shown(length_s, end=end_s):
            return [length_s, window(length_s, end), slo.burn(window(length_s, end))]

        whole = window(slo.window_s)
        ever = counts.newest is not None
        total = whole[0] + whole[1]
        consumed = (slo.burn(whole) or Fraction(0)) if ever else None
        burns = [shown(300), shown(HOUR), shown(DAY)]
        composite = None
        if any(b[2] is not None for b in burns):
            composite = sum(Fraction(w) * (b[2] or 0) for w, b in zip(("0.40", "0.35", "0.25"), burns))
        risk = 0
        if composite is not None:
            risk = 0 if composite < 1 else 1 if composite < Fraction(3, 2) else 2 if composite <= 2 else 3
        quantiles = slo.quantiles(end_s)
        blind = not ever or now_ns - watermark_ns > slo.stale_s * NS or slo.uncovered(window(300))

        rules = [None] * len(slo.rules)
        for i in sorted(range(len(slo.rules)), key=lambda i: (KINDS.index(slo.rules[i].kind),
                                                              slo.rules[i].urgency)):
            rules[i] = self.step(slo, slo.rules[i], end_s, blind, backwards, shown, events)

        spent = consumed if consumed is not None else Fraction(0)
        if blind:
            state = "NO_DATA"
        elif total and Fraction(whole[0], total) < slo.target:
            state = "VIOLATED"
        elif (composite is not None and composite >= 1) or any(r.firing for r in slo.rules):
            state = "DEGRADING"
        else:
            state = "HEALTHY"
        coverage = counts.coverage(whole)
        return {
            "slo": slo.name, "service": slo.service, "tier": slo.tier, "target": slo.target,
            "window_s": slo.window_s, "window": whole,
            "sli": Fraction(whole[0], total) if total else None,
            "burns": burns, "composite": composite, "consumed": consumed,
            "remaining": None if consumed is None else 1 - consumed,
            "risk": RISKS[risk], "state": state,
            "gate": self.gate(slo, risk, 1 - spent, spent, blind),
            "coverage": Fraction(0) if coverage is None else min(coverage, Fraction(1)),
            "quantiles": quantiles, "timestamp": now_ns, "rules": rules,
        }

    @staticmethod
    def gate(slo, risk, left, spent, blind):
        by_risk = risk
        by_budget = 0 if left > slo.reduce_below else 2 if left >= slo.freeze_below else 3
        waived = by_risk > 1 and slo.require_spent > 0 and spent < slo.require_spent
        if waived:
            by_risk = 1
        decision = max(by_risk, by_budget, 1 if blind else 0)
        return [GATES[decision], GATES[by_risk], GATES[by_budget], waived, blind]

    def significant(self, slo, rule, window):
        """(whether, probability) of the low-traffic guard."""
        good, bad = window[:2]
        p = chance(bad, good + bad, slo.budget)
        most = float(slo.significance * min(Fraction(1), Fraction(rule.long_s, 3 * DAY)))
        enough = rule.kind != "burn" and slo.limit(rule) * (good + bad) >= slo.min_bad
        if slo.high_value:
            return True, p
        if bad < slo.min_bad:
            return False, p
        if abs(p - most) < 1e-6 * most and not enough:
            self.vague = True
        return enough or p < most, p

    def over(self, slo, rule, long, short):
        """Whether a calm short window is more than an accident of little traffic."""
        good, bad = short[:2]
        limit = slo.limit(rule)
        calm = not slo.exceeds(long, limit * slo.resolve_ratio)
        if limit >= 1:
            return True
        # P(X <= bad) < 1 %: as many good events or more are as unlikely.
        p = chance(good, good + bad, 1 - limit)
        if abs(p - 0.01) < 1e-7 and not calm:
            self.vague = True
        return p < 0.01 or calm

    @staticmethod
    def held_back(slo, rule, end_s):
        for other in slo.rules:
            if other is rule or other.kind != rule.kind:
                continue
            more_urgent = other.urgency < rule.urgency
            if rule.kind != "burn":
                if more_urgent and other.firing:
                    return True
                continue
            if other.firing and (more_urgent or other.severity == rule.severity):
                return True
            if more_urgent and other.resolved_s is not None:
                # The rule's own short window reaches back over that resolution.
                if other.resolved_s <= end_s and end_s - rule.short_s < other.resolved_s:
                    return True
        return False

    def step(self, slo, rule, end_s, blind, backwards, shown, events):
        if rule.kind == "budget":
            long, short = shown(slo.window_s), shown(slo.window_s, end_s - rule.for_s)
            frozen = blind or backwards
        else:
            long, short = shown(rule.long_s), shown(rule.short_s, end_s - rule.for_s)
            frozen = blind or backwards or slo.uncovered(long[1]) or slo.uncovered(short[1])
        held_back = self.held_back(slo, rule, end_s)
        limit = slo.limit(rule)
        condition = slo.exceeds(long[1], limit) and slo.exceeds(short[1], limit)
        sure, p = self.significant(slo, rule, long[1]) if condition else (False, None)

        def event(kind, since_ns, window):
            events.append([kind, slo.name, slo.service, rule.name, rule.severity, end_s * NS, since_ns,
                           (f"{window[1]} of {window[0] + window[1]} events bad", slo.name, rule.name),
                           PRIORITY[rule.severity][slo.tier - 1]])

        if not frozen and rule.firing:
            telling = short[1] if rule.kind == "burn" else long[1]
            if telling[0] + telling[1] > 0:
                if (not slo.exceeds(telling, limit * slo.resolve_ratio)
                        and (rule.kind != "burn" or self.over(slo, rule, long[1], short[1]))):
                    if rule.calm_end != end_s:
                        rule.calm, rule.calm_end = rule.calm + 1, end_s
                else:
                    rule.calm, rule.calm_end = 0, None
                if rule.calm >= slo.resolve_evaluations:
                    event("resolved", rule.since_ns, telling)
                    rule.firing, rule.since_ns, rule.resolved_s = False, 0, end_s
                    rule.calm, rule.calm_end = 0, None
        elif not frozen and sure and not held_back:
            cooling = (rule.resolved_s is not None and rule.resolved_s <= end_s
                       and end_s - rule.resolved_s < slo.cooldown_s)
            if not cooling:
                rule.firing, rule.since_ns, rule.calm, rule.calm_end = True, end_s * NS, 0, None
                event("fired", end_s * NS, long[1])
        return [rule.name, long, short, rule.firing, frozen, condition and not sure,
                None if p is None else Near(p, 1e-6), held_back, rule.since_ns]

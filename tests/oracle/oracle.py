"""What an SLO engine must say about a history, computed the plain way: every delta ever told is kept
and every number is summed anew from them, in integers and exact fractions. Written from the text of
engine.hpp and the sources of its formulas (SRE Workbook ch. 5, OpenSLO); it shares no code, table or
constant with the program. Slow and simple on purpose.

An answer has the shape of what the driver prints, except that a number which the program gives as a
double is a Fraction here (or a Near, where the definition itself is approximate).
"""
import bisect
import calendar
import datetime
import itertools
import math
import zoneinfo
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


class Window:
    """What the driver prints of one, scale 1 unless shares of slices are counted."""

    def __init__(self, good, bad, covered, start, end):
        self.good, self.bad, self.covered, self.start, self.end = good, bad, covered, start, end
        self.scale, self.dropped, self.forgiven, self.excluded_s = 1, [0, 0], 0, 0
        self.reserve = self.reserved_bad = 0

    @property
    def total(self):
        return self.good + self.bad

    def spent(self):
        """(bad, total) of the budget: what is set aside is spent."""
        total = self.total + self.forgiven
        return min(self.bad + self.reserve, total), total

    def shown(self):
        return [self.good, self.bad, self.covered, self.start, self.end, self.scale, *self.dropped,
                self.forgiven, self.excluded_s, self.reserve, self.reserved_bad]


class Excluded:
    """[(effect, from, to)]: whole minutes; where both apply, drop."""

    def __init__(self, spans):
        self.spans = [(e, down(a, MINUTE), -down(-b, MINUTE)) for e, a, b in spans]
        self.by_effect = [(effect, [(a, b) for e, a, b in self.spans if e == effect])
                          for effect in ("drop", "reserve")]

    def effect_at(self, at_s):
        if not self.spans:
            return None
        for effect, spans in self.by_effect:
            for a, b in spans:
                if a <= at_s < b:
                    return effect
        return None

    def name_at(self, at_s):
        """Of the one that began first; the earlier one of two."""
        held = [(a, i) for i, (_, a, b) in enumerate(self.spans) if a <= at_s < b]
        return self.spans[min(held)[1]][0] if held else ""

    def seconds(self, effect, from_s, to_s):
        if from_s >= to_s or all(b <= from_s or to_s <= a for _, a, b in self.spans):
            return 0
        edges = sorted({from_s, to_s, *(x for _, a, b in self.spans for x in (a, b)
                                        if from_s < x < to_s)})
        return sum(b - a for a, b in zip(edges, edges[1:]) if self.effect_at(a) == effect)


class Periods:
    """Windows of the calendar, by the standard library's zones."""

    def __init__(self, text):
        count, self.unit, zone, anchor_s = text.split(",")
        self.count = int(count)
        self.zone = zoneinfo.ZoneInfo(zone)
        self.anchor = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=int(anchor_s))

    def begin(self, k):
        if self.unit == "month":
            months = self.anchor.year * 12 + self.anchor.month - 1 + k * self.count
            year, month = divmod(months, 12)
            last = calendar.monthrange(year, month + 1)[1]
            local = self.anchor.replace(year=year, month=month + 1, day=min(self.anchor.day, last))
        else:
            local = self.anchor + datetime.timedelta(
                days=k * self.count * (7 if self.unit == "week" else 1))
        return int(local.replace(tzinfo=self.zone).timestamp())

    def around(self, at_s):
        days = {"day": 1, "week": 7, "month": 31}[self.unit] * self.count
        k = (at_s - int(self.anchor.replace(tzinfo=datetime.timezone.utc).timestamp())) // (
            days * DAY) - 3
        while self.begin(k + 1) <= at_s:
            k += 1
        return self.begin(k), self.begin(k + 1)


def running_sums(slots):
    """Of {start: [numbers]}: its starts in order, and the sums up to each of them."""
    starts = sorted(slots)
    columns = zip(*map(slots.__getitem__, starts)) if starts else ()
    return starts, [list(itertools.accumulate(column, initial=0)) for column in columns]


def sum_between(sums, from_s, to_s, width=3):
    starts, running = sums
    if not starts:
        return [0] * width
    low, high = bisect.bisect_left(starts, from_s), bisect.bisect_left(starts, to_s)
    return [column[high] - column[low] for column in running]


class Counts:
    """All that was told about one SLO."""

    def __init__(self, late_horizon_s, slice_s, slices_kept_s, excluded):
        self.late_horizon_s = late_horizon_s
        self.slice_s, self.slices_kept_s = slice_s, slices_kept_s
        self.slices = {}  # start -> [good, bad, covered seconds]
        self.judged = None  # sums over `slices`, made by Slo for as long as nothing new is told
        self.excluded = excluded
        # The part of `told` that an exclusion takes out.
        self.out = {effect: [{} for _ in RESOLUTIONS] for effect in ("drop", "reserve")}
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
        newest, into = self.newest, []
        for r in LATE_INTO if late else ALL:
            slot_s, _, kept_s = RESOLUTIONS[r]
            start = at_s - at_s % slot_s
            if start > newest - newest % slot_s - kept_s:
                into.append((r, slot_s, start))
        if not into:
            return "dropped"
        if covered_s and (self.first_covered is None or at_s < self.first_covered):
            self.first_covered = at_s
        news = covered_s
        effect = self.excluded.effect_at(at_s)
        for r, slot_s, start in into:
            counts = self.told[r].get(start)
            if counts is None:
                counts = self.told[r][start] = [0, 0, 0]
            counts[0] += good
            counts[1] += bad
            # No second is covered twice; what a finer slot knows already is no news to a coarser one.
            if news > slot_s - counts[2]:
                news = slot_s - counts[2]
            counts[2] += news
            self.sums[r] = None
            if effect:
                out = self.out[effect][r].setdefault(start, [0, 0, 0])
                out[0], out[1], out[2] = out[0] + good, out[1] + bad, out[2] + news
        if self.slice_s:
            self.judged = None
            counts = self.slices.setdefault(down(at_s, self.slice_s), [0, 0, 0])
            counts[0] += good
            counts[1] += bad
            counts[2] += min(news, self.slice_s - counts[2])
        return "late" if late else "kept"

    def total(self, resolution, from_s, to_s):
        """Of [from_s, to_s); what is kept no more counts nothing."""
        if self.newest is None:
            return [0] * 9
        slot_s, _, kept_s = RESOLUTIONS[resolution]
        from_s = max(from_s, down(self.newest, slot_s) - kept_s + slot_s)
        to_s = max(from_s, to_s)
        if self.sums[resolution] is None:
            self.sums[resolution] = [running_sums(slots[resolution]) for slots in (
                self.told, self.out["drop"], self.out["reserve"])]
        return [n for sums in self.sums[resolution] for n in sum_between(sums, from_s, to_s)]

    def window(self, end_s, length_s, start_s=None):
        """Of events, exclusions taken out."""
        if start_s is None:
            start_s = end_s - length_s
        r = next((i for i, (_, limit, _) in enumerate(RESOLUTIONS) if length_s <= limit), 3)
        while r < 3 and not self.keeps(r, down(start_s, RESOLUTIONS[r][0])):
            r += 1
        start = done = down(start_s, RESOLUTIONS[r][0])
        sums = [0] * 9
        for finer in range(r, -1, -1):
            to = down(end_s, RESOLUTIONS[finer][0])
            if done >= to:
                continue
            if finer != r and not self.keeps(finer, done):
                break
            sums = [a + b for a, b in zip(sums, self.total(finer, done, to))]
            done = to
        good, bad, covered, drop_good, drop_bad, drop_covered, _, reserved_bad, _ = sums
        window = Window(max(good - drop_good, 0), max(bad - drop_bad, 0), covered - drop_covered,
                        start, done)
        window.dropped = [max(drop_good, 0), max(drop_bad, 0)]
        window.reserved_bad = min(max(reserved_bad, 0), window.bad)
        if self.first_covered is not None:
            window.excluded_s = self.excluded.seconds("drop", max(start, self.first_covered), done)
        return window

    def coverage(self, window):
        """None: nothing is known about coverage at all."""
        if self.first_covered is None:
            return None
        known_s = window.end - max(window.start, self.first_covered) - window.excluded_s
        return Fraction(window.covered, known_s) if known_s > 0 else Fraction(0)


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
    def __init__(self, fields, rules, excluded):
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
        self.budgeting = get("budgeting", "occurrences")
        self.slice_s = int(get("slice", 60)) if self.budgeting != "occurrences" else 0
        self.slice_target = Fraction(get("slicetarget", "0.95"))
        self.floor, self.on_empty = int(get("floor", 0)), get("onempty", "good")
        self.reserve = Fraction(get("reserve", "0"))
        self.periods = Periods(fields["calendar"]) if "calendar" in fields else None
        self.excluded = Excluded(excluded)
        self.counts = Counts(int(get("late", 600)), self.slice_s, None, self.excluded)
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
        bad, total = window if isinstance(window, tuple) else (window.bad, window.total)
        return total > 0 and bad * limit.denominator > limit.numerator * total

    def ratio(self, rule, window):
        return window.spent() if rule.kind == "budget" else (window.bad, window.total)

    def burn(self, bad, total):
        return Fraction(bad, total) / self.budget if total else None

    def uncovered(self, window):
        coverage = self.counts.coverage(window)
        if coverage == 0 and window.excluded_s:
            known = window.end - max(window.start, self.counts.first_covered)
            if known <= window.excluded_s:
                return False  # all of it is excluded
        return coverage is not None and coverage < self.min_coverage

    def verdict(self, start, counts):
        """How bad a slice is in 2^-31, or None."""
        good, bad = max(counts[0], 0), max(counts[1], 0)
        total = good + bad
        known = self.counts.first_covered is not None and start >= self.counts.first_covered
        covered = known and (counts[2] * self.min_coverage.denominator
                             >= self.min_coverage.numerator * self.slice_s)
        if total < self.floor:
            return 2**31 if covered else None
        if total == 0:
            if not covered or self.on_empty == "skip":
                return None
            return 2**31 if self.on_empty == "bad" else 0
        if self.budgeting == "ratio_timeslices":
            return (bad * 2**32 + total) // (2 * total)  # to the nearest, halves up
        target = self.slice_target
        return 0 if good * target.denominator >= target.numerator * total else 2**31

    def judge_slice(self, a, counts):
        """[covered seconds, good, bad, dropped good, dropped bad, bad in reserved times]"""
        drop = self.excluded.seconds("drop", a, a + self.slice_s) > 0
        covered = 0 if drop else counts[2]
        verdict = self.verdict(a, counts)
        if verdict is None:
            return [covered, 0, 0, 0, 0, 0]
        one, bad = (2**31, verdict) if self.budgeting == "ratio_timeslices" else (1, verdict // 2**31)
        if drop:
            return [0, 0, 0, one - bad, bad, 0]
        reserved = self.excluded.seconds("reserve", a, a + self.slice_s) > 0
        return [covered, one - bad, bad, 0, 0, bad if reserved else 0]

    def slices(self, start, end):
        end = down(end, self.slice_s)
        start = min(start, end)
        ratios = self.budgeting == "ratio_timeslices"
        window = Window(0, 0, 0, start, end)
        window.scale = one = 2**31 if ratios else 1
        newest = down(self.counts.newest, self.slice_s) if self.counts.newest is not None else None
        reach = max([self.window_s, DAY] + [r.long_s for r in self.rules])
        if self.periods:
            reach = max(reach, self.longest())
        kept_from = None if newest is None else newest - ((reach + DAY) // self.slice_s + 1) * self.slice_s
        # A window of slices may be long and hold little: only slices with something, and those that
        # are touched by an exclusion.
        if self.counts.judged is None:
            self.counts.judged = running_sums(
                {a: self.judge_slice(a, counts) for a, counts in self.counts.slices.items()})
        low = start if kept_from is None else max(start, kept_from)
        (window.covered, window.good, window.bad, *window.dropped,
         window.reserved_bad) = sum_between(self.counts.judged, low, max(low, end), width=6)
        self.unseen(window, newest, kept_from)
        self.touched(window)
        return window

    def longest(self):
        """Of any periods in a row, and an hour for the clocks."""
        count, unit = self.periods.count, self.periods.unit
        if unit != "month":
            return count * (7 if unit == "week" else 1) * DAY + HOUR
        months = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        return max(sum(months[(f + i) % 12] for i in range(count)) for f in range(12)) * DAY + HOUR

    def unseen(self, window, newest, kept_from):
        """Slices that nothing was told about are judged only when no coverage is asked for."""
        if newest is None or self.min_coverage > 0 or self.counts.first_covered is None:
            return
        ratios = self.budgeting == "ratio_timeslices"
        one = 2**31 if ratios else 1
        low = max(window.start, kept_from, -down(-self.counts.first_covered, self.slice_s))
        for a in range(down(low, self.slice_s), min(window.end, newest + 1), self.slice_s):
            if a in self.counts.slices or a < low:
                continue
            verdict = self.verdict(a, [0, 0, 0])
            if verdict is None:
                continue
            bad = one if verdict else 0
            if self.excluded.seconds("drop", a, a + self.slice_s):
                window.dropped[1] += bad
                window.dropped[0] += one - bad
                continue
            if self.excluded.seconds("reserve", a, a + self.slice_s):
                window.reserved_bad += bad
            window.bad += bad
            window.good += one - bad

    def touched(self, window):
        if self.counts.first_covered is None:
            return
        touched = set()
        for effect, a, b in self.excluded.spans:
            if effect == "drop":
                touched.update(range(down(max(a, window.start), self.slice_s),
                                     min(b, window.end), self.slice_s))
        window.excluded_s = self.slice_s * sum(a >= self.counts.first_covered for a in touched)

    def any_window(self, end, length, exhausted):
        if self.slice_s:
            window = self.slices(down(down(end, self.slice_s) - length, self.slice_s), end)
        else:
            window = self.counts.window(end, length)
        window.forgiven = 0 if exhausted else window.reserved_bad
        window.bad -= window.forgiven
        return window

    def own_events(self, end):
        start = self.periods.around(end)[0] if self.periods else None
        return self.counts.window(end, self.window_s, start)

    def own_window(self, end):
        if not self.slice_s:
            window = self.own_events(end)
        elif self.periods:
            window = self.slices(-down(-self.periods.around(end)[0], self.slice_s), end)
        else:
            window = self.slices(down(down(end, self.slice_s) - self.window_s, self.slice_s), end)
        if self.excluded.seconds("reserve", window.start, window.end) > 0:
            window.reserve = math.floor(self.reserve * self.budget * window.total)
            window.forgiven = min(window.reserve, window.reserved_bad)
            window.bad -= window.forgiven
        return window

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
        self.next.append((fields, [], []))

    def exclude(self, effect, from_s, to_s):
        self.next[-1][2].append((effect, from_s, to_s))

    def rule(self, fields):
        self.next[-1][1].append(fields)

    def start(self):
        before = self.slos
        self.slos = [Slo(*spec) for spec in self.next]
        self.next = []
        self.watermark, self.newest = None, None
        self.late = self.dropped = self.skewed = self.unknown = 0
        names = [s.name for s in self.slos]
        for known, kind, args in self.journal:
            getattr(self, "_" + kind)(*args, [names.index(n) if n in names else None for n in known])
        self.unknown = 0
        rules = {(s.name, r.name): r for s in self.slos for r in s.rules}
        remembered = self.orphans + [(s, r) for s in before for r in s.rules]
        self.orphans = []
        for slo, rule in remembered:
            if (slo.name, rule.name) in rules:
                rules[slo.name, rule.name].remember(rule)
            elif rule.firing:
                self.orphans.append((slo, rule))
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
        return {"counts": self.slos[slo].any_window(down(end_ns // NS, 10), length_s, False).shown()}

    def eval(self, watermark_ns, now_ns):
        end_s = down(watermark_ns // NS, 10)
        backwards = (self.watermark is not None and end_s < self.watermark
                     and self.watermark - end_s <= HOUR)
        if not backwards:
            self.watermark = end_s
        events = [["resolved", slo.name, slo.service, rule.name, rule.severity, end_s * NS,
                   rule.since_ns, ("configured no more",), PRIORITY[rule.severity][slo.tier - 1]]
                  for slo, rule in self.orphans]
        self.orphans = []
        slos = [self.judge(s, end_s, watermark_ns, now_ns, backwards, events) for s in self.slos]
        return {"slos": slos, "events": events,
                "counters": [self.late, self.dropped, self.skewed, self.unknown, 0]}

    def judge(self, slo, end_s, watermark_ns, now_ns, backwards, events):
        counts = slo.counts
        slo.evaluated = True
        known = {}
        whole = slo.own_window(end_s)
        exhausted = whole.reserved_bad > whole.forgiven

        def window(length_s, end=end_s):
            if (length_s, end) not in known:
                known[length_s, end] = slo.any_window(end, length_s, exhausted)
            return known[length_s, end]

        def shown(length_s, end=end_s):
            w = window(length_s, end)
            return [length_s, w.shown(), slo.burn(w.bad, w.total)], w

        def own(end):
            w = slo.own_window(end)
            return [slo.window_s, w.shown(), slo.burn(*w.spent())], w

        ever = counts.newest is not None
        total = whole.total
        consumed = (slo.burn(*whole.spent()) or Fraction(0)) if ever else None
        burns = [shown(300)[0], shown(HOUR)[0], shown(DAY)[0]]
        composite = None
        if any(b[2] is not None for b in burns):
            composite = sum(Fraction(w) * (b[2] or 0) for w, b in zip(("0.40", "0.35", "0.25"), burns))
        risk = 0
        if composite is not None:
            risk = 0 if composite < 1 else 1 if composite < Fraction(3, 2) else 2 if composite <= 2 else 3
        quantiles = slo.quantiles(end_s)
        blind = not ever or now_ns - watermark_ns > slo.stale_s * NS or slo.uncovered(
            counts.window(end_s, 300))

        rules = [None] * len(slo.rules)
        for i in sorted(range(len(slo.rules)), key=lambda i: (KINDS.index(slo.rules[i].kind),
                                                              slo.rules[i].urgency)):
            rules[i] = self.step(slo, slo.rules[i], end_s, blind, backwards, (shown, own), events)

        spent = consumed if consumed is not None else Fraction(0)
        if blind:
            state = "NO_DATA"
        elif consumed > 1:
            state = "VIOLATED"
        elif (composite is not None and composite >= 1) or any(r.firing for r in slo.rules):
            state = "DEGRADING"
        else:
            state = "HEALTHY"
        coverage = counts.coverage(whole)
        return {
            "slo": slo.name, "service": slo.service, "tier": slo.tier, "target": slo.target,
            "window_s": slo.window_s, "window": whole.shown(),
            "events": (slo.own_events(end_s) if slo.slice_s else whole).shown(),
            "period_end": slo.periods.around(end_s)[1] if slo.periods else 0,
            "excluded_by": slo.excluded.name_at(end_s - 1),
            "sli": Fraction(whole.good, total) if total else None,
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
        bad, total = (n // window.scale for n in slo.ratio(rule, window))
        p = chance(bad, total, slo.budget)
        most = float(slo.significance * min(Fraction(1), Fraction(10 * rule.long_s, slo.window_s)))
        enough = rule.kind != "burn" and slo.limit(rule) * total >= slo.min_bad
        if slo.high_value:
            return True, p
        if bad < slo.min_bad:
            return False, p
        if abs(p - most) < 1e-6 * most and not enough:
            self.vague = True
        return enough or p < most, p

    def over(self, slo, rule, long, short):
        """Whether a calm short window is more than an accident of little traffic."""
        bad, total = short.bad // short.scale, short.total // short.scale
        limit = slo.limit(rule)
        calm = not slo.exceeds(long, limit * slo.resolve_ratio)
        if limit >= 1:
            return True
        # P(X <= bad) < 1 %: as many good events or more are as unlikely.
        p = chance(total - bad, total, 1 - limit)
        if abs(p - 0.01) < 1e-7 and not calm:
            self.vague = True
        return p < 0.01 or calm

    @staticmethod
    def counted(slo, window):
        if window.scale > 1:
            return " time slices bad"
        return (f"{window.bad} of {window.total} "
                + ("time slices bad" if slo.slice_s else "events bad"))

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

    def step(self, slo, rule, end_s, blind, backwards, windows, events):
        shown, own = windows
        if rule.kind == "budget":
            (long, now), (short, other) = own(end_s), own(end_s - rule.for_s)
            frozen = blind or backwards
        else:
            (long, now), (short, other) = shown(rule.long_s), shown(rule.short_s,
                                                                    end_s - rule.for_s)
            frozen = blind or backwards or slo.uncovered(now) or slo.uncovered(other)
        held_back = self.held_back(slo, rule, end_s)
        limit = slo.limit(rule)
        condition = (slo.exceeds(slo.ratio(rule, now), limit)
                     and slo.exceeds(slo.ratio(rule, other), limit))
        sure, p = self.significant(slo, rule, now) if condition else (False, None)

        def event(kind, since_ns, window):
            events.append([kind, slo.name, slo.service, rule.name, rule.severity, end_s * NS, since_ns,
                           (self.counted(slo, window), slo.name, rule.name),
                           PRIORITY[rule.severity][slo.tier - 1]])

        if not frozen and rule.firing:
            telling = other if rule.kind == "burn" else now
            if slo.ratio(rule, telling)[1] > 0:
                if (not slo.exceeds(slo.ratio(rule, telling), limit * slo.resolve_ratio)
                        and (rule.kind != "burn" or self.over(slo, rule, now, other))):
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
                event("fired", end_s * NS, now)
        return [rule.name, long, short, rule.firing, frozen, condition and not sure,
                None if p is None else Near(p, 1e-6), held_back, rule.since_ns]

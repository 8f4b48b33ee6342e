"""The brute-force oracle: reads whole logs with the plainest means (re, json, Fraction) and counts
every number of the status document anew. Shares no code, table or constant with the program; slow
and simple on purpose.
"""
import datetime
import json
import math
import re
from fractions import Fraction

MONTHS = {m: i + 1 for i, m in enumerate(
    "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}
NGINX = re.compile(
    r'(\S+) \S+ \S+ \[(\d\d)/(\w{3})/(\d{4}):(\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)\] '
    r'"([^"]*)" (\d{3}) (\d+|-)(?: "([^"]*)" "([^"]*)"(?: ([0-9.]+))?)?$')
ISO = re.compile(r'(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?Z$')
LEVELS = {"trace": 0, "debug": 1, "info": 2, "warn": 3, "warning": 3, "error": 4, "fatal": 5}


def unix(year, month, day, hour, minute, second):
    t = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc)
    return int(t.timestamp())


def iso_time(text):
    """Seconds as a Fraction, or None."""
    m = ISO.match(text)
    if not m:
        return None
    fraction = Fraction(int(m[7]), 10 ** len(m[7])) if m[7] else 0
    return unix(*(int(g) for g in m.groups()[:6])) + fraction


def read_nginx(lines):
    for line in lines:
        m = NGINX.match(line)
        if not m:
            yield None
            continue
        offset = (int(m[9]) * 60 + int(m[10])) * 60 * (1 if m[8] == "+" else -1)
        request = m[11].split(" ")
        yield {
            "ts": unix(int(m[4]), MONTHS[m[3]], int(m[2]), *(int(m[i]) for i in (5, 6, 7))) - offset,
            "method": request[0] if len(request) == 3 else None,
            "path": request[1] if len(request) == 3 else None,
            "status": int(m[12]),
            "duration_ms": Fraction(m[16]) * 1000 if m[16] else None,
        }


def read_json(lines):
    for line in lines:
        try:
            fields = json.loads(line, parse_float=Fraction)
            fields["ts"] = iso_time(fields["time"])
            fields["level"] = LEVELS[fields["level"]]
            yield fields
        except (ValueError, KeyError):
            yield None


def read_cri(lines):
    pieces = {}
    for line in lines:
        parts = line.split(" ", 3)
        if len(parts) < 4 or parts[1] not in ("stdout", "stderr") or iso_time(parts[0]) is None:
            yield None
            continue
        pieces.setdefault(parts[1], []).append((parts[0], parts[3]))
        if parts[2] == "P":
            continue
        whole = pieces.pop(parts[1])
        for record in read_json(["".join(text for _, text in whole)]):
            yield record


READERS = {"nginx": read_nginx, "json": read_json, "cri": read_cri}


def records(path, fmt):
    with open(path, encoding="utf-8", errors="replace", newline="\n") as f:
        yield from READERS[fmt](line.rstrip("\n") for line in f)


class Slo:
    """What the YAML says, said again in Python. judge(record) -> None (not counted), True, False."""

    def __init__(self, name, judge, target, window_s):
        self.name, self.judge, self.window_s = name, judge, window_s
        self.target = Fraction(target)
        self.good, self.bad = {}, {}  # 10 s slot -> count
        self.first = None

    def count(self, record):
        verdict = self.judge(record)
        if verdict is None:
            return
        slot = math.floor(record["ts"] / 10) * 10
        side = self.good if verdict else self.bad
        side[slot] = side.get(slot, 0) + 1
        self.first = slot if self.first is None else min(self.first, slot)

    def between(self, start, end):
        good = sum(n for t, n in self.good.items() if start <= t < end)
        bad = sum(n for t, n in self.bad.items() if start <= t < end)
        return good, bad


def slot_of_window(window_s):
    """The finest tier that reaches back that far: 10 s x 2 h, 60 s x 3 d, 300 s x 31 d, 1 h."""
    for slot, reach in ((10, 7200), (60, 3 * 86400), (300, 31 * 86400)):
        if window_s <= reach:
            return slot
    return 3600


def window_start(end, window_s):
    slot = slot_of_window(window_s)
    return (end - window_s) // slot * slot


def divide(a, b):
    return None if b == 0 else Fraction(a, b)


def burn(slo, end, window_s):
    good, bad = slo.between(window_start(end, window_s), end)
    share = divide(bad, good + bad)
    return None if share is None else share / (1 - slo.target)


def risk_of(composite):
    if composite is None or composite < 1:
        return "SAFE"
    if composite < Fraction(3, 2):
        return "OBSERVE"
    return "DANGER" if composite <= 2 else "FREEZE"


def state_of(remaining, composite, firing):
    if remaining is not None and remaining < 0:
        return "VIOLATED"
    return "DEGRADING" if firing or (composite is not None and composite >= 1) else "HEALTHY"


def expected(slo, end, firing):
    """Every number of DESIGN 4.2 as exact values; `firing`: names of rules that fire at `end`."""
    start = window_start(end, slo.window_s)
    good, bad = slo.between(start, end)
    total = good + bad
    windows = {w: burn(slo, end, w) for w in (300, 3600, 86400)}
    weights = {300: Fraction(40, 100), 3600: Fraction(35, 100), 86400: Fraction(25, 100)}
    composite = None
    if any(b is not None for b in windows.values()):
        composite = sum(weights[w] * (b or 0) for w, b in windows.items())
    consumed = None if total == 0 else Fraction(bad, total) / (1 - slo.target)
    remaining = None if consumed is None else 1 - consumed
    return {
        "target": slo.target, "good": good, "bad": bad, "total": total, "sli": divide(good, total),
        "burn_rate_5m": windows[300], "burn_rate_1h": windows[3600],
        "burn_rate_24h": windows[86400], "composite_burn_rate": composite,
        "error_budget_consumed": consumed, "error_budget_remaining": remaining,
        "risk_level": risk_of(composite), "state": state_of(remaining, composite, firing),
        "window_start": start, "window_end": end,
    }


class Prefix:
    """Counts of any aligned window in two look-ups, for replaying every evaluation of a day."""

    def __init__(self, slo, first, end):
        self.first = first
        self.sums = [(0, 0)]
        for t in range(first, end, 10):
            g, b = self.sums[-1]
            self.sums.append((g + slo.good.get(t, 0), b + slo.bad.get(t, 0)))

    def counts(self, start, end):
        def at(t):
            return self.sums[max(0, min(len(self.sums) - 1, (t - self.first) // 10))]
        (g0, b0), (g1, b1) = at(start), at(end)
        return g1 - g0, b1 - b0


def default_rules(window_s, target):
    """Workbook table 5-8 scaled to the window, most urgent first."""
    if window_s >= 86400:
        pairs = (("fast", "page", 720, 8640, Fraction(144, 10)),
                 ("medium", "page", 120, 1440, Fraction(6)),
                 ("slow", "ticket", 30, 360, Fraction(3)), ("drift", "ticket", 10, 120, Fraction(1)))
    else:
        pairs = (("fast", "page", 6, 60, Fraction(3)), ("slow", "ticket", 2, 12, Fraction(1)))
    return [(name, severity, max(10, window_s // long // 10 * 10),
             max(10, window_s // short // 10 * 10), f)
            for name, severity, long, short, f in pairs
            if f < 1 / (1 - target)]  # others can never be exceeded


def tail_probability(bad, total, p):
    """P(X >= bad) of a binomial; good to many digits, which is enough away from 1 %."""
    if bad <= total * p:
        return 1.0
    logs = (math.lgamma(total + 1) - math.lgamma(k + 1) - math.lgamma(total - k + 1)
            + k * math.log(p) + (total - k) * math.log1p(-p) for k in range(bad, total + 1))
    result = 0.0
    for value in logs:
        term = math.exp(value)
        result += term
        if term < 1e-18:
            break
    return result


class Alert:
    """One rule: fires when both windows exceed its factor, and it is no accident; ends when the
    short window stays at or below 0.9 of the factor for two evaluations with traffic in them."""

    def __init__(self, name, severity, long_s, short_s, factor, window_s):
        self.window_s = window_s
        self.name, self.severity, self.factor = name, severity, factor
        self.long_s, self.short_s = long_s, short_s
        self.firing, self.calm, self.resolved_at = False, 0, None

    def recently_resolved(self, now, seconds):
        return self.resolved_at is not None and now - self.resolved_at < seconds

    def step(self, now, prefix, budget, rules):
        def counts(window_s):
            return prefix.counts(window_start(now, window_s), now)

        good, bad = counts(self.short_s)
        total = good + bad
        if self.firing:
            if total == 0:
                return
            low = self.factor * Fraction(9, 10) * budget
            calm = bad <= low * total
            burning = self.factor * budget
            if calm and burning < 1 and tail_probability(good, total, float(1 - burning)) >= 0.01:
                # So few events tell little: the long window must be calm too.
                good, bad = counts(self.long_s)
                calm = bad <= low * (good + bad)
            self.calm = self.calm + 1 if calm else 0
            if self.calm >= 2:
                self.firing, self.calm, self.resolved_at = False, 0, now
            return
        if bad <= self.factor * budget * total or self.recently_resolved(now, 15 * 60):
            return
        more_urgent = rules[:rules.index(self)]
        if any(r.firing or r.recently_resolved(now, self.short_s) for r in more_urgent):
            return
        if any(r.firing and r.severity == self.severity for r in rules):
            return
        good, bad = counts(self.long_s)
        total = good + bad
        self.firing = (bad > self.factor * budget * total and bad >= 2
                       and tail_probability(bad, total, float(budget))
                       < 0.01 * min(1, 10 * self.long_s / self.window_s))


class BudgetAlert:
    """Fires when more than `share` of the budget is gone, now and `for_s` ago, unless a larger
    share is told already."""

    def __init__(self, name, share, for_s, window_s):
        self.name, self.share, self.for_s, self.window_s = name, share, for_s, window_s
        self.firing, self.calm, self.resolved_at = False, 0, None

    def step(self, now, prefix, budget, larger):
        def over(share, at):
            good, bad = prefix.counts(window_start(at, self.window_s), at)
            return bad > share * budget * (good + bad)

        good, bad = prefix.counts(window_start(now, self.window_s), now)
        if self.firing:
            if good + bad > 0:
                self.calm = 0 if over(self.share * Fraction(9, 10), now) else self.calm + 1
            if self.calm >= 2:
                self.firing, self.calm, self.resolved_at = False, 0, now
            return
        cooling = self.resolved_at is not None and now - self.resolved_at < 15 * 60
        if cooling or any(rule.firing for rule in larger):
            return
        if bad < 2 or not over(self.share, now) or not over(self.share, now - self.for_s):
            return
        total = good + bad
        self.firing = (self.share * budget * total >= 2
                       or tail_probability(bad, total, float(budget))
                       < 0.01)


def replay_alerts(slo, end, budget_rules=()):
    """Names of the rules that fire at `end`: every evaluation since the first event, one by one.
    budget_rules: (name, share, for_s), larger shares first."""
    prefix = Prefix(slo, slo.first, end)
    rules = [Alert(*r, slo.window_s) for r in default_rules(slo.window_s, slo.target)]
    shares = [BudgetAlert(*r, slo.window_s) for r in budget_rules]
    for now in range(slo.first + 10, end + 10, 10):
        for rule in rules:
            rule.step(now, prefix, 1 - slo.target, rules)
        for i, rule in enumerate(shares):
            rule.step(now, prefix, 1 - slo.target, shares[:i])
    return [rule.name for rule in rules + shares if rule.firing]

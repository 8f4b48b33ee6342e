#!/usr/bin/env python3
"""Random queries answered by `nines query` over log files, and by Python's own SQLite over the same
records loaded into tables. Only what both mean alike is drawn: no text compared with a number, no
division, no levels by rank. NINES_ORACLE_CASES makes it longer, NINES_ORACLE_SEED repeats one."""
import json
import os
import random
import sqlite3
import sys

import common

TEAMS = ["api", "auth", "cart", None]
MESSAGES = ["started", "timeout after 15 ms", "refused", "it's over", "50% done", "a_b", "Zurück"]
NUMBERS, TEXTS = ["n", "ms"], ["team", "message", "rid"]
COLUMNS = NUMBERS + TEXTS


def record(chance, second):
    r = {"ts": f"2026-03-01T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}Z"}
    values = {"team": chance.choice(TEAMS), "message": chance.choice(MESSAGES),
              "rid": chance.choice(["r1", "r2", "r3", "r4", None]),
              "n": chance.choice([None, 0, 1, 2, 3, -7, 10_000_000_000]),
              "ms": chance.choice([None, 5, 12, 250, 999])}
    r.update((k, v) for k, v in values.items() if v is not None)
    return r


class Draw:
    def __init__(self, chance):
        self.chance = chance

    def number(self, at="", depth=2):
        pick = self.chance.randrange(3 if depth == 0 else 8)
        if pick == 0:
            return self.chance.choice(["0", "1", "7", "-2", "100"])
        if pick < 4:
            return at + self.chance.choice(NUMBERS)
        if pick == 4:
            return f"length({self.text(at, depth - 1)})"
        if pick == 5:
            return f"coalesce({self.number(at, depth - 1)}, 3)"
        sign = self.chance.choice(["+", "-"])
        return f"({self.number(at, depth - 1)} {sign} {self.number(at, depth - 1)})"

    def text(self, at="", depth=1):
        pick = self.chance.randrange(3 if depth == 0 else 7)
        if pick == 0:
            return self.chance.choice(["'api'", "'r2'", "'it''s over'", "''"])
        if pick < 4:
            return at + self.chance.choice(TEXTS)
        if pick == 4:
            return f"upper({self.text(at, depth - 1)})"
        if pick == 5:
            return f"substr({self.text(at, depth - 1)}, 2, 3)"
        return f"replace({self.text(at, depth - 1)}, 'a', 'bb')"

    def condition(self, at="", depth=2):
        pick = self.chance.randrange(6 if depth == 0 else 9)
        sign = self.chance.choice(["=", "<>", "<", "<=", ">", ">="])
        if pick == 0:
            return f"{self.number(at, 1)} {sign} {self.number(at, 0)}"
        if pick == 1:
            return f"{self.text(at, 1)} {sign} {self.text(at, 0)}"
        if pick == 2:
            return f"{at}{self.chance.choice(COLUMNS)} IS {self.chance.choice(['', 'NOT '])}NULL"
        if pick == 3:
            return f"{at}message LIKE {self.pattern()}"
        if pick == 4:
            return f"{at}n IN (1, 2, {self.chance.randrange(5)})"
        if pick == 5:
            return f"{at}ms BETWEEN 6 AND {self.chance.randrange(300)}"
        if pick == 6:
            return f"NOT ({self.condition(at, depth - 1)})"
        word = "AND" if pick == 7 else "OR"
        return f"({self.condition(at, depth - 1)} {word} {self.condition(at, depth - 1)})"

    def pattern(self):
        return self.chance.choice(["'%e%'", "'a_b'", "'50%'", "'TIME%'", "'%'"])

    def aggregate(self):
        call = self.chance.choice(
            ["count(*)", f"count({self.chance.choice(COLUMNS)})", f"sum({self.number()})",
             f"min({self.number()})", f"max({self.text()})", f"count(DISTINCT {self.text()})",
             f"avg({self.chance.choice(NUMBERS)})"])
        if self.chance.randrange(4) == 0:
            call += f" FILTER (WHERE {self.condition(depth=1)})"
        return call

    def where(self):
        return f" WHERE {self.condition()}" if self.chance.randrange(3) else ""

    def rows(self, source):
        items = [self.chance.choice([self.number, self.text])() for _ in range(self.chance.randrange(1, 4))]
        names = [f"c{i}" for i in range(len(items))]
        distinct = "DISTINCT " if self.chance.randrange(4) == 0 else ""
        sql = f"SELECT {distinct}{', '.join(f'{i} AS {n}' for i, n in zip(items, names))} FROM {source}{self.where()}"
        if self.chance.randrange(2):
            sql += " ORDER BY " + ", ".join(n + self.chance.choice(["", " DESC"]) for n in names)
            if self.chance.randrange(2):
                sql += f" LIMIT {self.chance.randrange(6)} OFFSET {self.chance.randrange(3)}"
            return sql, True
        return sql, not distinct

    def groups(self, source):
        keys = [self.chance.choice([self.number, self.text])(depth=1) for _ in range(self.chance.randrange(1, 3))]
        names = [f"k{i}" for i in range(len(keys))]
        items = [f"{k} AS {n}" for k, n in zip(keys, names)]
        items += [f"{self.aggregate()} AS a{i}" for i in range(self.chance.randrange(1, 3))]
        sql = f"SELECT {', '.join(items)} FROM {source}{self.where()} GROUP BY {', '.join(names)}"
        if self.chance.randrange(3) == 0:
            sql += " HAVING count(*) > 1"
        return sql, False

    def around(self, source):
        """What runs in SQLite on both sides, over log blocks on ours."""
        return self.chance.choice([
            lambda: (f"WITH t AS (SELECT team s, sum(n) v FROM {source}{self.where()} GROUP BY team) "
                     "SELECT s, v, rank() OVER (ORDER BY v DESC, s) r FROM t", False),
            lambda: (f"SELECT * FROM (SELECT rid, count(*) c FROM {source} GROUP BY rid) x JOIN "
                     f"(SELECT rid AS rid2, max(ms) m FROM {source}{self.where()} GROUP BY rid) y "
                     "ON x.rid = y.rid2", False),
            lambda: (f"SELECT message AS m FROM {source}{self.where()} UNION "
                     f"SELECT team FROM {source}{self.where()}", False),
            lambda: (f"SELECT a.rid AS rid, a.n AS n, b.ms AS ms FROM {source} a JOIN {source} b "
                     f"ON a.rid = b.rid AND a.team = b.team WHERE {self.condition('a.', 1)}", False),
            lambda: (f"SELECT n, (SELECT count(*) FROM {source} WHERE ms > 10) AS k FROM {source}"
                     f"{self.where()}", True),
            lambda: (f"SELECT rid, ms, lag(ms) OVER (PARTITION BY rid ORDER BY ts, ms, n, message) AS l "
                     f"FROM {source} WHERE ms IS NOT NULL", False),
        ])()


def plain(value):
    return round(value, 9) if isinstance(value, float) else value


def comparable(rows, ordered):
    rows = [tuple(plain(v) for v in row) for row in rows]
    return rows if ordered else sorted(rows, key=repr)


def number(v):
    return int(v) if isinstance(v, float) and v == int(v) else v


def ask(nines, sql, *options):
    done = common.run(nines, "query", sql, "-o", "json", *options, timeout=60)
    if done.returncode != 0:
        return None, done.stderr.decode()
    return [[number(v) for v in row.values()] for row in json.loads(done.stdout)["data"]], ""


def load(records):
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE records(ts, team, message, rid, n, ms)")
    db.executemany("INSERT INTO records VALUES(?,?,?,?,?,?)",
                   [[r.get(c) for c in ("ts", "team", "message", "rid", "n", "ms")] for r in records])
    return db


def main():
    checks = common.Checks()
    nines = common.tool("NINES_BIN")
    folder = common.scratch("oracle")
    cases = int(os.environ.get("NINES_ORACLE_CASES", "200"))
    first = int(os.environ.get("NINES_ORACLE_SEED", "1"))
    for seed in range(first, first + cases):
        chance = random.Random(seed)
        second, records = 0, []
        for _ in range(chance.randrange(40)):
            second += chance.randrange(1, 90)
            records.append(record(chance, second))
        path = f"{folder}/app.json"
        common.write(path, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in records) or "\n")
        draw = Draw(chance)
        drawn = draw.chance.choice([draw.rows, draw.groups, draw.around])
        sql, ordered = drawn("SOURCE")
        wanted = [[number(v) for v in row]
                  for row in load(records).execute(sql.replace("SOURCE", "records")).fetchall()]
        mine = sql.replace("SOURCE", f"files('{path}', FORMAT json)")
        for options in (["--threads", "2"], ["--by-sqlite"]):
            got, error = ask(nines, mine, *options)
            same = got is not None and comparable(got, ordered) == comparable(wanted, ordered)
            checks.that(same, f"NINES_ORACLE_SEED={seed} {options}\n{mine}\n  got {got} {error}\n"
                              f"  SQLite has {wanted}")
        if len(checks.failures) > 10:
            break
    checks.finish()


if __name__ == "__main__":
    sys.exit(main())

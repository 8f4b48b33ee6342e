"""The logs of a small shop, as its three nodes would hold them: a front door (nginx, JSON), an API
in two replicas, orders, payments, a worker behind a message broker, a database, and cron jobs. The
same seed gives the same bytes.

Not friendly: traffic has a day and a week, bursts and quarters of an hour of three times as much;
durations have heavy tails; calls are retried; single requests fail; deploys roll over pods with new
lines, and their callers are refused for a moment; a batch slows the database each night; what warns
means nothing. Faults (see Fault) are laid over that.

    shop = Shop(root, seed=1, start=MONDAY, per_minute=20)
    shop.live(days * DAY)                                    # healthy
    shop.live(DAY / 2, [Fault("killed", "payments", at, until)])
"""
import bisect
import json
import math
import os
import random
import time

MINUTE, HOUR, DAY = 60, 3600, 86400
CLOCK = [f"{h:02d}:{m:02d}:{s:02d}" for h in range(24) for m in range(60) for s in range(60)]
# What runs where; a second place is a second replica.
PLACES = {"edge": ("a",), "api": ("a", "b"), "orders": ("b",), "payments": ("c",),
          "worker": ("c",), "broker": ("a",), "db": ("b",), "cron": ("a",)}
CPU = {"edge": 4, "api": 12, "orders": 9, "payments": 6, "worker": 8, "broker": 3, "db": 22}
FAULTS = {
    "killed": "the service is gone; who calls it is refused",
    "broker": "no message is taken or handed out",
    "malformed": "the producer sends messages that nobody can read",
    "disk": "the database cannot write: no space left on device",
    "slow_db": "a query plan has gone wrong: the database takes 150 times as long",
    "bad_deploy": "a new version of the service fails in a third of its requests",
    "oom": "the kernel kills the service, again and again",
    "crash_loop": "the service dies soon after each start",
    "voltage": "the supply of a node is too weak",
}


class Fault:
    def __init__(self, kind, target, begin, end):
        assert kind in FAULTS, kind
        self.kind, self.target, self.begin, self.end = kind, target, begin, end

    def at(self, t):
        return self.begin <= t < self.end


def monday(before):
    """Midnight (UTC) of the Monday before."""
    return int(before) // DAY * DAY - (int(before) // DAY + 3) % 7 * DAY


def season(t):
    hour = t % DAY / HOUR
    day = 0.25 + 0.75 * (0.5 - 0.5 * math.cos(2 * math.pi * (hour - 3) / 24))
    weekend = (int(t) // DAY + 3) % 7 >= 5
    return day * (0.6 if weekend else 1)


class Pod:
    """One replica: which file its lines go to, from when on."""

    def __init__(self, shop, service, node):
        self.shop, self.service, self.node = shop, service, node
        self.times, self.files = [], []
        self.restarts, self.name = 0, ""
        self.down = []  # [from, to)

    def replace(self, t):
        self.restarts = 0
        r = self.shop.chance
        self.name = f"{self.service}-{r.getrandbits(36):09x}-{r.getrandbits(20):05x}"
        self.uid = f"{r.getrandbits(64):016x}"
        self.open(t)

    def open(self, t):
        at = bisect.bisect_right(self.times, t)
        self.times.insert(at, t)
        self.files.insert(at, self.shop.file(
            f"{self.node}/pods/shop_{self.name}_{self.uid}/{self.service}/{self.restarts}.log"))

    def restart(self, t):
        self.restarts += 1
        self.open(t)

    def write(self, t, text):
        at = max(0, bisect.bisect_right(self.times, t) - 1)
        self.files[at].append((t, f"{stamp(t)} stdout F {text}\n"))

    def up(self, t):
        return not any(a <= t < b for a, b in self.down)


def stamp(t):
    day, second = divmod(int(t), DAY)
    return f"{date_of(day)}T{CLOCK[second]}.{int(t * 1000) % 1000:03d}Z"


def date_of(day, known={}):
    if day not in known:
        known[day] = time.strftime("%Y-%m-%d", time.gmtime(day * DAY))
    return known[day]


class Shop:
    def __init__(self, root, seed, start, per_minute=20):
        self.root, self.start, self.now = root, start, float(start)
        self.waiting = []  # messages that nobody took
        self.per_minute = per_minute
        self.chance = random.Random(seed)
        self.lines, self.written, self.faults = {}, 0, []
        self.build = {name: 41 for name in PLACES}  # version
        self.pods = {name: [Pod(self, name, node) for node in nodes]
                     for name, nodes in PLACES.items()}
        self.level, self.bursts, self.nights, self.scans, self.blips = 1.0, [], [], [], []
        for name, pods in self.pods.items():
            for pod in pods:
                pod.replace(self.now)
                if name != "cron":
                    self.boots(pod, self.now)

    # ---- files

    def file(self, path):
        return self.lines.setdefault(path, [])

    def flush(self):
        """What is to be written later (a deploy of this afternoon) waits."""
        for path, lines in self.lines.items():
            lines.sort(key=lambda line: line[0])
            due = bisect.bisect_left(lines, self.now, key=lambda line: line[0])
            if due == 0:
                continue
            full = f"{self.root}/{path}"
            os.makedirs(os.path.dirname(full), exist_ok=True)
            with open(full, "a", encoding="utf-8") as out:
                out.writelines(text for _, text in lines[:due])
            self.written += due
            del lines[:due]

    # ---- time passes

    def live(self, seconds, faults=()):
        """Lines from where it stands on; flushed day by day."""
        end = self.now + seconds
        self.faults = list(faults)
        for fault in self.faults:
            self.prepare(fault)
        while self.now < end:
            until = min(end, (int(self.now) // DAY + 1) * DAY)
            if self.now % DAY < 1:
                self.plan_day()
            self.traffic(self.now, until)
            self.household(self.now, until)
            self.now = until
            self.flush()
        self.faults = []

    def plan_day(self):
        r, day = self.chance, int(self.now)
        self.level = r.uniform(0.8, 1.25)
        self.bursts = [(b, b + r.uniform(2, 15) * MINUTE, r.uniform(1.5, 3))
                       for b in (day + r.uniform(0, DAY) for _ in range(2))]
        self.nights = [(day + 2 * HOUR + r.uniform(0, 300), day + 2 * HOUR + r.uniform(1200, 2400))]
        # Strangers try doors, and the card service has a weak minute now and then.
        self.scans = [day + r.uniform(0, DAY) for _ in range(r.randint(0, 3))]
        self.blips = [(b, b + r.uniform(20, 70)) for b in (day + r.uniform(0, DAY),)
                      if r.random() < 0.4]
        weekday = (day // DAY + 3) % 7
        if weekday < 5 and r.random() < 0.8:
            name = r.choice(["edge", "api", "orders", "payments", "worker"])
            self.deploy(name, day + r.uniform(9, 17) * HOUR)
        if r.random() < 0.15:  # a pod is moved
            name = r.choice(["api", "orders", "worker", "payments"])
            self.roll(self.pods[name][0], day + r.uniform(0, DAY))

    def deploy(self, name, t):
        self.build[name] += 1
        for i, pod in enumerate(self.pods[name]):
            self.roll(pod, t + i * self.chance.uniform(20, 40))

    def roll(self, pod, t):
        """A new pod; for a moment some calls still go to the old one."""
        self.says(pod, t - 2, "info", "received SIGTERM, draining")
        self.says(pod, t - 0.5, "info", "bye")
        pod.replace(t)
        pod.down.append((t, t + self.chance.uniform(1, 4)))
        self.boots(pod, pod.down[-1][1])

    def boots(self, pod, t):
        build = self.build[pod.service]
        if pod.service == "edge":
            return
        if pod.service == "db":
            self.db(t, "LOG", "database system is ready to accept connections")
            return
        if pod.service == "broker":
            self.broker(t, "info", "Server startup complete; 4 plugins started.")
            return
        self.says(pod, t, "info", f"starting {pod.service} build {build}")
        self.says(pod, t + 0.2, "info", "configuration loaded from /etc/shop/config.yaml")
        for user in {"api": ("postgres://shop@db:5432/shop",),
                     "orders": ("postgres://shop@db:5432/shop", "amqp://broker:5672"),
                     "worker": ("postgres://shop@db:5432/shop", "amqp://broker:5672")
                     }.get(pod.service, ()):
            self.says(pod, t + 0.3, "info", f"connected to {user}")
        self.says(pod, t + 0.4, "warn", f"option cache_{build}_ttl is not set, using the default")
        self.says(pod, t + 0.9, "info", "ready")

    # ---- faults

    def prepare(self, fault):
        pods = self.pods.get(fault.target, [])
        r = self.chance
        if fault.kind == "killed":
            for pod in pods:
                pod.down.append((fault.begin, fault.end))
                pod.replace(fault.end)
                self.boots(pod, fault.end)
        elif fault.kind == "bad_deploy":
            self.deploy(fault.target, fault.begin - 5)
            self.deploy(fault.target, fault.end)
        elif fault.kind in ("oom", "crash_loop"):
            for pod in pods:
                self.fall(pod, fault)
        elif fault.kind == "broker":
            self.broker(fault.begin - 0.3, "info", "Stopping RabbitMQ applications")
            self.broker(fault.end, "info", "Server startup complete; 4 plugins started.")
        elif fault.kind == "voltage":
            t = fault.begin
            while t < fault.end:
                self.kernel(fault.target, t, "hwmon hwmon1: Undervoltage detected!")
                t += r.uniform(15, 40)
                self.kernel(fault.target, min(t, fault.end), "hwmon hwmon1: Voltage normalised")
                t += r.uniform(20, 200)

    def fall(self, pod, fault):
        """It dies and is started again: at once, then later and later (the kubelet's back-off)."""
        t, wait, r = fault.begin, 10, self.chance
        while t < fault.end:
            if fault.kind == "oom":
                pid = r.randint(2000, 90000)
                self.kernel(pod.node, t - 0.1, f"{pod.service} invoked oom-killer: "
                            "gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=985")
                self.kernel(pod.node, t, f"Memory cgroup out of memory: Killed process {pid} "
                            f"({pod.service}) total-vm:1482712kB, anon-rss:262012kB, "
                            "file-rss:9216kB, shmem-rss:0kB, UID:1000 pgtables:780kB "
                            "oom_score_adj:985")
            else:
                self.says(pod, t, "fatal",
                          "panic: runtime error: index out of range [3] with length 3")
            back = t + wait + r.uniform(1, 3)
            pod.down.append((t, back))
            pod.restart(back)
            self.boots(pod, back)
            wait = min(300, wait * 2)
            t = back + (r.uniform(60, 120) if fault.kind == "oom" else r.uniform(2, 6))

    def fails(self, kind, t, target=None):
        return any(f.kind == kind and f.at(t) and (target is None or f.target == target)
                   for f in self.faults)

    # ---- who writes how

    def says(self, pod, t, level, message, **fields):
        if pod.service == "orders":  # logfmt
            more = "".join(f" {key}={value}" for key, value in fields.items())
            pod.write(t, f'ts={stamp(t)} level={level} msg="{message}"{more}')
        elif pod.service == "worker":  # python
            trace = fields.get("trace_id", "-")
            pod.write(t, f"{stamp(t)[:10]} {stamp(t)[11:19]},{int(t * 1000) % 1000:03d} "
                         f"{level.upper():8s} shop.worker [{trace}] {message}")
        else:
            pod.write(t, json.dumps({"time": stamp(t), "level": level, "msg": message, **fields}))

    def db(self, t, level, message):
        at = stamp(t)
        self.pods["db"][0].write(t, f"{at[:10]} {at[11:23]} UTC [{self.chance.randint(60, 99)}] "
                                    f"{level}:  {message}")

    def broker(self, t, level, message):
        at = stamp(t)
        self.pods["broker"][0].write(
            t, f"{at[:10]} {at[11:23]}000+00:00 [{level}] <0.{self.chance.randint(400, 900)}.0> "
               f"{message}")

    def kernel(self, node, t, message):
        self.file(f"{node}/kern.log").append(
            (t, f"{stamp(t)[:-1]}000+00:00 node-{node} kernel: [{t - self.start + 500:.6f}] "
                f"{message}\n"))

    def pod(self, name, t):
        """One that answers, and one that does not where there is no other."""
        pods = self.pods[name]
        up = [pod for pod in pods if pod.up(t)]
        return self.chance.choice(up or pods), bool(up)

    # ---- requests

    def traffic(self, begin, end):
        r = self.chance
        most = self.per_minute / MINUTE * self.level * 3
        t = begin
        while True:
            t += r.expovariate(most)
            if t >= end:
                return
            busy = max((x for b, e, x in self.bursts if b <= t < e), default=1)
            if r.random() * 3 < season(t) * busy:
                self.request(t)

    def request(self, t):
        r = self.chance
        trace = f"{r.getrandbits(64):016x}"
        kind = r.random()
        number = r.randint(10000, 99999)
        if kind < 0.03:
            status, method, path, end = 404, "GET", f"/favicon-{number}.ico", t + 0.002
        elif kind < 0.60:
            method, path = "GET", f"/api/products?page={number % 40}"
            status, end = self.api(t + 0.001, trace, "listing", number)
        elif kind < 0.80:
            method, path = "GET", f"/api/orders/{number}"
            status, end = self.api(t + 0.001, trace, "lookup", number)
        else:
            method, path = "POST", "/api/orders"
            status, end = self.api(t + 0.001, trace, "order", number)
        self.edge(t, end, method, path, status, trace)

    def edge(self, t, end, method, path, status, trace=None):
        r = self.chance
        pod, _ = self.pod("edge", end)
        pod.write(end, json.dumps({
            "time_iso8601": stamp(end), "remote_addr": f"10.1.{r.randint(0, 6)}.{r.randint(1, 250)}",
            "request_method": method, "request_uri": path, "status": status,
            "body_bytes_sent": r.randint(90, 9000), "request_time": round(end - t, 3),
            "request_id": trace or f"{r.getrandbits(64):016x}"}))

    def query(self, t, what):
        """Seconds that the database takes; it logs what is slow."""
        r = self.chance
        took = r.lognormvariate(math.log(0.006), 0.8)
        if r.random() < 0.004:
            took *= r.paretovariate(0.9) * 8
        if any(b <= t < e for b, e in self.nights):
            took *= 3
        if self.fails("slow_db", t):
            took *= 150 * r.lognormvariate(0, 0.5)
        took = min(took, 30)
        if took > 0.2:
            self.db(t + took, "LOG", f"duration: {took * 1000:.3f} ms  statement: {what}")
        return took

    def api(self, t, trace, kind, number):
        r = self.chance
        pod, up = self.pod("api", t)
        if not up:
            return 502, t + r.uniform(0.001, 0.004)
        call = {"listing": "GET /products", "lookup": "GET /orders", "order": "POST /orders"}[kind]

        def says(level, message, **more):
            self.says(pod, t, level, message, trace_id=trace, **more)

        says("info", f"{call} comes in")
        t += r.lognormvariate(math.log(0.003), 0.6)
        if r.random() < 0.004:
            says("warn", f"session of user {number} is older than its secret, refreshed")
        if self.fails("bad_deploy", t, "api") and r.random() < 0.35:
            says("error", f"cannot render answer: unexpected null in field price_v2 of {number}")
            return 500, t + 0.001
        if r.random() < 0.0006:
            says("error", "unexpected end of request body")
            return 500, t + 0.001
        status = 200
        if kind == "listing":
            if self.fails("disk", t) and r.random() < 0.3:
                self.db(t, "ERROR", 'could not extend file "base/16384/16411": '
                                    "No space left on device")
                says("error", "query failed: could not extend file: no space left on device")
                return 500, t + 0.002
            t += self.query(t, "SELECT * FROM products ORDER BY rank LIMIT 25 OFFSET "
                               f"{number % 40 * 25}")
            says("info", f"listed {r.randint(3, 25)} products")
        else:
            status, t = self.orders(t + 0.001, trace, kind, number)
            if status >= 500 and kind == "lookup":  # safe to try again
                says("warn", f"orders answered {status}, trying again")
                status, t = self.orders(t + 0.05, trace, kind, number)
            if status >= 500:
                says("error", f"orders answered {status} for {call}, giving up")
        t += 0.001
        says("info", "answered", status=status, duration_ms=round(r.uniform(4, 9), 1))
        return status, t + 0.001

    def orders(self, t, trace, kind, number):
        r = self.chance
        pod, up = self.pod("orders", t)
        if not up:
            return 503, t + 0.002

        def says(level, message, **more):
            self.says(pod, t, level, message, trace_id=trace, **more)

        if kind == "lookup":
            says("info", f"looking up order {number}")
            t += self.query(t, f"SELECT * FROM orders WHERE id = {number}")
            says("info", f"found order {number}")
            return (200 if r.random() > 0.02 else 404), t + 0.001
        says("info", f"new order {number}")
        if self.fails("bad_deploy", t, "orders") and r.random() < 0.35:
            says("error", f"tax of order {number} is not a number")
            return 500, t + 0.001
        t += self.query(t, f"UPDATE stock SET held = held + 1 WHERE item = {number % 997}")
        says("info", "stock is held", items=number % 5 + 1)
        ok, t = self.charge(t + 0.001, says, trace, number)
        if not ok:
            t += 0.001
            says("error", f"order {number} is not paid, stock released")
            return 502, t + 0.001
        if self.fails("disk", t):
            self.db(t, "ERROR", 'could not extend file "base/16384/16402": '
                                "No space left on device")
            t += 0.002
            says("error", f"cannot store order {number}: no space left on device")
            return 500, t + 0.001
        t += self.query(t, f"INSERT INTO orders VALUES ({number}, ...)")
        if self.fails("broker", t):
            t += 0.003
            says("error", f"cannot publish order {number}: dial tcp 10.43.0.17:5672: connect: "
                          "connection refused")
            return 503, t + 0.001
        says("info", f"order {number} is placed and published")
        self.job(t + r.lognormvariate(math.log(0.4), 0.7), trace, number)
        return 201, t + 0.001

    def charge(self, t, says, trace, number):
        r = self.chance
        for attempt in (1, 2, 3):
            pod, up = self.pod("payments", t)
            if up:
                break
            says("warn", f"payments: dial tcp 10.43.0.12:8080: connect: connection refused, "
                         f"attempt {attempt}")
            t += 0.1 * attempt
        else:
            return False, t
        self.says(pod, t, "info", f"charging order {number}", trace_id=trace)
        if self.fails("bad_deploy", t, "payments") and r.random() < 0.35:
            self.says(pod, t + 0.004, "error", "signature of the card service does not match",
                      trace_id=trace)
            return False, t + 0.005
        took = r.lognormvariate(math.log(0.12), 0.5)
        if r.random() < 0.01:
            self.says(pod, t + 0.3, "warn", "card service is slow, trying again", trace_id=trace)
            took += 0.3 + r.paretovariate(1.2) * 0.1
        took = min(took, 10)
        if r.random() < (0.6 if any(b <= t < e for b, e in self.blips) else 0.001):
            self.says(pod, t + took, "error", "card service closed the connection", trace_id=trace)
            return False, t + took
        self.says(pod, t + took, "info", "charged", trace_id=trace, cents=number)
        return True, t + took + 0.001

    def job(self, t, trace, number):
        r = self.chance
        pod, up = self.pod("worker", t)
        if not up or self.fails("broker", t):
            self.waiting.append((trace, number))
            return
        if self.fails("malformed", t) and r.random() < 0.8:
            self.says(pod, t, "error", f"cannot parse message: unknown field 'totl' at byte "
                                       f"{number % 90}, message rejected", trace_id=trace)
            return
        self.says(pod, t, "info", f"handling order {number}", trace_id=trace)
        t += self.query(t, f"SELECT mail FROM users WHERE order_id = {number}")
        t += r.lognormvariate(math.log(0.2), 0.9)
        if r.random() < 0.006:
            self.says(pod, t, "warning", "mail server is busy, trying again", trace_id=trace)
            t += r.uniform(1, 5)
        if r.random() < 0.001:
            self.says(pod, t, "error", "mailbox does not exist", trace_id=trace)
            return
        self.says(pod, t, "info", f"mail about order {number} is out", trace_id=trace)

    # ---- what is written whether or not anybody asks

    def household(self, begin, end):
        r = self.chance
        self.every(begin, end, 300, self.checkpoint)
        self.every(begin, end, 11, self.connection)
        self.every(begin, end, 15, self.queue_state)
        self.every(begin, end, 60, self.usage)
        self.every(begin, end, 40, self.probes)
        self.every(begin, end, HOUR, self.cron_job)
        for b, e in self.nights:
            t = b
            while begin <= t < min(e, end):
                self.says(self.pods["cron"][0], t, "info", f"archived {r.randint(50, 900)} orders")
                if r.random() < 0.3:
                    self.says(self.pods["cron"][0], t + 0.1, "error",
                              f"order {r.randint(10000, 99999)} is archived already, skipped")
                t += r.uniform(0.4, 3)
        for t in self.scans:
            self.scan(t, begin, end)

    def scan(self, t, begin, end):
        for _ in range(self.chance.randint(60, 400)):
            t += self.chance.expovariate(8)
            if begin <= t < end and self.pod("edge", t)[1]:
                self.edge(t, t + 0.001, "GET", f"/{self.chance.getrandbits(30):x}.php", 404)

    def every(self, begin, end, seconds, does):
        t = begin + self.chance.uniform(0, seconds)
        while t < end:
            does(t)
            t += seconds * self.chance.uniform(0.9, 1.1)

    def checkpoint(self, t):
        r = self.chance
        if self.fails("disk", t):
            self.db(t, "PANIC" if r.random() < 0.1 else "ERROR",
                    'could not write to file "pg_wal/xlogtemp.77": No space left on device')
            return
        self.db(t, "LOG", "checkpoint starting: time")
        wrote = r.randint(20, 900)
        self.db(t + wrote / 10, "LOG",
                f"checkpoint complete: wrote {wrote} buffers ({wrote / 163.84:.1f}%); "
                f"write={wrote / 10:.3f} s, sync=0.004 s, total={wrote / 10 + .1:.3f} s")
        if r.random() < 0.1:
            self.db(t + 100, "LOG", 'automatic vacuum of table "shop.public.orders": index scans: 1')

    def connection(self, t):
        port = self.chance.randint(30000, 60000)
        if self.fails("broker", t):
            self.says(self.pods["worker"][0], t, "error",
                      "lost connection to broker:5672 ([Errno 111] Connection refused), "
                      "trying again in 10 s")
            return
        self.broker(t, "info", f"accepting AMQP connection 10.42.1.9:{port} -> 10.42.0.7:5672")
        if self.chance.random() < 0.02:
            self.broker(t + 1, "warning", f"closing AMQP connection 10.42.1.9:{port}: "
                                          "client unexpectedly closed TCP connection")

    def queue_state(self, t):
        if self.fails("broker", t) or not self.pods["worker"][0].up(t):
            return
        depth = max(0, int(self.chance.gauss(2, 2))) + len(self.waiting)
        self.waiting = self.waiting[20:]
        pod = self.pods["broker"][0]
        pod.write(t, f"{stamp(t)[:10]} {stamp(t)[11:23]}000+00:00 [info] <0.77.0> queue orders: "
                     f"{depth} messages ready")

    def usage(self, t):
        for service, usual in CPU.items():
            busy = usual * (0.4 + season(t)) * self.chance.lognormvariate(0, 0.25)
            if service == "db" and any(b <= t < e for b, e in self.nights):
                busy += 30
            if service == "db" and self.fails("slow_db", t):
                busy = self.chance.uniform(88, 99)
            if not self.pods[service][0].up(t) or self.fails("broker", t, service):
                continue
            self.file("usage.log").append((t, json.dumps(
                {"ts": stamp(t), "level": "info", "service": service,
                 "cpu_percent": round(busy, 1)}) + "\n"))

    def probes(self, t):
        r = self.chance
        for service in ("api", "payments"):
            for pod in self.pods[service]:
                if pod.up(t) and r.random() < 0.02:
                    self.says(pod, t, "warn", f"health check took {r.randint(900, 2500)} ms")
        if r.random() < 0.005:
            self.kernel("abc"[r.randint(0, 2)], t, "eth0: renamed from vethd41")

    def cron_job(self, t):
        pod = self.pods["cron"][0]
        pod.replace(t)
        self.says(pod, t, "info", "cleaning sessions")
        self.says(pod, t + 3, "info", f"removed {self.chance.randint(0, 400)} sessions")
        if self.chance.random() < 0.03:
            self.says(pod, t + 3.1, "error", "cannot reach the statistics server, skipped")


# ---- what the agent is told about it

def slos(paths):
    def of(name, service, source, good, total, target):
        return f"""---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  labels: {{tier: "1"}}
spec:
  service: {service}
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 30d, isRolling: true}}]
  indicator:
    metadata: {{name: {name}-indicator}}
    spec:
      ratioMetric:
        counter: false
        good: {{metricSource: {{type: nines.log, spec: {{{source}, where: "{good}"}}}}}}
        total: {{metricSource: {{type: nines.log, spec: {{{source}, where: "{total}"}}}}}}
  objectives: [{{displayName: {name}, target: {target}}}]
"""
    def source(name):
        globs = ", ".join(f'"{path}/*/pods/shop_{name}-*/*/*.log"' for path in paths)
        return f"paths: [{globs}]"

    return (of("shop-answers", "edge", source("edge"), "status < 500", "status > 0", "0.995") +
            of("shop-is-fast", "edge", source("edge"), "request_time < 1.0",
               "status > 0 AND status < 500", "0.98") +
            of("orders-are-handled", "worker", source("worker"), "message LIKE '%mail about%'",
               "message LIKE '%mail about%' OR message LIKE '%cannot parse%' OR "
               "message LIKE '%does not exist%'", "0.98"))


def configuration(paths, extra=""):
    def globs(what):
        return "[" + ", ".join(f'"{path}/{what}"' for path in paths) + "]"

    return f"""node: shop
sources:
  - name: pods
    paths: {globs("*/pods/*/*/*.log")}
  - name: kernel
    paths: {globs("*/kern.log")}
    format: syslog
  - name: usage
    paths: {globs("usage.log")}
    gauge: {{value: cpu_percent}}
incidents:
  sources: [pods, kernel, usage]
{extra}"""

#!/usr/bin/env python3
"""Remote write to the real Prometheus (with and without a window for old samples) and
VictoriaMetrics, OTLP to a stand-in: killed while the agent tells them, away for a while, with an agent that is killed
meanwhile. Afterwards each of them has every sample, and each sample is what a recount of the log
says."""
import calendar
import contextlib
import re
import threading
import time

import common
import engines

STEP_S = 10


class Writer(threading.Thread):
    """Twenty lines a second, one in ten of them bad; keeps the time of each."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.path, self.ending = path, threading.Event()

    def run(self):
        with open(self.path, "a", buffering=1) as f:
            n = 0
            while not self.ending.wait(0.05):
                n += 1
                stamp = time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime())
                status = 503 if n % 10 == 0 else 200
                f.write(f'10.0.0.1 - - [{stamp}] "GET / HTTP/1.1" {status} 1 "-" "t" 0.010\n')


def recount(path):
    """Times of good and bad lines."""
    found = {"good": [], "bad": []}
    with open(path) as f:
        for line in f:
            stamp, status = re.search(r"\[(.*?) \+0000\] .*?\" (\d+) ", line).groups()
            at = calendar.timegm(time.strptime(stamp, "%d/%b/%Y:%H:%M:%S"))
            found["good" if status == "200" else "bad"].append(at)
    return found


def series_of(engine, result):
    found = engine.samples(f'nines_slo_events_total{{slo="web",result="{result}"}}', 1200)
    return next(iter(found.values()), [])


def newest(engine):
    return max((t for t, _ in series_of(engine, "good")), default=0)


def behind(agent, name):
    _, text = common.get(agent.port, "/metrics")
    found = re.search(rf'nines_upstream_behind_seconds{{upstream="{name}"}} (\d+)', text.decode())
    return int(found[1]) if found else None


def check_engine(checks, engine, counted, first, last):
    for result in ("good", "bad"):
        samples = [s for s in series_of(engine, result) if first <= s[0] <= last]
        what = f"{engine.name} {result}"
        checks.equal([t for t, _ in samples], [float(t) for t in range(first, last + 1, STEP_S)],
                     f"{what}: a sample every {STEP_S} s")
        # A line counts into the second it names; the last second may have been read in parts.
        wrong = [(t, v) for t, v in samples
                 if not sum(x < t - 2 for x in counted[result]) <= v
                 <= sum(x <= t for x in counted[result])]
        checks.equal(wrong, [], f"{what}: what the log says")
        checks.that(all(a[1] <= b[1] for a, b in zip(samples, samples[1:])), f"{what}: only grows")


def check_labels(checks, engine):
    names = {"slo:sli_error:ratio_rate5m", "slo:current_burn_rate:ratio", "slo:objective:ratio",
             "slo:period_error_budget_remaining:ratio", "sloth_slo_info"}
    found = engine.samples('{sloth_slo="web"}', 1200)
    got = {dict(labels)["__name__"] for labels in found}
    checks.that(names <= got, f"{engine.name}: Sloth's series, got {sorted(got)}")
    for labels in map(dict, found):
        checks.equal((labels["node"], labels["job"], labels["cluster"]), ("test", "nines", "shop-7"),
                     f"{engine.name}: labels")
    objective = [v for labels, v in found.items() if dict(labels)["__name__"] == "slo:objective:ratio"]
    checks.equal({value for _, value in objective[0]}, {0.9}, f"{engine.name}: objective")


def main():
    checks = common.Checks()
    folder = common.scratch("upstream")
    all_engines = [engines.Prometheus(folder, "window", window="1d"),
                   engines.Prometheus(folder, "plain"), engines.VictoriaMetrics(folder, "victoria"),
                   engines.Collector("collector")]
    log, port = f"{folder}/access.log", common.free_port()
    common.write(f"{folder}/slos/web.yaml", common.ratio_slo(
        "web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1h"))
    upstream = "upstream:\n" + "".join(
        f"  - {{name: {e.name}, kind: {e.kind}, every: {STEP_S}s,"
        f" url: \"http://127.0.0.1:{e.port}{e.url_path}\","
        " labels: [cluster=shop-7]}\n" for e in all_engines)
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port, upstream))

    def start():
        return common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log")

    def told(agent, seconds):
        common.wait_until(lambda: all(behind(agent, e.name) == 0 for e in all_engines), seconds,
                          "everything is told")

    def has(count):
        return lambda: all(len(series_of(e, "good")) >= count for e in all_engines)

    writer = Writer(log)
    writer.start()
    try:
        for engine in all_engines:
            engine.start()
        with start() as agent:
            common.wait_until(has(3), 120, "the first samples")
            for engine in all_engines:
                engine.kill()  # loses some of what it said it had
            first_away = time.time()
            common.wait_until(lambda: time.time() > first_away + 4 * STEP_S, 90, "an outage")
        with start() as agent:  # killed, and told nobody meanwhile
            common.wait_until(lambda: agent.slos().get("web", {}).get("total", 0) > 0, 30, "lines")
            common.wait_until(lambda: (behind(agent, "plain") or 0) >= 5 * STEP_S, 60, "a backlog")
            for engine in all_engines:
                engine.start()
            told(agent, 180)  # back-off grew meanwhile
            told_at = time.time()
            common.wait_until(lambda: all(newest(e) > told_at + STEP_S for e in all_engines), 90,
                              "samples of the present")
            told(agent, 30)
        writer.ending.set()
        writer.join()
        counted = recount(log)
        starts = [series_of(e, "good")[0][0] for e in all_engines]
        ends = [series_of(e, "good")[-1][0] for e in all_engines]
        for engine in all_engines:
            check_engine(checks, engine, counted, int(max(starts)), int(min(ends)))
            check_labels(checks, engine)
        checks.equal(all_engines[3].wrong, [], "every request follows the OTLP specification")
        checks.that(max(starts) - min(starts) <= STEP_S, f"they begin together: {starts}")
        checks.that(max(starts) < first_away and told_at < min(ends),
                    f"the outage lies within what was compared: {starts} {ends}")
    finally:
        writer.ending.set()
        for engine in all_engines:
            engine.kill()
        with contextlib.suppress(FileNotFoundError), open(f"{folder}/agent.log", errors="replace") as f:
            print(f.read()[-3000:] if checks.failures else "", end="")
    checks.finish()


if __name__ == "__main__":
    main()

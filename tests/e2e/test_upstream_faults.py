#!/usr/bin/env python3
"""Prometheus and VictoriaMetrics behind a proxy that answers 429, 500 and 400 in their place and loses
their answers, with an agent that is killed meanwhile: in the end each has every sample, each sample is
what a recount of the log says, and nothing was given up."""
import re
import time

import common
import engines
import faulty_proxy
import test_upstream

STEP_S = test_upstream.STEP_S
MOODS = ["lose", (429, {"Retry-After": "3"}, b"slow down"), (500, {}, b"internal error"),
         (400, {}, b"<html>misconfigured</html>"), (503, {}, b"no backend"), "lose"]


def metric(agent, name, upstream):
    _, text = common.get(agent.port, "/metrics")
    found = re.search(rf'^{name}{{upstream="{upstream}"}} (\d+)', text.decode(), re.M)
    return int(found[1]) if found else None


def told(agent, all_engines):
    common.wait_until(lambda: all(test_upstream.behind(agent, e.name) == 0 for e in all_engines), 330,
                      "everything is told")


def bad_day(start, proxies, all_engines):
    """Each mood until it was met, a sample's time at least; killed in the middle of them."""
    agent = start()
    try:
        common.wait_until(lambda: all(len(test_upstream.series_of(e, "good")) >= 2
                                      for e in all_engines), 120, "the first samples")
        for n, mood in enumerate(MOODS):
            for proxy in proxies:
                proxy.mood, proxy.met = mood, {}
            began = time.time()
            common.wait_until(lambda: all(p.met.get(str(mood), 0) > 0 for p in proxies)
                              and time.time() > began + STEP_S, 150, f"{mood} is met")
            if n == len(MOODS) // 2:
                agent.kill()
                agent = start()
        for proxy in proxies:
            proxy.mood = "pass"
        told(agent, all_engines)
        return agent
    except BaseException:
        agent.kill()
        raise


def main():
    checks, folder = common.Checks(), common.scratch("upstream-faults")
    all_engines = [engines.Prometheus(folder, "window", window="1d"),
                   engines.VictoriaMetrics(folder, "victoria")]
    proxies = [faulty_proxy.FaultyProxy(e) for e in all_engines]
    log, port = f"{folder}/access.log", common.free_port()
    common.write(f"{folder}/slos/web.yaml", common.ratio_slo(
        "web", f'paths: ["{log}"], format: nginx', "status < 500", "", "0.9", "1h"))
    upstream = "upstream:\n" + "".join(
        f"  - {{name: {e.name}, kind: {e.kind}, every: {STEP_S}s,"
        f" url: \"http://127.0.0.1:{p.port}{e.url_path}\"}}\n" for e, p in zip(all_engines, proxies))
    config = common.write(f"{folder}/nines.yaml", common.node_yaml(port, upstream))
    writer = test_upstream.Writer(log)
    writer.start()
    try:
        for engine in all_engines:
            engine.start()
        with bad_day(lambda: common.Agent(config, f"{folder}/state", port, log=f"{folder}/agent.log"),
                     proxies, all_engines) as agent:
            quiet = time.time()
            common.wait_until(lambda: all(test_upstream.newest(e) > quiet for e in all_engines), 60,
                              "samples of the present")
            writer.ending.set()
            writer.join()
            told(agent, all_engines)
            for engine in all_engines:
                for name in ("refused_samples", "given_up_seconds"):
                    checks.equal(metric(agent, f"nines_upstream_{name}_total", engine.name), 0,
                                 f"{engine.name}: {name}")
        counted = test_upstream.recount(log)
        for engine in all_engines:
            samples = test_upstream.series_of(engine, "good")
            test_upstream.check_engine(checks, engine, counted, int(samples[0][0]), int(samples[-1][0]))
            print(f"{engine.name}: {len(samples)} samples of a series", flush=True)
    finally:
        writer.ending.set()
        for ending in [p.end for p in proxies] + [e.kill for e in all_engines]:
            ending()
        with open(f"{folder}/agent.log", errors="replace") as f:
            print(f.read()[-3000:] if checks.failures else "", end="")
    checks.finish()


if __name__ == "__main__":
    main()

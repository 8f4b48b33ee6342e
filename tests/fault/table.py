"""Runs the cases, each in a process of its own, and prints what came of them."""
import json
import os
import subprocess
import sys
import textwrap
import time
import traceback
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor

import trial
import common
import elsewhere
import storage  # noqa: F401 (declares cases; so do the others)
import resources  # noqa: F401
import clocks  # noqa: F401
import files  # noqa: F401
import clients  # noqa: F401
import peers  # noqa: F401
import overload  # noqa: F401

RUN = os.path.join(trial.HERE, "run")
LIMIT_S = 6 * 3600 if trial.LONG else 300


def law(case):
    return ", ".join(f"{n} {trial.LAWS[n]}" for n in case.laws)


def run_one(number):
    """In the child: the case, and all that it saw."""
    test = trial.Trial(trial.CASES[number])
    try:
        test.need()
        test.case.body(test)
    except trial.Skipped as e:
        return {"number": number, "skipped": str(e)}
    except Exception as e:  # pylint: disable=broad-except
        traceback.print_exc(file=sys.stdout)
        test.that(False, f"{type(e).__name__}: {e}")
    return test.end()


def child(number):
    case, began = trial.CASES[number], time.monotonic()
    own = ["unshare", "--mount", "--propagation", "private"] if case.root and os.geteuid() == 0 else []
    limit = 6 * 3600 if os.environ.get("NINES_LONG") else LIMIT_S
    process = subprocess.Popen([*own, sys.executable, RUN, "--one", str(number)],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        text, _ = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        text, _ = process.communicate()
        text += f"\nnot done after {limit} s".encode()
    text = text.decode(errors="replace")
    line = next((l for l in reversed(text.splitlines()) if l.startswith("RESULT ")), None)
    result = json.loads(line[7:]) if line else {"number": number, "failures": ["it ended without a word"]}
    result["seconds"], result["text"] = time.monotonic() - began, text
    show(case, result)
    return result


def verdict(result):
    if "skipped" in result:
        return "SKIPPED"
    return "FAILED" if result["failures"] else "ok"


def paragraph(name, text):
    return textwrap.fill(text, 110, initial_indent=f"      {name:9}", subsequent_indent=" " * 15)


def show(case, result):
    lines = [f"{case.number:4}  {verdict(result):8} {case.fault}  ({result['seconds']:.0f} s)",
             paragraph("injected", case.how), paragraph("law", law(case))]
    if "skipped" in result:
        lines.append(paragraph("SKIPPED", result["skipped"]))
    else:
        lines += [paragraph("happened", "; ".join(result.get("proofs", [])))]
        lines += [paragraph("seen", "; ".join(result.get("seen", [])))]
        if result.get("peak_mib"):
            lines.append(paragraph("memory", f"peak RSS {result['peak_mib']} MiB of"
                                   f" {trial.CEILING_BYTES >> 20}"))
        lines += [paragraph("FAILED", failure) for failure in result["failures"]]
    print("\n".join(lines), flush=True)
    if verdict(result) == "FAILED":
        print(textwrap.indent(result["text"][-6000:], "      | "), flush=True)


def junit(path, results):
    suite = xml.Element("testsuite", name="fault", tests=str(len(results)),
                        failures=str(sum(verdict(r) == "FAILED" for r in results)),
                        skipped=str(sum(verdict(r) == "SKIPPED" for r in results)))
    for result in results:
        case = trial.CASES[result["number"]]
        one = xml.SubElement(suite, "testcase", classname="fault", time=f"{result['seconds']:.1f}",
                             name=f"{case.number} {case.fault}")
        if verdict(result) == "FAILED":
            xml.SubElement(one, "failure", message="; ".join(result["failures"])[:500])
        if verdict(result) == "SKIPPED":
            xml.SubElement(one, "skipped", message=result["skipped"])
        text = "".join(c for c in result["text"][-8000:] if c in "\n\t" or " " <= c < "\ud800")
        xml.SubElement(one, "system-out").text = text
    xml.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def show_list():
    for number, case in sorted(trial.CASES.items()):
        print(f"{number:4}  {case.fault}\n{paragraph('injected', case.how)}\n{paragraph('law', law(case))}")
    print("\nShown elsewhere:")
    for fault, shown in elsewhere.SHOWN:
        print(f"      {fault}: {', '.join(shown)}")


def run_all(only, jobs, junit_path, others):
    common.tool("NINES_BIN")
    numbers = only or sorted(trial.CASES, reverse=True)  # those that take long first
    began = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        results = list(pool.map(child, numbers))
    if junit_path:
        junit(junit_path, results)
    told = {v: [r["number"] for r in results if verdict(r) == v] for v in ("ok", "FAILED", "SKIPPED")}
    if others:
        told["FAILED"] += elsewhere.run()
    if told["SKIPPED"]:
        print("#" * 70 + f"\n##  {len(told['SKIPPED'])} CASES SKIPPED: nothing is known about them:")
        for result in results:
            if "skipped" in result:
                print(f"##  {result['number']}: {result['skipped']}")
        print("#" * 70)
    print(f"{len(told['ok'])} of {len(results)} faults hold, {len(told['SKIPPED'])} skipped, failed: "
          f"{', '.join(map(str, told['FAILED'])) or 'none'}; {time.monotonic() - began:.0f} s")
    if told["FAILED"]:
        return 1
    return common.SKIP if len(told["SKIPPED"]) == len(results) else 0

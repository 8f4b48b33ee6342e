"""Lines that a container runtime has wrapped, and records of several lines."""
from model import *  # noqa: F401,F403
from model import Scenario
import json

CRI_TS = ts(".123456789")
POD = "pods/shop_web-1_0d1f0a5c-7a3b-4a0e-9b0e-0f5a4c3b2a10/nginx/0.log"


def cri(stream, flag, text):
    return f"{CRI_TS} {stream} {flag} {text}\n"


def docker(text, stream="stdout"):
    return json.dumps({"log": text, "stream": stream, "time": CRI_TS}, separators=(",", ":")) + "\n"


def block(*texts):
    return "\n".join(texts)


JAVA = block('Exception in thread "main" java.lang.IllegalStateException: bad book',
             "\tat com.example.Author.getBookIds(Author.java:38)",
             "\tat com.example.Bootstrap.main(Bootstrap.java:14)",
             "Caused by: java.lang.NullPointerException", "\tat com.example.Book.getId(Book.java:22)",
             "\t... 1 more")
PYTHON = block("Traceback (most recent call last):", '  File "/srv/app.py", line 12, in handler',
               "    return users[name]", "KeyError: 'bad'")
GO = block("panic: bad index [recovered]", "", "goroutine 1 [running]:", "main.main()",
           "\t/srv/main.go:10 +0x20", "exit status 2")
DOTNET = block("Unhandled exception. System.InvalidOperationException: bad",
               " ---> System.ArgumentNullException: Value cannot be null.",
               "   at Shop.Cart.Add(String x) in /src/Cart.cs:line 12",
               "   --- End of inner exception stack trace ---",
               "   at Shop.Program.Main(String[] args) in /src/Program.cs:line 5")
RUBY = block("app.rb:7:in `fetch': key not found: :bad (KeyError)", "\tfrom app.rb:7:in `block in run'",
             "\tfrom app.rb:9:in `<main>'")
NODE = block("/srv/app/index.js:10", "    throw new Error('bad');", "    ^", "", "Error: bad",
             "    at Object.<anonymous> (/srv/app/index.js:10:11)", "    at node:internal/main:28:49")
TRACES = (("Java", JAVA), ("Python", PYTHON), ("Go", GO), (".NET", DOTNET), ("Ruby", RUBY), ("Node", NODE))

SCENARIOS = [
    Scenario("CRI: pieces of stdout and stderr interleaved", ids=("L6",), paths=(POD,), steps=[
        write(POD, cri("stdout", "P", "1a. some ") + cri("stderr", "P", "1b. some ")
              + cri("stdout", "P", "multiline ") + cri("stderr", "P", "multiline ")
              + cri("stdout", "F", "log") + cri("stderr", "F", "log")),
        look(Record("1a. some multiline log", namespace="shop", pod="web-1", container="nginx"),
             Record("1b. some multiline log"))]),
    Scenario("CRI: pieces over a restart", ids=("L6", "R7"), paths=(POD,), ways=("agent",), steps=[
        write(POD, cri("stdout", "F", "whole") + cri("stdout", "P", "half ")), look(Record("whole")), restart(),
        write(POD, cri("stdout", "F", "and half, bad")), look(Record("half and half, bad"))]),
    Scenario("CRI: pieces over a rotation", ids=("L6", "R1"), paths=(POD,), steps=[
        write(POD, cri("stdout", "F", "one")), look(Record("one")),
        write(POD, cri("stdout", "F", "two")), rename(POD, POD + ".20261121-101010"),
        write(POD, cri("stdout", "F", "three")), look(Record("two"), Record("three"))]),
    Scenario("CRI: an empty full line ends the pieces", ids=("L6",), paths=(POD,), steps=[
        write(POD, cri("stdout", "P", "no end ") + cri("stdout", "F", "") + cri("stdout", "F", "next")),
        look(Record("no end "), Record("next"))]),
    Scenario("CRI: 16 KiB pieces", ids=("L6",), paths=(POD,), steps=[
        write(POD, cri("stdout", "P", "a" * 16384) + cri("stdout", "P", "b" * 16384) + cri("stdout", "F", "c")),
        look(Record("a" * 16384 + "b" * 16384 + "c"))]),
    Scenario("CRI: a line that is not of the runtime", ids=("L6",), paths=(POD,), any_order=True, steps=[
        write(POD, cri("stdout", "F", "one") + cri("stdout", "F", "two") + "garbage\n" + cri("stdout", "F", "three")),
        look(Record("one"), Record("two"), malformed("garbage", "not_cri"), Record("three"))]),
    Scenario("CRI: JSON inside", ids=("L6",), paths=(POD,), good="status < 500", steps=[
        write(POD, "".join(cri("stdout", "F", f'{{"time":"{ts()}","msg":"m{n}","status":{500 if n % 5 == 0 else 200}}}')
                           for n in range(100))),
        look([Record(message=f"m{n}", bad=n % 5 == 0) for n in range(100)])]),
    Scenario("CRI: a piece that is never completed", ids=("L6",), paths=(POD,), steps=[
        write(POD, cri("stdout", "F", "one") + cri("stdout", "P", "half a record")),
        look(Record("one"), Record("half a record"))], ways=("tail",)),
    Scenario("pod path of a rotated log: names and restart count", ids=("L7",), paths=("pods/*/*/*.log",), steps=[
        write("pods/kube-system_kube-scheduler44_49cc7c1f/kube-scheduler44/1.log", cri("stdout", "F", "a")),
        look(Record("a", namespace="kube-system", pod="kube-scheduler44", container="kube-scheduler44")),
        rename("pods/kube-system_kube-scheduler44_49cc7c1f/kube-scheduler44/1.log",
               "pods/kube-system_kube-scheduler44_49cc7c1f/kube-scheduler44/1.log.20250219-233547"),
        write("pods/kube-system_kube-scheduler44_49cc7c1f/kube-scheduler44/1.log", cri("stdout", "F", "b")),
        look(Record("b", namespace="kube-system", pod="kube-scheduler44", container="kube-scheduler44"))]),
    Scenario("a container restarts: 0.log, then 1.log", ids=("L7",), paths=("pods/*/*/*.log",), steps=[
        write("pods/n_p_u/c/0.log", cri("stdout", "F", "a")), look({"pods/n_p_u/c/0.log": [Record("a")]}),
        write("pods/n_p_u/c/0.log", cri("stdout", "F", "b")), write("pods/n_p_u/c/1.log", cri("stdout", "F", "c")),
        look({"pods/n_p_u/c/0.log": [Record("b")], "pods/n_p_u/c/1.log": [Record("c")]})]),
    Scenario("Docker json-file", ids=("L6",), steps=[
        write("app.log", docker("hello\n") + docker("bad \"day\"\n", "stderr") + docker("\u20ac\r\n")),
        look(Record("hello"), Record('bad "day"'), Record("\u20ac"))]),
    Scenario("Docker json-file: pieces of two streams", ids=("L6",), steps=[
        write("app.log", docker("1a. some ") + docker("1b. some ", "stderr") + docker("log\n")
              + docker("log\n", "stderr")), look(Record("1a. some log"), Record("1b. some log"))]),
    Scenario("Docker json-file: JSON inside", ids=("L6",), good="status < 500", steps=[
        write("app.log", "".join(docker(f'{{"time":"{ts()}","msg":"m{n}","status":{500 if n % 4 == 0 else 200}}}\n')
                                 for n in range(40))),
        look([Record(message=f"m{n}", bad=n % 4 == 0) for n in range(40)])]),
    *[Scenario(f"a {language} trace behind a stamped line", ids=("L8",), steps=[
        write("app.log", lines("ERROR it failed") + trace + "\n" + lines("INFO next")),
        look(Record(f"{S}ERROR it failed\n{trace}"), Record(f"{S}INFO next"))]) for language, trace in TRACES],
    *[Scenario(f"a {language} trace without time stamps, in CRI lines", ids=("L8", "L6"),
               paths=(POD,), steps=[
                   write(POD, "".join(cri("stderr", "F", l) for l in ["ordinary", *trace.split("\n"), "Ordinary"])),
                   look(Record("ordinary"), Record(trace), Record("Ordinary"))]) for language, trace in TRACES],
    Scenario("a trace over a restart between its parts", ids=("L8", "L9"), ways=("agent",),
             no_kill="a second of silence ends a record", steps=[
                 write("app.log", lines("ERROR it failed") + JAVA + "\n"), look(Record(bad=True)), restart(),
                 write("app.log", lines("INFO next")), look(Record("next"))]),
    Scenario("a custom start pattern", ids=("L8",), ways=("agent",),
             source="multiline: '^BEGIN '", format="plain", steps=[
                 write("app.log", "BEGIN one\nmore\nmore\nBEGIN two bad\nmore\n"),
                 look(Record("BEGIN one"), Record("BEGIN two bad"))]),
    Scenario("multiline: none joins nothing", ids=("L8",), ways=("agent",), source="multiline: none", steps=[
        write("app.log", lines("ERROR it failed") + JAVA + "\n"),
        look(*[Record(l) for l in ["it failed", *JAVA.split("\n")]])]),
    Scenario("silence ends a record, what comes later is no part of another", ids=("L8",),
             ways=("agent",), no_kill="how long it was silent decides", steps=[
                 write("app.log", lines("one", "two")), look("one", "two"),
                 write("app.log", "  too late\n" + lines("three")), look("three")]),
    Scenario("PostgreSQL: details belong to their record", ids=("L8", "L13"), format="postgres",
             steps=[write("app.log", f'{at("%Y-%m-%d %H:%M:%S")}.262 UTC [1] ERROR:  bad relation\n'
                          f'{at("%Y-%m-%d %H:%M:%S")}.262 UTC [1] STATEMENT:  SELECT 1\n\tFROM t\n'
                          f'{at("%Y-%m-%d %H:%M:%S")}.262 UTC [1] LOG:  checkpoint\n'),
                    look(Record(level="ERROR", bad=True), Record(message="checkpoint"))]),
]

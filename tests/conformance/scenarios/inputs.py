"""Inputs that are not files, and two sources on one file."""
from model import *  # noqa: F401,F403
from model import Scenario

LOST = "what is sent while nobody listens is lost, and Nines says so"


def message(text, severity=6):
    return f'<{8 + severity}>{at("%b %e %H:%M:%S")} host app[1]: {text}'


def octets(text):
    return f"{len(text.encode())} {text}"


SCENARIOS = [
    Scenario("syslog over UDP", ids=("L11",), ways=("agent",), no_kill=LOST, format="syslog",
             inputs='syslog: {listen: ["udp://@HOST@:5514"]}', steps=[
                 send_udp(message("one"), message("bad two"), message("three\n")),
                 look("one", "bad two", "three"), send_udp(*[message(f"m {n}") for n in range(50)]),
                 look([f"m {n}" for n in range(50)])]),
    Scenario("syslog over TCP: lines", ids=("L12",), ways=("agent",), no_kill=LOST,
             format="syslog", inputs='syslog: {listen: ["tcp://@HOST@:5514"]}', steps=[
                 send_tcp(message("one") + "\n" + message("bad t"), "wo\n"), look("one", "bad two"),
                 send_tcp(message("no line end")), look("no line end")]),
    Scenario("syslog over TCP: octet counting, frames cut anywhere", ids=("L12",), ways=("agent",),
             no_kill=LOST, format="syslog", inputs='syslog: {listen: ["tcp://@HOST@:5514"]}',
             steps=[send_tcp(*(octets(message("one")) + octets(message("bad two\nin two lines")))), look("one", "bad two"),
                    send_tcp(octets(message("x" * 5000)) * 20), look(["x" * 5000] * 20)]),
    Scenario("syslog over a unix socket", ids=("L11",), ways=("agent",), no_kill=LOST,
             format="syslog", inputs='syslog: {listen: ["unix://@DIR@/log.sock"]}', steps=[
                 send_unix("log.sock", message("one"), message("bad two")), look("one", "bad two"), restart(),
                 send_unix("log.sock", message("three")), look("three")]),
    Scenario("syslog over a unix stream socket", ids=("L12",), ways=("agent",), no_kill=LOST,
             format="syslog", inputs='syslog: {listen: ["unix-stream://@DIR@/log.sock"]}', steps=[
                 send_unix("log.sock", message("one") + "\n" + message("two") + "\n", stream=True),
                 look("one", "two")]),
    Scenario("standard input", ids=("L4",), ways=("agent",), inputs="stdin: true",
             no_kill="nobody can read again what came over a pipe", steps=[
                 type_in(lines("one", "bad two")), look("one", "bad two"), type_in(S + "thr"), look(),
                 type_in("ee\n"), look("three")]),
    Scenario("a rate limit that waits loses nothing", ids=("L14",), ways=("agent",),
             source="rate_limit: {lines: 2000}", steps=[
                 write("app.log", lines(*(f"m {n}" for n in range(6000)))), look([f"m {n}" for n in range(6000)])]),
    Scenario("catching up newest first loses nothing", ids=("R15",), ways=("agent",),
             source="catch_up: newest_first", steps=[
                 write("app.log", lines("a")), look("a"), stop(), write("app.log", lines("b")),
                 rename("app.log", "app.log.1"), write("app.log", lines("c")), start(), look("b", "c")]),
    Scenario("only some records count", ids=("L14",), ways=("agent",), where="raw LIKE '%count%'", steps=[
        write("app.log", lines("count me", "leave me", "count me, bad")), look("count me", "count me, bad")]),
]

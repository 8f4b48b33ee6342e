"""What happens while Nines is down, and to what it remembers."""
from model import *  # noqa: F401,F403
from model import Scenario, numbered

SCENARIOS = [
    Scenario("copied and truncated while stopped", ids=("R6",), steps=[
        write("app.log", lines(*numbered(0, 10))), look(numbered(0, 10)), stop(),
        copytruncate("app.log", "app.log.1"), write("app.log", lines("new")), start(), look("new")]),
    Scenario("copied and truncated while stopped, with unread lines", ids=("R6", "R11"), steps=[
        write("app.log", lines(*numbered(0, 10))), look(numbered(0, 10)), stop(),
        write("app.log", lines("unread")), copytruncate("app.log", "app.log.1"),
        write("app.log", lines("new")), start(), look("unread", "new")]),
    Scenario("truncated while stopped", ids=("R6",), steps=[
        write("app.log", lines(*numbered(0, 10))), look(numbered(0, 10)), stop(),
        overwrite("app.log", lines("new")), start(), look("new")]),
    Scenario("truncated while stopped and grown past the old position", ids=("R6", "R9"), steps=[
        write("app.log", lines(*numbered(0, 10))), look(numbered(0, 10)), stop(),
        overwrite("app.log", lines(*numbered(50, 30))), start(), look(numbered(50, 30))]),
    Scenario("a partial line over a restart is one line", ids=("R7", "T10"), ways=("agent",), steps=[
        write("app.log", S + "partial"), look(), restart(), write("app.log", " line\n"), look("partial line")]),
    Scenario("a line written in three pieces", ids=("R7",), ways=("agent",), steps=[
        write("app.log", lines("a") + S + "part"), look("a"), write("app.log", "ial"), look(),
        write("app.log", " line\n" + lines("b")), look("partial line", "b")]),
    Scenario("--once takes an unterminated last line, and its rest is passed over", ids=("R7",),
             ways=("tail",), steps=[
                 write("app.log", lines("whole") + S + "unterminated"), look("whole", "unterminated"),
                 write("app.log", " rest\n" + lines("next")), look("next")]),
    Scenario("the last line of a rotated file has no end", ids=("R7", "R11"), steps=[
        write("app.log", lines("a") + S + "b without end"), look("a"), rename("app.log", "app.log.1"),
        write("app.log", lines("c")),
        look("b without end", "c")], ways=("agent",), seconds=120,
        no_kill="thirty quiet seconds decide that it is finished; other scenarios kill"),
    Scenario("renamed while stopped, then written", ids=("R10",), steps=[
        write("app.log", lines(*numbered(0, 10000))), look(numbered(0, 10000)), stop(),
        rename("app.log", "app.log.1"), write("app.log.1", lines(*numbered(10000, 10000))), start(),
        write("app.log", lines("new")),
        look(numbered(10000, 10000), "new")]),
    Scenario("rotated several times while stopped", ids=("R10", "T9"), steps=[
        write("app.log", lines("a")), look("a"), stop(),
        write("app.log", lines("b")), rename("app.log", "app.log.1"),
        write("app.log", lines("c")), rename("app.log.1", "app.log.2"), rename("app.log", "app.log.1"),
        write("app.log", lines("d")), rename("app.log.2", "app.log.3"), rename("app.log.1", "app.log.2"),
        rename("app.log", "app.log.1"), write("app.log", lines("e")), start(),
        look("b", "c", "d", "e")]),
    Scenario("rotated while stopped, glob *.log", ids=("R10", "T9"), paths=("*.log",), steps=[
        write("app.log", lines(*numbered(0, 600))), look(numbered(0, 600)), stop(),
        write("app.log", lines(*numbered(600, 500))), rename("app.log", "app.log.1"),
        write("app.log", lines(*numbered(1100, 700))), start(), look(numbered(600, 1200))]),
    Scenario("generations that were there before the first look are not ours", ids=("R10",), steps=[
        stop(), write("app.log.1", lines("old")), age("app.log.1", 3600), write("app.log", lines("a")),
        start(), look("a")]),
    Scenario("the inode was given to another log while stopped", ids=("T8", "R17"), steps=[
        write("app.log", lines(*numbered(0, 100))), look(numbered(0, 100)), stop(),
        reuse_inode("app.log", lines(*numbered(5000, 150))), start(), look(numbered(5000, 150))]),
    Scenario("the inode was given to another log while running", ids=("T8", "R17"), steps=[
        write("app.log", lines(*numbered(0, 100))), look(numbered(0, 100)),
        reuse_inode("app.log", lines(*numbered(5000, 150))), look(numbered(5000, 150))]),
    Scenario("the inode was given to another log that is shorter", ids=("T8", "R17"), steps=[
        write("app.log", lines(*numbered(0, 100))), look(numbered(0, 100)), stop(),
        reuse_inode("app.log", lines("short")), start(), look("short")]),
    Scenario("4,000 lines in small parts with stops between", ids=("R14",), steps=sum((
        [write("app.log", lines(*numbered(n * 400, 200))), look(numbered(n * 400, 200)), stop(),
         write("app.log", lines(*numbered(n * 400 + 200, 200))), start(),
         look(numbered(n * 400 + 200, 200))] for n in range(10)), [])),
    Scenario("killed again and again over one log", ids=("R14", "T4"), steps=sum((
        [write("app.log", lines(*numbered(n * 3000, 3000))), look(numbered(n * 3000, 3000))]
        for n in range(6)), [])),
    Scenario("damaged state: the agent starts afresh", ids=("R16", "R20"), ways=("agent",),
             no_kill="the damage is the fault here", steps=[
                 write("app.log", lines("a", "b")), look("a", "b"), stop(), damage_state(), start(), look(),
                 write("app.log", lines("c")), look("c")]),
    Scenario("the log is deleted while stopped, a new one is there", ids=("R5",), steps=[
        write("app.log", lines(*numbered(0, 10))), look(numbered(0, 10)), stop(), remove("app.log"),
        write("app.log", lines("new")), start(), look("new")]),
    Scenario("restarted with nothing new", ids=("R14",), steps=[
        write("app.log", lines("a", "b bad")), look("a", "b bad"), restart(), look(), restart(), look()]),
    Scenario("a log grown by one byte at a time over restarts", ids=("R7", "L3"), ways=("agent",), steps=sum((
        [write("app.log", c), restart()] for c in (S, "o", "ne", "\n", S + "t", "w", "o")), []) + [look("one"), write("app.log", "\n"),
                                                                      look("two")]),
    Scenario("a short log that grows past its fingerprint over restarts", ids=("R16", "R17"), steps=sum((
        [write("app.log", lines(*numbered(n * 15, 15))), look(numbered(n * 15, 15)), restart()]
        for n in range(6)), [])),
    Scenario("a link swapped while stopped", ids=("R3",), steps=[
        write("t1", lines("a")), link("app.log", "t1"), look("a"), stop(), write("t2", lines("b")),
        link("app.log", "t2"), start(), look("b")]),
    Scenario("renamed while stopped to a name beside, nothing new", ids=("R10",), steps=[
        write("app.log", lines("a")), write("other.log", lines("o")), look({"app.log": ["a"], "other.log": ["o"]}),
        stop(), rename("app.log", "app.log.1"), start(), look(), write("app.log", lines("b")),
        look({"app.log": ["b"]})], paths=("*.log",)),
]

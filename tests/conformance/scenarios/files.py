"""What happens to files while Nines reads them: rotation, truncation, links, deletion."""
from model import *  # noqa: F401,F403
from model import Scenario, numbered

TEN_ROTATIONS = []
for _n in range(10):
    TEN_ROTATIONS += [
        write("app.log", lines(*numbered(_n * 10000, 10000))),
        look(numbered(_n * 10000, 10000)),
        *([rename(f"app.log.{_k}.gz", f"app.log.{_k + 1}.gz") for _k in range(_n - 1, 1, -1)]),
        *([compress("app.log.1"), rename("app.log.1.gz", "app.log.2.gz")] if _n > 0 else []),
        rename("app.log", "app.log.1")]

MANY_TRUNCATIONS = [write("app.log", lines("the first of all"))]
for _n in range(51):
    MANY_TRUNCATIONS += [look("the first of all") if _n == 0 else look(numbered(_n * 100, _n)),
                         truncate("app.log"),
                         write("app.log", lines(*numbered((_n + 1) * 100, _n + 1)))]
MANY_TRUNCATIONS.append(look(numbered(5100, 51)))

SYMLINK_SWAPS = [write("t0", lines("zero")), link("app.log", "t0"), look("zero")]
for _n in range(1, 11):
    SYMLINK_SWAPS += [write(f"t{_n}", lines(*numbered(_n * 100, 100))), link("app.log", f"t{_n}"),
                      look(numbered(_n * 100, 100))]

KUBELET = [write("0.log", lines("one", "two")), look("one", "two")]
for _n, _stamp in enumerate(("20261121-100000", "20261121-100100", "20261121-100200")):
    KUBELET += [rename("0.log", f"0.log.{_stamp}"), write("0.log", lines(f"after {_n} a", f"b {_n}")),
                look(f"after {_n} a", f"b {_n}")]


def copies(append, shift):
    """Eight copytruncates; shift: older copies are renamed first, as logrotate does."""
    steps = [hold("w", "app.log", append=append)]
    for n in range(8):
        steps += [put("w", lines(*numbered(n * 100, 100))), look(numbered(n * 100, 100)),
                  *([rename(f"app.log.{k}", f"app.log.{k + 1}") for k in range(n, 0, -1)] if shift else []),
                  copytruncate("app.log", "app.log.1", over=not shift and n > 0)]
    return steps + [put("w", lines("the last")), look("the last")]


SCENARIOS = [
    Scenario("renamed, old descriptor goes on, new file", ids=("R1",), steps=[
        hold("w", "app.log"), put("w", lines("a")), look("a"), rename("app.log", "app.log.1"),
        put("w", lines("b")), look("b"), write("app.log", lines("c")), look("c")]),
    Scenario("renamed, old descriptor goes on, in one go", ids=("R1",), steps=[
        hold("w", "app.log"), put("w", lines("a")), look("a"), rename("app.log", "app.log.1"),
        put("w", lines("b")), write("app.log", lines("c")), look("b", "c")]),
    Scenario("renamed twice between two looks", ids=("R1",), steps=[
        write("app.log", lines("a")), look("a"),
        rename("app.log", "app.log.1"), write("app.log", lines("b")),
        rename("app.log.1", "app.log.2"), rename("app.log", "app.log.1"),
        write("app.log", lines("c")), look("b", "c")]),
    Scenario("three logs renamed at once", ids=("R1",), paths=("*.log",), steps=[
        *[write(f"{n}.log", lines(f"{n} one")) for n in "xyz"],
        look({f"{n}.log": [f"{n} one"] for n in "xyz"}),
        *[rename(f"{n}.log", f"{n}.log.1") for n in "xyz"],
        *[write(f"{n}.log.1", lines(f"{n} late")) for n in "xyz"],
        *[write(f"{n}.log", lines(f"{n} two")) for n in "xyz"],
        look({f"{n}.log": [f"{n} late", f"{n} two"] for n in "xyz"})]),
    Scenario("copied and truncated under a stale writer: no NUL in any record", ids=("R2",), steps=[
        hold("w", "app.log", append=False), put("w", lines("a1", "a2")), look("a1", "a2"),
        copytruncate("app.log", "app.log.1"), put("w", lines("b")), look("b")]),
    Scenario("eight copytruncates", ids=("R2", "T5"), steps=copies(True, True)),
    Scenario("eight copytruncates onto one name", ids=("R2", "T5"), steps=copies(True, False)),
    Scenario("eight copytruncates under a stale writer", ids=("R2", "T5", "T7"), steps=copies(False, True)),
    Scenario("eight copytruncates under a stale writer onto one name", ids=("R2", "T5", "T7"),
             steps=copies(False, False)),
    Scenario("leading NUL bytes are passed over", ids=("R2", "L5"), steps=[
        write("app.log", b"\0" * 1024 + lines("a sample log").encode()), look("a sample log")]),
    Scenario("NUL bytes in the middle belong to their line", ids=("R2", "L5"), steps=[
        write("app.log", lines("alma\0korte", "next")), look("alma\0korte", "next")]),
    Scenario("a run of NUL bytes after power loss, then the log goes on", ids=("R2",),
             steps=[write("app.log", lines("a", "b")), look("a", "b"), hole("app.log", 65536),
                    write("app.log", lines("c")), look("c")]),
    Scenario("a link swapped from one target to another", ids=("R3",), steps=[
        write("t1", lines("a")), link("app.log", "t1"), look("a"), write("t1", lines("b")),
        write("t2", lines("c")), link("app.log", "t2"), look("b", "c")],
        no_kill="the old target is known to the running program only"),
    Scenario("a link swapped ten times, a hundred lines each", ids=("R3",), steps=SYMLINK_SWAPS),
    Scenario("a link swapped there and back", ids=("R3",), steps=[
        write("t1", lines("a")), link("app.log", "t1"), look("a"), write("t2", lines("b")),
        link("app.log", "t2"), look("b"), link("app.log", "t1"), write("t1", lines("c")), look("c")]),
    Scenario("a link to a link, as the kubelet makes them", ids=("R3",),
             paths=("containers/*.log", "runtime/*/none"),  # links may lead into what is spelt out
             steps=[write("runtime/c1/0.log", lines("a")), link("pods/p/0.log", "runtime/c1/0.log"),
                    link("containers/p_ns_c-1.log", "pods/p/0.log"), look("a"),
                    write("runtime/c1/0.log", lines("b")), look("b")]),
    Scenario("a link whose target is rotated", ids=("R3",), steps=[
        write("real/0.log", lines("a")), link("app.log", "real/0.log"), look("a"),
        write("real/0.log", lines("b")), rename("real/0.log", "real/0.log.20261121-101010"),
        write("real/0.log", lines("c")), look("b", "c")]),
    Scenario("two names of one file are one file", ids=("R3",), paths=("*.log",), steps=[
        write("a.log", lines("once")), hard_link("b.log", "a.log"), look("once"),
        write("b.log", lines("twice")), look("twice")]),
    Scenario("a rotated file is read on while it is written", ids=("R4",), steps=[
        hold("w", "app.log"), put("w", lines("a")), look("a"), rename("app.log", "app.log.1"),
        put("w", lines("b")), look("b"), put("w", lines("c")), look("c"), put("w", lines("d")), look("d")]),
    Scenario("a deleted file is read on while it is written", ids=("R4",), ways=("agent",),
             no_kill="nobody can open a deleted file again", steps=[
                 hold("w", "app.log"), put("w", lines("a")), look("a"), remove("app.log"),
                 put("w", lines("b")), look("b"), drop("w")]),
    Scenario("deleted and created again", ids=("R5",), steps=[
        write("app.log", lines("a")), look("a"), remove("app.log"), write("app.log", lines("b")), look("b")]),
    Scenario("deleted and created again with the same content", ids=("R5",), steps=[
        write("app.log", lines("a", "b")), look("a", "b"), remove("app.log"), look(),
        write("app.log", lines("a", "b")), look("a", "b")],
        no_kill="while it is down the same content may be the same file"),
    Scenario("deleted, much later created again", ids=("R5",), steps=[
        write("app.log", lines("a")), look("a"), remove("app.log"), look(),
        write("app.log", lines("b")), look("b")]),
    Scenario("ten rotations of 10,000 lines, compress and delaycompress", ids=("R8",), steps=TEN_ROTATIONS),
    Scenario("51 truncations of one inode", ids=("R9",), steps=MANY_TRUNCATIONS),
    Scenario("truncated, then at once longer than before", ids=("R9", "T6"), steps=[
        write("app.log", lines(*numbered(0, 50))), look(numbered(0, 50)),
        overwrite("app.log", lines(*numbered(1000, 200))), look(numbered(1000, 200))]),
    Scenario("truncated to its half", ids=("R9",), steps=[
        write("app.log", lines(*numbered(0, 10))), look(numbered(0, 10)),
        truncate("app.log", len(lines(*numbered(0, 5)))),
        write("app.log", lines("new")), look("new")],
        bug="what is left of a file truncated to a part of itself is read again"),
    Scenario("moved out of the glob, still followed", ids=("R10",), paths=("logs/*.log",), steps=[
        directory("old"), hold("w", "logs/app.log"), put("w", lines("a")), look("a"),
        rename("logs/app.log", "old/app.log"), put("w", lines("b")), look("b")], ways=("agent",),
        no_kill="a program that starts does not look into folders it was not told of"),
    Scenario("copied with an unread tail, truncated, both written", ids=("R11",), steps=[
        write("app.log", lines(*numbered(0, 5))), look(numbered(0, 5)),
        write("app.log", lines("unread")), copytruncate("app.log", "app.log.1"),
        write("app.log", lines("after")), write("app.log.1", lines("late")),
        look({"app.log": ["unread", "late", "after"]})], ways=("agent",)),
    Scenario("copied with an unread tail, truncated", ids=("R11",), steps=[
        write("app.log", lines(*numbered(0, 5))), look(numbered(0, 5)),
        write("app.log", lines("unread")), copytruncate("app.log", "app.log.1"),
        write("app.log", lines("after")), look("unread", "after")]),
    *[Scenario(f"{how} to {kind} names, {'deleted' if delete else 'kept'}", ids=("R11",), steps=sum((
        [write("app.log", lines(*numbered(10 * n, 10))), look(numbered(10 * n, 10)),
         *((rename("app.log", new),) if how == "moved" else (copytruncate("app.log", new),)),
         *((remove(old),) if delete and n > 1 else ())]
        for n, (old, new) in enumerate(names)), []))
      for how in ("moved", "copied")
      for kind, names in (
          ("dated", [("", "app.log.2026-11-01"), ("app.log.2026-11-01", "app.log.2026-11-02"),
                     ("app.log.2026-11-01", "app.log.2026-11-03"), ("app.log.2026-11-02", "app.log.2026-11-04")]),
          ("inner dated", [("", "app-20261101.log"), ("app-20261101.log", "app-20261102.log"),
                           ("app-20261101.log", "app-20261103.log"), ("app-20261102.log", "app-20261104.log")]))
      for delete in (False, True)],
    Scenario("a glob that also matches the generations", ids=("R11",), paths=("app.log*",), steps=[
        write("app.log", lines(*numbered(0, 100))), look(numbered(0, 100)),
        rename("app.log", "app.log.1"), write("app.log", lines("b")), look("b"),
        rename("app.log.1", "app.log.2"), rename("app.log", "app.log.1"),
        write("app.log", lines("c")), look("c")]),
    Scenario("the same size written over, in place", ids=("R12",), steps=[
        write("app.log", lines("aaa one", "aaa two")), look("aaa one", "aaa two"),
        overwrite("app.log", lines("bbb one", "bbb two")), look("bbb one", "bbb two")]),
    Scenario("a larger content written over without truncation", ids=("R12",), steps=[
        write("app.log", lines(*numbered(0, 10))), look(numbered(0, 10)),
        overwrite_without_truncation("app.log", lines(*numbered(500, 20))), look(numbered(500, 20))]),
    Scenario("a smaller content written over", ids=("R12",), steps=[
        write("app.log", lines(*numbered(0, 30))), look(numbered(0, 30)),
        overwrite("app.log", lines("small")), look("small")]),
    Scenario("rewritten by an editor with the same content: nothing new", ids=("R13",), steps=[
        write("app.log", lines(*numbered(0, 20))), look(numbered(0, 20)),
        replace("app.log", lines(*numbered(0, 20))), look(), touch("app.log"), look(),
        write("app.log", lines("new")), look("new")]),
    Scenario("rewritten by an editor with another content: read", ids=("R13",), steps=[
        write("app.log", lines("a", "b")), look("a", "b"),
        replace("app.log", lines("x", "y")), look("x", "y")]),
    Scenario("touched only: nothing new", ids=("R13",), steps=[
        write("app.log", lines("a")), look("a"), touch("app.log"), look()]),
    Scenario("more logs than may be open at a time", ids=("R15",), paths=("*.log",), steps=[
        *[write(f"{n:03}.log", lines(f"{n} one", f"{n} two")) for n in range(400)],
        look({f"{n:03}.log": [f"{n} one", f"{n} two"] for n in range(400)}),
        *[write(f"{n:03}.log", lines(f"{n} three")) for n in range(400)],
        look({f"{n:03}.log": [f"{n} three"] for n in range(400)})]),
    Scenario("a noisy log beside a quiet one", ids=("R15",), paths=("*.log",), steps=[
        write("noisy.log", lines(*numbered(0, 50000))), write("quiet.log", lines("still here")),
        look({"noisy.log": numbered(0, 50000), "quiet.log": ["still here"]})]),
    Scenario("two logs that begin alike", ids=("R17",), paths=("*.log",), steps=[
        write("a.log", lines("same start")), write("b.log", lines("same start")),
        look({"a.log": ["same start"], "b.log": ["same start"]}),
        write("a.log", lines("a")), write("b.log", lines("b")), look({"a.log": ["a"], "b.log": ["b"]})]),
    Scenario("logs with one banner of 4 KiB", ids=("R17",), paths=("*.log",), steps=[
        *[write(f"{n}.log", lines(*numbered(0, 150))) for n in "abc"],
        *[write(f"{n}.log", lines(f"{n} own")) for n in "abc"],
        look({f"{n}.log": numbered(0, 150) + [f"{n} own"] for n in "abc"})]),
    Scenario("unreadable first, readable later", ids=("R18",), unprivileged=True, steps=[
        write("other.log", lines("o")), write("app.log", lines("a")), mode("app.log", 0o000), look("o"),
        mode("app.log", 0o644), look("a"), write("app.log", lines("b")), look("b")],
        paths=("app.log", "other.log"), any_order=True),
    Scenario("made unreadable and readable again", ids=("R18",), unprivileged=True, steps=[
        write("app.log", lines("a")), look("a"), mode("app.log", 0o000), write("app.log", lines("b")),
        mode("app.log", 0o644), look("b")]),
    Scenario("a folder that matches the glob", ids=("R18",), paths=("*.log",), steps=[
        directory("folder.log"), write("app.log", lines("a")), look("a")]),
    Scenario("a folder that appears later, with logs in it", ids=("R18",), paths=("deep/*/x/*.log", "a.log"),
             steps=[write("a.log", lines("here")), look({"a.log": ["here"]}),
                    write("deep/one/x/app.log", lines("a")), look({"deep/one/x/app.log": ["a"]}),
                    write("deep/two/x/app.log", lines("b")), look({"deep/two/x/app.log": ["b"]})]),
    Scenario("a folder deleted and made again", ids=("R18",), paths=("d/*.log", "a.log"), steps=[
        write("a.log", lines("here")), write("d/app.log", lines("a")),
        look({"a.log": ["here"], "d/app.log": ["a"]}), remove_tree("d"),
        write("d/app.log", lines("b")), look({"d/app.log": ["b"]})]),
    Scenario("a FIFO that matches the glob stops nothing", ids=("R18",), paths=("*.log",), steps=[
        action("mkfifo", lambda w: __import__("os").mkfifo(w.path("pipe.log"))),
        write("app.log", lines("a")), look("a")]),
    Scenario("** reaches any depth", ids=("R18",), paths=("tree/**/*.log",), steps=[
        write("tree/a.log", lines("1")), write("tree/x/a.log", lines("2")),
        write("tree/x/y/z/a.log", lines("3")),
        look({"tree/a.log": ["1"], "tree/x/a.log": ["2"], "tree/x/y/z/a.log": ["3"]})]),
    Scenario("excluded files", ids=("R18",), paths=("*.log",), ways=("agent",),
             source='exclude: ["@DIR@/*debug*", "@DIR@/skip.log"]', steps=[
                 write("app.log", lines("a")), write("app-debug.log", lines("x", "x", "x")),
                 write("skip.log", lines("y")), look("a"), rename("app-debug.log", "app-2.log"),
                 write("skip.log", lines("y")), look("x", "x", "x")]),
    Scenario("old files are left alone until they are written", ids=("R19",), ways=("agent",),
             paths=("*.log",), source="ignore_older: 1h", steps=[
                 stop(), write("old.log", lines("stale")), age("old.log", 7200),
                 write("new.log", lines("fresh")), start(), look("fresh"),
                 write("old.log", lines("appended")), look("appended")]),
    Scenario("started at the end: what was there does not count", ids=("R19",), ways=("agent",),
             source="start: end", steps=[
                 stop(), write("app.log", lines("old", "old")), start(), look(),
                 pause(2, "it must have looked before the next line comes"),
                 write("app.log", lines("new")), look("new"),
                 rename("app.log", "app.log.1"), write("app.log", lines("newer")), look("newer")],
             no_kill="a kill before its first commit makes a first look of the second one"),
    Scenario("the kubelet's rotation names", ids=("L7",), paths=("0.log",), steps=KUBELET),
    Scenario("the kubelet's rotation, compressed behind it", ids=("L7", "L10"), paths=("0.log",), steps=[
        write("0.log", lines("a")), look("a"), rename("0.log", "0.log.20261121-100000"),
        write("0.log", lines("b")), look("b"), compress("0.log.20261121-100000"), look(),
        rename("0.log", "0.log.20261121-100100"), write("0.log", lines("c")), look("c")]),
    Scenario("compressed after it was read: not counted again", ids=("L10",), paths=("app.log*",), steps=[
        write("app.log", lines(*numbered(0, 200))), look(numbered(0, 200)),
        rename("app.log", "app.log.1"), write("app.log", lines("b")), look("b"),
        compress("app.log.1"), look(), write("app.log", lines("c")), look("c")]),
    *[Scenario(f"a {suffix} generation that nobody has read", ids=("L10",), steps=[
        stop(), write("app.log", lines("first")), start(), look("first"), stop(),
        write("app.log", lines(*numbered(0, 100))), rename("app.log", "app.log.1"),
        compress("app.log.1", suffix), write("app.log", lines("live")), start(),
        look(numbered(0, 100), "live")]) for suffix in (".gz", ".zst")],
    *[Scenario(f"a {suffix} generation of which the first half was read", ids=("L10",), steps=[
        write("app.log", lines(*numbered(0, 100))), look(numbered(0, 100)), stop(),
        write("app.log", lines(*numbered(100, 100))), rename("app.log", "app.log.1"),
        compress("app.log.1", suffix), write("app.log", lines("live")), start(),
        look(numbered(100, 100), "live")]) for suffix in (".gz", ".zst")],
    Scenario("a gz file of several members, named by the glob", ids=("L10",),
             paths=("*.gz",), steps=[
                 write_compressed("history.gz", lines("a", "b"), lines("c"), lines("d")),
                 look("a", "b", "c", "d"), look()]),
    Scenario("a zst file of several frames, named by the glob", ids=("L10",),
             paths=("*.zst",), steps=[
                 write_compressed("history.zst", lines("a", "b"), lines("c")), look("a", "b", "c"), look()]),
    Scenario("a gz beside its plain original", ids=("L10", "R17"), paths=("app.log*",), steps=[
        write("app.log.1", lines(*numbered(0, 50))), compress("app.log.1", keep=True),
        write("app.log", lines("live")), look({"app.log.1": numbered(0, 50), "app.log": ["live"]})]),
    Scenario("one line of 40 KiB among 300", ids=("T1",), steps=[
        write("app.log", lines(*numbered(0, 150), "x" * 40960, *numbered(150, 149))),
        look(numbered(0, 150), "x" * 40960, numbered(150, 149))]),
    Scenario("renamed each moment, five generations kept", ids=("T2", "T3"), steps=sum((
        [write("app.log", lines(*numbered(n * 20, 20))),
         *([remove("app.log.5")] if n > 5 else []),
         *[rename(f"app.log.{k}", f"app.log.{k + 1}") for k in range(min(n, 4), 0, -1)],
         look(numbered(n * 20, 20)), rename("app.log", "app.log.1")] for n in range(10)), [])),
    Scenario("a file that lives for a moment", ids=("T11",), ways=("agent",), paths=("*.log",),
             no_kill="nobody can read a deleted file", steps=sum((
                 [write(f"job-{n}.log", lines(f"job {n}")), look(f"job {n}"), remove(f"job-{n}.log")]
                 for n in range(6)), [])),
]

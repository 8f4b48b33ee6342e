"""From bytes to lines: line ends, encodings, long lines, what is not text."""
from model import *  # noqa: F401,F403
from model import Scenario, numbered

BOM = b"\xef\xbb\xbf"
STAMP = len(S)
LIMIT = 256 * 1024  # limits.line_bytes, and the buffer of tail


def utf16(text, order, bom=True):
    mark = {"le": b"\xff\xfe", "be": b"\xfe\xff"}[order] if bom else b""
    return mark + text.encode(f"utf-16-{order}")


def boundary(before):
    """A line of so many bytes, so that the next one begins at a block's end."""
    return "x" * (before - STAMP - 1)


SCENARIOS = [
    Scenario("blank lines are no records, but they are passed", ids=("L1",), steps=[
        write("app.log", "\n\n" + lines("testlog1") + "\n\n" + lines("testlog2")),
        look("testlog1", "testlog2"), write("app.log", "\n\n\n"), look(),
        write("app.log", lines("testlog3")), look("testlog3")]),
    Scenario("CRLF, blank lines, LF", ids=("L1", "L4"), steps=[
        write("app.log", f"{S}one\r\n\r\n\n{S}two\n\r\n{S}three\r\n"), look("one", "two", "three")]),
    Scenario("a carriage return within a line is kept", ids=("L4",), steps=[
        write("app.log", f"{S}line 1\r\n{S}line \r2\n"), look("line 1", "line \r2")]),
    Scenario("a lone carriage return does not end a line", ids=("L4",), steps=[
        write("app.log", f"{S}one\rtwo\rthree\n"), look("one\rtwo\rthree")]),
    Scenario("lines beyond the limit are cut and counted, those after them whole", ids=("L2",), steps=[
        write("app.log", lines("short", "y" * (LIMIT + 5000), "last short")),
        look("short", Record(_truncated=True), "last short")]),
    Scenario("a line as long as the limit is whole", ids=("L2",), steps=[
        write("app.log", lines("short", "y" * (LIMIT - STAMP - 1), "last short")),
        look("short", "y" * (LIMIT - STAMP - 1), "last short")]),
    Scenario("a small limit", ids=("L2", "L9"), ways=("agent",), limits="limits: {line_bytes: 1KiB}\n",
             steps=[write("app.log", lines("short", "y" * 5000, "z" * 1100, "last short")),
                    look("short", "y", "z", "last short")]),
    Scenario("a long line in 300 pieces", ids=("L2", "L3"), steps=[
        hold("w", "app.log"), *[put("w", (S if n == 0 else "") + "p" * 1000) for n in range(200)],
        put("w", "\n" + lines("next")), look("p" * 200000, "next")]),
    Scenario("a line longer than the limit that is never ended, then rotated", ids=("L2",), ways=("tail",),
             steps=[write("app.log", S + "y" * (LIMIT * 2)), look(Record(_truncated=True)),
                    rename("app.log", "app.log.1"), write("app.log", lines("next")), look("next")]),
    *[Scenario(f"a line end at byte {edge}", ids=("L3",), steps=[
        write("app.log", lines(boundary(edge), "second")),
        look(boundary(edge), "second")]) for edge in (4096, 8192, 65536, LIMIT)],
    Scenario("\\r at byte 8191, \\n at byte 8192", ids=("L3",), steps=[
        write("app.log", f"{S}{'x' * (8191 - STAMP)}\r\n{S}second\r\n"), look("x" * (8191 - STAMP), "second")]),
    Scenario("a line end across the end of the buffer", ids=("L3",), steps=[
        write("app.log", f"{S}{'x' * (LIMIT - 1 - STAMP)}\r\n{S}second\r\n"),
        look("x" * (LIMIT - 1 - STAMP), "second")]),
    Scenario("UTF-8 cut by writes and blocks", ids=("L4",), steps=[
        write("app.log", (S + "a" * 4095 + "\u20ac\n").encode()[:-3]), write("app.log", "\u20ac\n".encode()[1:]),
        look("a" * 4095 + "\u20ac")]),
    Scenario("invalid UTF-8 is a record like others", ids=("L5",), steps=[
        write("app.log", S.encode() + b"caf\xc5 au lait\n" + lines("next").encode()),
        look("caf\ufffd au lait", "next")]),
    Scenario("a UTF-8 byte order mark is no part of the first line", ids=("L5",), steps=[
        write("app.log", BOM + lines("one", "two").encode()), look("one", "two")]),
    Scenario("a UTF-8 byte order mark before JSON", ids=("L5",), format="json", steps=[
        write("app.log", BOM + f'{{"time":"{ts()}","msg":"one"}}\n'.encode()), look("one")]),
    *[Scenario(f"UTF-16{order.upper()} with a byte order mark", ids=("L5",), steps=[
        write("app.log", utf16(lines("one", "zw\u00f6lf \U0001f600 \u20ac", "three"), order)),
        look("one", "zw\u00f6lf \U0001f600 \u20ac", "three"),
        write("app.log", utf16(lines("four"), order, bom=False)), look("four")]) for order in ("le", "be")],
    Scenario("UTF-16LE with CRLF, over a restart", ids=("L5",), steps=[
        write("app.log", utf16(f"{S}one\r\n", "le")), look("one"), restart(),
        write("app.log", utf16(f"{S}two\r\n", "le", bom=False)), look("two")]),
    Scenario("a file of NUL bytes only", ids=("L5",), steps=[
        write("app.log", b"\0" * 4096), look(), write("app.log", lines("one")), look("one")]),
    Scenario("control characters and quotes", ids=("L5",), steps=[
        write("app.log", lines('a "quoted" \\ back\tslash \x1b[31mred\x1b[0m')),
        look('a "quoted" \\ back\tslash \x1b[31mred\x1b[0m')]),
    Scenario("no line at all", ids=("L1",), steps=[write("app.log", ""), look(), write("app.log", lines("a")), look("a")]),
    Scenario("100,000 short lines", ids=("L3",), steps=[
        write("app.log", lines(*numbered(0, 100000))), look(numbered(0, 100000))]),
    Scenario("good and bad are told apart", ids=("L13",), steps=[
        write("app.log", lines(*(f"request {n} {'bad' if n % 7 == 0 else 'fine'}" for n in range(1000)))),
        look([f"request {n} {'bad' if n % 7 == 0 else 'fine'}" for n in range(1000)])]),
]

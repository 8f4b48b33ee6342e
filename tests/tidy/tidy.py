#!/usr/bin/env python3
"""The laws that a compiler does not see: what a room may include, who may read a clock or a random
device, how long lines, functions and files are, that properties can fail, and that no path of one
machine slipped in.
tidy.py [--self-test]: prints FILE:LINE: what, and exits 1 if there is anything.
"""
import os
import re
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SOURCES = (".cpp", ".hpp", ".h")
ROOMS = ("core", "collector", "sync", "agent")
# Includes a room must not have: rooms above it, and what law and design keep out of it.
UPWARD = {
    "core": r"nines/(collector|store|sync|agent)/|(app|config|http|net|notify|view)/",
    "collector": r"nines/(store|sync|agent)/|(app|config|http|net|notify|view)/",
    "sync": r"nines/(collector|agent)/|(app|config|http|net|notify|view)/",
    "agent": r"(?!)",
}
FOREIGN = {
    "core": r"boost/|sqlite3|spdlog|fmt/|msgpack|yaml-cpp|openssl/|nlohmann/|CLI/|fstream$|filesystem$"
            r"|thread$|mutex$|condition_variable$|future$|atomic$|iostream$|random$|ctime$"
            r"|sys/|unistd\.h|fcntl\.h|pthread\.h|poll\.h",
    "collector": r"boost/|sqlite3|spdlog|fmt/|msgpack|yaml-cpp|openssl/|nlohmann/|CLI/|random$",
    "sync": r"boost/(?!asio)|spdlog|fmt/|yaml-cpp|CLI/|random$",
    "agent": r"sqlite3|msgpack",
}
CLOCKS = re.compile(
    r"\b(system_clock|steady_clock|high_resolution_clock)::now\b|\bclock_gettime\s*\(|\bgettimeofday\s*\("
    r"|\brandom_device\b|\bs?rand\s*\(\s*\)|\bgetrandom\s*\(|\barc4random|\bstd::time\s*\(|\btime\s*\(\s*(nullptr|NULL|0)\s*\)"
    r"|/dev/u?random")
# The composition root, and programs of their own that have one each.
MAY_READ_CLOCKS = re.compile(r"(^|/)main\.cpp$|_bench\.cpp$")
MACHINE = re.compile(r"(?<!\w)(/home/\w+/|/root/)|https?://[\w.-]*\.(internal|local|lan)\b")
TEXT = SOURCES + (".py", ".sh", ".cmake", ".txt", ".json", ".yaml", ".yml", ".md", "")
MAX_LINE, MAX_FUNCTION, MAX_FILE = 100, 70, 800


def files():
    for folder, folders, names in os.walk(REPO):
        folders[:] = [f for f in folders if f not in ("build", ".git", "__pycache__")
                      and not f.startswith("cmake-build")]
        for name in sorted(names):
            path = os.path.join(folder, name)
            if name == ".git":
                continue  # of a work tree: names its repository
            if not os.path.islink(path):
                yield os.path.relpath(path, REPO)


def strip_code(text):
    """Comments and string contents blanked, line by line positions kept."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match[0])
    pattern = r'R"(\w*)\((?:.|\n)*?\)\1"|//[^\n]*|/\*(?:.|\n)*?\*/|"(?:\\.|[^"\\\n])*"' \
              r"|(?<![\w])'(?:\\.|[^'\\\n])+'"
    return re.sub(pattern, blank, text)


def check_includes(room, text):
    for number, line in enumerate(text.splitlines(), 1):
        m = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
        if not m:
            continue
        if re.match(UPWARD[room], m[1]):
            yield number, f"{room} must not see {m[1]}: the arrow runs downwards only"
        elif re.match(FOREIGN[room], m[1]):
            yield number, f"{m[1]} has no business in {room}"


def check_clocks(code):
    for number, line in enumerate(code.splitlines(), 1):
        m = CLOCKS.search(line)
        if m:
            yield number, f"'{m[0].strip()}' below the composition root: take a Clock or a seed (law 7)"


def check_functions(code):
    """Heuristic: a line that ends in '{' after a ')' and is no control statement opens a function;
    its end is the brace that closes it. Lambdas inside count to the function around them."""
    lines = code.splitlines()
    number = 0
    while number < len(lines):
        line = lines[number]
        opens = re.search(r"\)\s*(const|noexcept|override|final|mutable|->\s*[\w:<>,&* ]+|\s)*\{\s*$", line)
        if not opens or re.match(r"\s*(\}\s*)?(if|for|while|switch|else|catch|do)\b", line):
            number += 1
            continue
        depth, end = 0, number
        while end < len(lines):
            depth += lines[end].count("{") - lines[end].count("}")
            if depth <= 0:
                break
            end += 1
        if end - number + 1 > MAX_FUNCTION:
            yield number + 1, f"function of {end - number + 1} lines (at most {MAX_FUNCTION})"
        number = end + 1


def check_sizes(text, code):
    lines = text.splitlines()
    for number, (line, bare) in enumerate(zip(lines, code.splitlines()), 1):
        # A log line or a page quoted in a string is better left in one piece.
        quoted = '"' in line and '"' not in bare or (line.strip() and not bare.strip()
                                                     and not line.lstrip().startswith("//"))
        if len(line) > MAX_LINE and not quoted:
            yield number, f"line of {len(line)} characters (at most {MAX_LINE})"
    if len(lines) > MAX_FILE:
        yield 1, f"file of {len(lines)} lines (at most {MAX_FILE})"


def check_properties(code):
    """rapidcheck only says what it found: whoever does not look at it has a test that can't fail."""
    for number, line in enumerate(code.splitlines(), 1):
        if re.match(r"\s*rc::check\s*\(", line):
            yield number, "nobody looks at what rc::check() gives: CHECK(rc::check(...))"


def check_file(path, text):
    room = path.split(os.sep)[0]
    code = strip_code(text) if path.endswith(SOURCES) else text
    if path.endswith(SOURCES):
        yield from check_sizes(text, code)
        yield from check_functions(code)
        yield from check_properties(code)
        if room in ROOMS:
            yield from check_includes(room, text)
            if not MAY_READ_CLOCKS.search(path):
                yield from check_clocks(code)
    if os.path.splitext(path)[1] in TEXT and not path.startswith(os.path.join("tests", "tidy")):
        for number, line in enumerate(text.splitlines(), 1):
            m = MACHINE.search(line)
            if m:
                yield number, f"'{m[0]}' is a path of one machine"


def self_test():
    """Each law finds what breaks it: a check that cannot fail is none."""
    cases = [
        ("core/src/a.cpp", "#include <sqlite3.h>\n", 1),
        ("core/src/a.cpp", '#include "nines/collector/tailer.hpp"\n', 1),
        ("core/src/a.cpp", '#include "nines/base/time.hpp"\n#include <string>\n', 0),
        ("collector/src/a.cpp", '#include "nines/store/state_store.hpp"\n', 1),
        ("sync/src/a.cpp", '#include "nines/collector/tailer.hpp"\n', 1),
        ("agent/src/a.cpp", "auto t = std::chrono::system_clock::now();\n", 1),
        ("agent/src/main.cpp", "auto t = std::chrono::system_clock::now();\n", 0),
        ("core/src/a.cpp", "// steady_clock::now would break law 7\n", 0),
        ("core/src/a.cpp", "x" * 101 + "\n", 1),
        ("core/src/a.cpp", "void f() {\n" + "  g();\n" * 70 + "}\n", 1),
        ("core/src/a.cpp", "void f() {\n" + "  g();\n" * 60 + "}\n", 0),
        ("core/src/a.cpp", "int a;\n" * 801, 1),
        ("tests/property/a.cpp", "  rc::check([] {});\n", 1),
        ("tests/property/a.cpp", "  CHECK(rc::check([] {}));\n", 0),
        ("README.md", "see /home/somebody/x\n", 1),
    ]
    wrong = [c for c in cases if len(list(check_file(c[0], c[1]))) != c[2]]
    for path, text, wanted in wrong:
        print(f"self-test: {path}: {text[:60]!r} should give {wanted} findings")
    return 1 if wrong else 0


def main():
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    found = 0
    for path in files():
        if os.path.splitext(path)[1] not in TEXT:
            continue
        try:
            with open(os.path.join(REPO, path), encoding="utf-8") as f:
                text = f.read()
        except UnicodeDecodeError:
            continue
        for number, message in check_file(path, text):
            found += 1
            print(f"{path}:{number}: {message}")
    print(f"tidy: {found} findings")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()

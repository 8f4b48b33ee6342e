#!/usr/bin/env python3
"""hardening.py sees what is missing: a program built with everything passes, and programs built
without one of the properties fail for that one. Then the program that we ship (NINES_BIN) must pass;
with --only-self-test (builds that are not shipped, with other flags) it is not looked at.
"""
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import hardening

# Calls that a compiler with FORTIFY and a stack protector replaces by checked ones.
SOURCE = r"""
#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) { char b[64]; sprintf(b, "%d %s", argc, argv[0]); return (int)strlen(b) == 7; }
"""
HARD = ["-O2", "-fPIE", "-pie", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2",
        "-Wl,-z,relro", "-Wl,-z,now", "-Wl,-z,noexecstack"]
# What is given after HARD, and what must be found missing then, and nothing else.
WITHOUT = {
    "PIE": (["-no-pie", "-fno-pie"], {"PIE"}),
    "RELRO": (["-Wl,-z,norelro"], {"RELRO"}),
    "BIND_NOW": (["-Wl,-z,lazy"], {"BIND_NOW"}),
    "NX stack": (["-Wl,-z,execstack"], {"NX stack"}),
    "no RPATH": (["-Wl,-rpath,/tmp/lib"], {"no RPATH"}),
    "only libc": (["-Wl,--no-as-needed", "-lresolv"], {"only libc"}),
    "stack protector": (["-fno-stack-protector"], {"stack protector"}),
    "FORTIFY": (["-U_FORTIFY_SOURCE"], {"FORTIFY"})}
failures = []


def that(condition, what):
    print(f"{'ok   ' if condition else 'FAIL '} {what}")
    if not condition:
        failures.append(what)


def make_data_executable(path):
    """Linkers do not any more; loaders would."""
    with open(path, "r+b") as f:
        content = f.read()
        start, (size, count) = struct.unpack_from("<Q", content, 32)[0], struct.unpack_from("<HH", content, 54)
        for at in range(start, start + size * count, size):
            kind, flags = struct.unpack_from("<II", content, at)
            if kind == hardening.PT_LOAD and flags & hardening.PF_W:
                f.seek(at + 4)
                f.write(struct.pack("<I", flags | hardening.PF_X))


def self_test(compiler, folder):
    source = f"{folder}/one.c"
    with open(source, "w", encoding="ascii") as f:
        f.write(SOURCE)
    said = []

    def missing(name, *flags):
        out = f"{folder}/program"
        done = subprocess.run([compiler, source, *HARD, *flags, "-o", out], capture_output=True, text=True)
        if done.returncode != 0:
            print(f"SKIPPED: {compiler} cannot build one without {name}: {done.stderr.strip()[-200:]}")
            return None
        return set(hardening.look(out, said.append))

    that(missing("nothing") == set(), f"a program with everything passes: {said}")
    for name, (flags, wanted) in WITHOUT.items():
        found = missing(name, *flags)
        if found is not None:
            that(found == wanted, f"a program without {name} does not pass: {sorted(found)}")
    if missing("nothing") == set():
        make_data_executable(f"{folder}/program")
        that(hardening.look(f"{folder}/program", said.append) == ["W^X"], "nor one whose data can be run")
    for name, content in (("text", b"no ELF file"), ("cut off", b"\x7fELF\2\1\1"), ("nothing", b"")):
        with open(f"{folder}/other", "wb") as f:
            f.write(content)
        that(hardening.look(f"{folder}/other", said.append) == ["readable"], f"{name} does not pass")


def guarded(path):
    """Every source of the program is compiled with a stack protector and FORTIFY: the program itself
    would not tell, since Debian's libraries within have both."""
    with open(path, encoding="utf-8") as f:
        ours = [one["command"].split() for one in json.load(f)
                if re.search(r" -o (agent|sync|collector|core)/", one["command"])]
    weak = [words[-1] for words in ours
            if "-fstack-protector-strong" not in words or "-D_FORTIFY_SOURCE=2" not in words]
    that(len(ours) > 500, f"{len(ours)} sources of the program")
    that(not weak, f"each of them has a stack protector and FORTIFY: {weak[:5]}")


def main():
    compiler = os.environ.get("CC") or shutil.which("cc") or shutil.which("gcc")
    if compiler:
        with tempfile.TemporaryDirectory() as folder:
            self_test(compiler, folder)
    else:
        print("SKIPPED: no C compiler: not known whether a missing property would be seen")
    if "--only-self-test" in sys.argv[1:]:
        print("SKIPPED: this build is not shipped and has other flags: nothing is known about its program")
        sys.exit(1 if failures else 77)
    build = os.path.dirname(os.path.dirname(os.path.abspath(os.environ["NINES_BIN"])))
    guarded(os.path.join(build, "compile_commands.json"))
    that(hardening.look(os.environ["NINES_BIN"]) == [], "the program that we ship has all of it")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

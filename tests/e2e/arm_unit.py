#!/usr/bin/env python3
"""Runs every unit test program of the arm64 build under qemu-user as a Cortex-A72; with --pages 16384,
as on the Pi 5, those of the rooms where the size of a page matters: files, databases, memory (all of
them where NINES_LONG is set). Also looks at what the program is linked to."""
import argparse
import glob
import os
import re
import shutil
import subprocess

import common

OF_PAGES = ("collector", "index", "log", "query", "scan", "store")
ALLOWED = {"libc.so.6", "libm.so.6", "ld-linux-aarch64.so.1"}


def linked_to(path):
    text = common.run("aarch64-linux-gnu-readelf", "-d", path).stdout.decode()
    return set(re.findall(r"NEEDED.*\[(.*)\]", text))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pages", default="4096")
    pages = parser.parse_args().pages
    build, sysroot = os.environ.get("NINES_ARM_DIR", ""), os.environ.get("NINES_SYSROOT", "")
    qemu = shutil.which("qemu-aarch64-static")
    programs = sorted(glob.glob(os.path.join(build, "tests/unit/unit_*")))
    programs = [p for p in programs if os.access(p, os.X_OK) and os.path.isfile(p)]
    if pages != "4096" and not os.environ.get("NINES_LONG"):
        programs = [p for p in programs if p.endswith(tuple(f"unit_{room}" for room in OF_PAGES))]
    if not programs or not qemu:
        common.skip("######## no arm64 build or no qemu: NOTHING IS KNOWN ABOUT ARM ########")
    checks = common.Checks()
    nines = os.path.join(build, "agent/nines")
    extra = linked_to(nines) - ALLOWED
    checks.that(not extra, f"{nines} needs {extra}: only libc may be shared")
    emulated = [qemu, "-cpu", "cortex-a72", "-p", pages, "-L", sysroot]
    for program in programs:
        done = subprocess.run(emulated + [program], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=1800, cwd=build,
                              env={**os.environ, "NINES_EMULATED": "1"})
        text = done.stdout.decode(errors="replace")
        checks.equal(done.returncode, 0, os.path.basename(program))
        print(os.path.basename(program), text.strip().splitlines()[-1:] if done.returncode == 0
              else text[-6000:], flush=True)
    version = common.run(*emulated, nines, "--help")
    checks.equal(version.returncode, 0, "nines --help")
    checks.finish()


if __name__ == "__main__":
    main()

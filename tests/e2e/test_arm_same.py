#!/usr/bin/env python3
"""Law 6: the x86 and the arm64 program print the same status for the same logs, byte for byte."""
import os
import shutil

import common
import test_day


def main():
    arm = os.path.join(os.environ.get("NINES_ARM_DIR", ""), "agent/nines")
    sysroot, qemu = os.environ.get("NINES_SYSROOT", ""), shutil.which("qemu-aarch64-static")
    if not (os.path.exists(arm) and os.path.exists(sysroot) and qemu):
        common.skip("######## no arm64 build or no qemu: NOTHING IS KNOWN ABOUT ARM ########")
    checks = common.Checks()
    folder = common.scratch("arm")
    paths = {}
    for fmt, options in test_day.FORMATS.items():
        paths[fmt] = os.path.join(folder, f"{fmt}.log")
        common.loggen(paths[fmt], fmt, days="1", **{**options, "rate": 0.3})
    document = common.write(f"{folder}/slos.yaml",
                            "".join(y for _, y, _ in test_day.make_slos(paths)))
    arguments = ["agent", "--once", "--clock", "log", "--slo", document]
    emulated = [qemu, "-cpu", "cortex-a72", "-L", sysroot]
    programs = {"x86": [common.tool("NINES_BIN")], "arm64": emulated + [arm],
                "arm64 with 16 KiB pages": emulated + ["-p", "16384", arm]}
    for form in ("json", "table"):
        printed = {}
        for name, program in programs.items():
            state = os.path.join(folder, f"state-{form}-{name.replace(' ', '-')}")
            done = common.run(*program, *arguments, "-o", form, "--state", state, cwd=folder)
            checks.equal(done.returncode, 0, f"{name}: exit code {done.stderr.decode()[-500:]}")
            printed[name] = done.stdout
        checks.that(printed["x86"], f"{form}: something is printed")
        for name, text in printed.items():
            checks.that(text == printed["x86"], f"{form}: {name} prints something else than x86:\n"
                        f"{printed['x86'].decode()[:3000]}\n-----\n{text.decode()[:3000]}")
    checks.finish()


if __name__ == "__main__":
    main()

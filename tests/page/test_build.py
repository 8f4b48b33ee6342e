#!/usr/bin/env python3
"""agent/page/dist is what its sources make: the page is built again from what package-lock.json locks,
type-checked, and compared byte for byte; it is small, and refers to nobody else. Needs node and npm."""
import filecmp
import gzip
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "e2e"))
import common  # noqa: E402

PAGE = os.path.join(common.REPO, "agent", "page")
MOST_BYTES = 150 * 1024


def build(checks, folder):
    for name in ("src", "package.json", "package-lock.json", "tsconfig.json", "build.mjs", ".npmrc"):
        source = f"{PAGE}/{name}"
        copy = shutil.copytree if os.path.isdir(source) else shutil.copy
        copy(source, f"{folder}/{name}")
    done = common.run("npm", "ci", "--ignore-scripts", cwd=folder, timeout=300)
    if done.returncode != 0:
        common.skip(f"npm ci could not get the packages: {done.stderr.decode()[-300:]}")
    for script in ("check", "build"):
        done = common.run("npm", "run", "-s", script, cwd=folder, timeout=300)
        checks.equal(done.returncode, 0, f"npm run {script}: {(done.stdout + done.stderr).decode()}")
    return f"{folder}/dist"


def check_types(checks, folder):
    """src/openapi.ts is what types.mjs makes of the OpenAPI document."""
    document = os.path.join(common.REPO, "agent", "api", "openapi.json")
    if not os.path.exists(document):
        print("agent/api/openapi.json is not there: the types were not compared with it")
        return
    done = common.run("node", f"{PAGE}/types.mjs", document, f"{folder}/openapi.ts")
    checks.equal(done.returncode, 0, f"types.mjs: {done.stderr.decode()}")
    checks.that(filecmp.cmp(f"{folder}/openapi.ts", f"{PAGE}/src/openapi.ts", shallow=False),
                "src/openapi.ts is of the OpenAPI document: node agent/page/types.mjs "
                "agent/api/openapi.json")


def main():
    if not shutil.which("npm") or not shutil.which("node"):
        common.skip("node and npm are not installed (packaging/deps.sh: NINES_PAGE_DEPS)")
    checks = common.Checks()
    folder = common.scratch("page-build")
    made = build(checks, folder)
    check_types(checks, folder)
    names = sorted(os.listdir(made))
    checks.equal(sorted(os.listdir(f"{PAGE}/dist")), names, "the files of dist")
    _, differ, missing = filecmp.cmpfiles(made, f"{PAGE}/dist", names, shallow=False)
    checks.equal((differ, missing), ([], []), "dist is what npm ci && npm run build makes")
    size = 0
    for name in names:
        with open(f"{made}/{name}", "rb") as f:
            text = f.read()
        size += len(gzip.compress(text, 9))
        # Names of XML vocabularies and of messages are no addresses that anything is loaded from.
        others = [u for u in re.findall(rb"https?://[^\s\"'`)]+", text) if b"www.w3.org" not in u]
        checks.equal(others, [], f"addresses in {name}")
    checks.that(size <= MOST_BYTES, f"{size} bytes compressed, at most {MOST_BYTES}")
    with open(f"{PAGE}/package-lock.json", encoding="utf-8") as f:
        checks.that("resolved" not in f.read(), "the lock file names versions and hashes, no hosts")
    print(f"{size} bytes compressed")
    checks.finish()


if __name__ == "__main__":
    main()

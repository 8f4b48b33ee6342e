#!/usr/bin/env python3
"""Parts of the packages that need no root: one version everywhere, the unit's exposure, the watchdog
and the unit's promises, man pages of every command, an SBOM that does not contradict the program.
NINES_BIN=... packaging/tests/test_parts.py
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = "packaging/systemd/nines.service"
failures, passed, skipped = [], 0, []


def that(condition, what):
    global passed
    if condition:
        passed += 1
    else:
        failures.append(what)
        print(f"FAIL: {what}")


def text(path):
    with open(os.path.join(REPO, path), encoding="utf-8") as f:
        return f.read()


def run(*command, **env):
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=REPO,
                          env={**os.environ, **env})


def versions():
    found = {
        "CMakeLists.txt": re.search(r"project\(nines VERSION (\S+)", text("CMakeLists.txt"))[1],
        "changelog": re.match(r"nines \((\S+)\)", text("packaging/deb/debian/changelog"))[1],
        "program": re.search(r'kVersion = "(.*)"', text("agent/src/cli/commands.hpp"))[1],
        "k8s": re.search(r"newTag: (\S+)", text("packaging/k8s/base/kustomization.yaml"))[1]}
    that(len(set(found.values())) == 1, f"one version everywhere: {found}")


def unit():
    content = text(UNIT)
    for promise in ("Type=notify", "WatchdogSec=", "ExecStartPre=/usr/bin/nines slo lint", "MemoryHigh=",
                    "MemoryMax=64M", "LimitDATA=", "User=nines", "ProtectSystem=strict"):
        that(re.search(f"(?m)^{promise}", content), f"the unit says {promise}")
    if not shutil.which("systemd-analyze"):
        skipped.append("systemd-analyze is not here: the unit's exposure is not known")
        return
    def exposure(path):
        return run("systemd-analyze", "security", "--offline=true", "--threshold=15", path)
    done = exposure(UNIT)
    that(done.returncode == 0, f"exposure is 1.5 at most: {done.stdout.strip().splitlines()[-1:]}")
    with tempfile.TemporaryDirectory() as folder:
        weaker = os.path.join(folder, "nines.service")
        with open(weaker, "w", encoding="utf-8") as f:
            f.write(content.replace("PrivateUsers=yes", "PrivateUsers=no"))
        that(exposure(weaker).returncode != 0, "a unit that allows more does not pass")


def program():
    path = os.environ.get("NINES_BIN", "")
    if not os.path.exists(path):
        skipped.append("NINES_BIN names no program")
        return
    with tempfile.TemporaryDirectory() as folder:
        for name in ("first", "second"):
            done = run("packaging/man/make", path, "--", f"{folder}/{name}", SOURCE_DATE_EPOCH="0")
            that(done.returncode == 0, f"man pages are made: {done.stderr}")
        pages = {name: open(f"{folder}/first/{name}", encoding="utf-8").read() for name in os.listdir(f"{folder}/first")}
        that(pages == {name: open(f"{folder}/second/{name}", encoding="utf-8").read() for name in pages},
             "the same pages twice")
        commands = re.search(r"Subcommands:\n((?:  .*\n?)+)", run(path, "--help").stdout)[1]
        for name in re.findall(r"(?m)^  (\w+)", commands):
            that(f".SS nines {name}\n" in pages["nines.1"], f"nines.1 tells of nines {name}")
        if shutil.which("groff"):
            for name in pages:
                done = run("groff", "-man", "-Tutf8", "-ww", "-z", "-K", "utf8", f"{folder}/first/{name}")
                that(done.stderr == "", f"groff has no complaint about {name}: {done.stderr[:300]}")
        sbom(path, folder)


def sbom(path, folder):
    needed = run("readelf", "-d", path).stdout
    if "libssl" in needed or "libsqlite3" in needed:
        skipped.append("the program's libraries are shared: nothing to hold the SBOM against")
        return
    arch = run("dpkg", "--print-architecture").stdout.strip()
    done = run("packaging/sbom/make", "--arch", arch, "--binary", path, f"{folder}/sbom", SOURCE_DATE_EPOCH="0")
    that(done.returncode == 0, f"an SBOM is made: {done.stderr}")
    document = json.load(open(f"{folder}/sbom", encoding="utf-8"))
    that(all(p["versionInfo"] and p["licenseDeclared"] for p in document["packages"]), "each with version and licence")
    copyright_file = text("packaging/deb/debian/copyright")
    for word in ("OpenSSL", "SQLite", "RE2", "yaml-cpp", "zlib", "Zstandard", "Snappy", "libstdc++", "libgcc", "Boost",
                 "msgpack", "spdlog", "fmt", "JSON for Modern C++", "CLI11", "Preact", "uPlot"):
        that(word in copyright_file, f"debian/copyright names {word}")
    openssl = next(p["versionInfo"] for p in document["packages"] if p["name"] == "openssl").split("-")[0]
    with open(path, "rb") as f:
        other = f.read().replace(f"\0{openssl}\0".encode(), f"\0{openssl[:-1]}x\0".encode().replace(b"x", b"0"))
    if openssl.endswith("0"):
        return
    with open(f"{folder}/other", "wb") as f:
        f.write(other)
    that(run("packaging/sbom/make", "--arch", arch, "--binary", f"{folder}/other").returncode == 1,
         "a program with another OpenSSL than the packages' has no SBOM")


def complete():
    """The SBOM lists all that CMake takes from outside, all that the program is linked of, and all
    that the page is compiled from; and nothing else."""
    with open(os.path.join(REPO, "packaging/sbom/libraries.json"), encoding="utf-8") as f:
        listed = json.load(f)["libraries"]
    packages = {one["package"] for one in listed if "package" in one}
    # Names of nines_dep and find_package, by the Debian package that has its header.
    cmake = text("toolchains/cmake/NinesDeps.cmake")
    named = re.findall(r"(?m)^nines_dep\((\w+) (\S+?)[ )]", cmake)
    that(len(named) >= 10, f"libraries are found in NinesDeps.cmake: {named}")
    headers = [header for _, header in named] + (["openssl/ssl.h"] if "find_package(OpenSSL" in cmake else [])
    owners = {h: owner(f"/usr/include/{h}") for h in headers}
    that(all(owners.values()), f"whose header is which is known: {owners}")
    that(set(owners.values()) <= packages, f"every library of CMake is in the SBOM: {set(owners.values()) - packages}")
    with open(os.path.join(REPO, "agent/page/package.json"), encoding="utf-8") as f:
        page = set(json.load(f)["dependencies"])
    that(page == {one["npm"] for one in listed if "npm" in one}, f"the page's libraries are in the SBOM: {page}")
    linked = link_line()
    if linked is None:
        skipped.append("the program was not linked statically here: its link line says nothing")
        return
    theirs = {owner(path) for path in linked}
    that(theirs <= packages, f"every archive that is linked is in the SBOM: {theirs - packages}")
    compiler = {"libstdc++-12-dev", "libgcc-12-dev"}  # by -static-libstdc++ -static-libgcc
    static = {one["package"] for one in listed if one["linked"] == "static" and "package" in one}
    that(static == theirs | compiler, f"and nothing that is not: {static - theirs - compiler}")


def owner(path):
    """The Debian package that a file comes from; a header of libboost1.74-dev by its dependency."""
    found = run("dpkg", "-S", path).stdout
    return found.split(":")[0] if found else None


def link_line():
    """Archives that the program is linked of, as Debian has them; None: they are shared."""
    build = os.path.join(os.path.dirname(os.path.dirname(os.environ.get("NINES_BIN", "/nowhere/agent/nines"))), "build.ninja")
    if not os.path.exists(build):
        return None
    with open(build, encoding="utf-8") as f:
        rule = re.search(r"(?ms)^build agent/nines: .*?^  LINK_LIBRARIES = (.*?)$", f.read())
    words = rule[1].split() if rule else []
    folder = os.path.dirname(next((w for w in words if w.startswith("/usr/") and w.endswith(".a")), ""))
    if not folder:
        return None
    return {w if w.startswith("/") else f"{folder}/{os.path.basename(w)}" for w in words
            if w.endswith(".a") and (w.startswith("/usr/") or w.startswith("thin/"))}


def threat_model():
    """SECURITY.md names code that is there and tests that are there."""
    page = text("packaging/SECURITY.md")
    for path in re.findall(r"`((?:agent|core|collector|sync|tests|packaging)/[^`: ]*)", page):
        stem = re.sub(r"[{*].*", "", path)
        folder, name = os.path.split(os.path.join(REPO, stem))
        there = os.path.isdir(folder) and any(n.startswith(name) for n in os.listdir(folder))
        that(there, f"SECURITY.md: {path} is there")
    cmake = "".join(text(f"{folder}/CMakeLists.txt") for folder in ("tests/e2e", "tests/tidy", "packaging/tests"))
    for name in sorted(set(re.findall(r"\b((?:e2e|fault|packaging|tidy)\.[a-z_]+)\b", page))):
        kind, _, last = name.partition(".")
        registered = f"packaging_test({last} " if kind == "packaging" else name
        that(re.search(re.escape(registered) + r"(?![a-z_])", cmake), f"SECURITY.md: {name} is a test")
    units = ""
    for folder, _, names in os.walk(os.path.join(REPO, "tests/unit")):
        for name in names:
            if name.endswith(".cpp"):
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as f:
                    units += re.sub(r'"\s*\n\s*"', "", f.read())
    sentences = re.findall(r'"([^"]+)"', "\n".join(line for line in page.splitlines() if line.startswith("|")))
    that(len(sentences) >= 20, f"{len(sentences)} sentences of unit tests are found")
    for sentence in sentences:
        cited = sentence in units if sentence.startswith("[") else f'TEST_CASE("{sentence}"' in units
        that(cited, f"SECURITY.md: a unit test says {sentence!r}")
    faults = "".join(text(f"tests/fault/{n}") for n in os.listdir(os.path.join(REPO, "tests/fault")) if n.endswith(".py"))
    for number in re.findall(r"\bfaults? (\d+)", page):
        that(f"@case({number}, " in faults, f"SECURITY.md: fault {number} is there")


versions()
unit()
threat_model()
program()
complete()
for why in skipped:
    print(f"SKIPPED: {why}")
print(f"{passed} checks passed, {len(failures)} failed")
sys.exit(1 if failures else 0)

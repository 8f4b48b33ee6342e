#!/usr/bin/env python3
"""nines pki: what it makes stands up to openssl, is renewed in place, and says what went wrong."""
import os
import shutil
import stat
import subprocess

import common


def nines(*arguments):
    return subprocess.run([common.tool("NINES_BIN"), "pki", *arguments], capture_output=True, text=True,
                          timeout=60, check=False)


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], capture_output=True, text=True, timeout=60,
                          check=False)


def main():
    if shutil.which("openssl") is None:
        common.skip("openssl is not there")
    folder = common.scratch("pki")
    directory = os.path.join(folder, "pki")
    made = nines("init", "--dir", directory, "--cluster", "shop")
    assert made.returncode == 0, made
    again = nines("init", "--dir", directory)
    assert again.returncode == 2 and "is there already" in again.stderr, again

    issued = nines("issue", "edge-1", "--dir", directory, "--days", "30")
    assert issued.returncode == 0, issued
    authority = os.path.join(directory, "ca.crt")
    certificate = os.path.join(directory, "edge-1", "node.crt")
    key = os.path.join(directory, "edge-1", "node.key")
    verified = openssl("verify", "-x509_strict", "-CAfile", authority, certificate)
    assert verified.returncode == 0, verified
    shown = openssl("x509", "-in", certificate, "-noout", "-text").stdout
    for part in ("DNS:edge-1", "prime256v1", "TLS Web Server Authentication", "CA:FALSE"):
        assert part in shown, shown
    for secret in (key, os.path.join(directory, "ca.key")):
        assert stat.S_IMODE(os.stat(secret).st_mode) == 0o600, secret
    assert openssl("x509", "-in", certificate, "-checkend", str(29 * 86400)).returncode == 0
    assert openssl("x509", "-in", certificate, "-checkend", str(31 * 86400)).returncode == 1

    assert "nines:role" not in shown, shown
    for role in ("observer", "leaf"):
        assert nines("issue", role + "-1", "--role", role, "--dir", directory).returncode == 0
        of_role = os.path.join(directory, role + "-1", "node.crt")
        assert openssl("verify", "-x509_strict", "-CAfile", authority, of_role).returncode == 0
        text = openssl("x509", "-in", of_role, "-noout", "-text").stdout
        assert f"DNS:{role}-1, URI:nines:role:{role}" in text, text
    unknown = nines("issue", "x", "--role", "king", "--dir", directory)
    assert unknown.returncode == 2 and "observer" in unknown.stderr, unknown

    with open(certificate, encoding="ascii") as f:
        before = f.read()
    assert nines("issue", "edge-1", "--dir", directory).returncode == 0
    with open(certificate, encoding="ascii") as f:
        assert f.read() != before
    assert openssl("verify", "-CAfile", authority, certificate).returncode == 0
    assert sorted(os.listdir(os.path.dirname(certificate))) == ["ca.crt", "node.crt", "node.key"]

    bad = nines("issue", "a,DNS:b", "--dir", directory)
    assert bad.returncode == 2 and "cannot be the node" in bad.stderr, bad
    missing = nines("issue", "edge-2", "--dir", os.path.join(folder, "nowhere"))
    assert missing.returncode == 3 and "nowhere/ca.crt" in missing.stderr, missing


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Nothing under version control gives access to anything: keys, tokens, logins in addresses.
no_secrets.py [--self-test]: prints FILE:LINE: what, and exits 1 if there is anything. What looks like one
and is none (published test vectors, words of tests) stands in ALLOWED with its reason.
"""
import base64
import math
import os
import re
import subprocess
import sys

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MAX_FILE = 4 << 20
PATTERNS = {
    "a private key": rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s*(?:\\n|\s|\")*[A-Za-z0-9+/=]{16}",
    "an AWS key id": rb"\b(?:AKIA|ASIA|AGPA|AROA)[A-Z0-9]{16}\b",
    "an AWS secret": rb"(?i)aws.{0,24}secret.{0,24}[\"'=: ][A-Za-z0-9+/]{40}\b",
    "a token of GitHub": rb"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})",
    "a token of GitLab": rb"\bglpat-[A-Za-z0-9_-]{20}",
    "a token of Slack": rb"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a webhook of Slack": rb"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/[A-Za-z0-9]{16,}",
    "a key of Google": rb"\bAIza[A-Za-z0-9_-]{35}\b",
    "a key of Stripe": rb"\b[rs]k_live_[A-Za-z0-9]{20,}",
    "a key of a model": rb"\bsk-(?:[a-z]+-)*[A-Za-z0-9]{32,}",
    "a JSON web token": rb"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}",
    "a seed of NATS": rb"\bS[UAO][A-Z2-7]{56}\b",
    "a key of age": rb"\bAGE-SECRET-KEY-1[A-Z0-9]{58}\b",
    "a login in an address": rb"\b[a-z][a-z0-9+.-]*://[A-Za-z0-9._-]+:[^@/\s\"'<>{}$%*()]{6,}@[A-Za-z0-9.-]+",
    "a password": rb"(?i)\b(?:password|passwd|secret|token|api_?key)[\"']?\s*[:=]\s*[\"'](?P<value>[A-Za-z0-9+/_=.-]{20,})[\"']",
}
NAMES = re.compile(r"(^|/)(id_(rsa|ed25519|ecdsa)|.*\.(key|p12|pfx|jks|keystore)|\.netrc|\.env|kubeconfig|credentials)$")
# (file, what, text within the finding): the reason. Whatever is not used any more is a finding, too.
ALLOWED = {
    ("tests/e2e/test_remedy_outside.py", "an AWS secret", "EXAMPLEKEY"): "the example of the documentation of AWS",
    ("tests/unit/broker/nats_client_test.cpp", "a seed of NATS", "SUACSSL3UAHUDXKFSNVUZRF5"):
        "the example of the documentation of NATS"}


def varied(value):
    """Bits a character: words have few, what was drawn by chance many."""
    return -sum(value.count(c) / len(value) * math.log2(value.count(c) / len(value)) for c in set(value))


def findings(path, content, patterns=tuple((w, re.compile(p)) for w, p in PATTERNS.items())):
    """[(line, what, text)]"""
    found = [(1, "a file of keys by its name", os.path.basename(path))] if NAMES.search(path) else []
    for what, pattern in patterns:
        for match in pattern.finditer(content):
            if what == "a password" and varied(match["value"]) < 3.5:
                continue
            found.append((content.count(b"\n", 0, match.start()) + 1, what, match[0].decode(errors="replace")))
    return found


def tracked():
    done = subprocess.run(["git", "-C", REPO, "ls-files", "-z"], capture_output=True)
    if done.returncode != 0:
        print("SKIPPED: this is no clone: what is under version control is not known")
        sys.exit(77)
    return [name for name in done.stdout.decode().split("\0") if name]


def scan():
    left, used, files = [], set(), tracked()
    for path in files:
        full = os.path.join(REPO, path)
        if os.path.islink(full) or not os.path.isfile(full):
            continue
        with open(full, "rb") as f:
            content = f.read(MAX_FILE)
        for line, what, text in findings(path, content):
            reasons = [key for key in ALLOWED if key[:2] == (path, what) and key[2] in text]
            used.update(reasons)
            if not reasons:
                left.append(f"{path}:{line}: {what}: {text[:24]}...")
    left += [f"tests/tidy/no_secrets.py: ALLOWED has {key}, which is nowhere" for key in ALLOWED.keys() - used]
    for finding in left:
        print(finding)
    print(f"secrets: {len(files)} files, {len(left)} findings, {len(used)} allowed with a reason")
    return 1 if left else 0


def self_test():
    """Each pattern finds one of its kind, made here so that this file has none, and no more."""
    word = base64.b64encode(bytes(range(7, 250, 5))).decode().replace("/", "a").replace("+", "b").rstrip("=")
    upper = re.sub("[^A-Z2-7]", "", base64.b32encode(bytes(range(3, 250, 3))).decode())
    planted = {
        "a private key": "-----BEGIN EC " + "PRIVATE KEY-----\n" + word, "an AWS key id": "AKIA" + upper[:16],
        "an AWS secret": "aws_secret_access_key = " + word[:40], "a token of GitHub": "ghp_" + word[:36],
        "a token of GitLab": "glpat-" + word[:20], "a token of Slack": "xoxb-" + word[:20],
        "a webhook of Slack": "https://hooks.slack.com/services/T" + "A1B2C3D4/B" + "A1B2C3D4/" + word[:24],
        "a key of Google": "AIza" + word[:35], "a key of Stripe": "sk_live_" + word[:24],
        "a key of a model": "sk-proj-" + word[:40], "a JSON web token": ".".join(["eyJ" + word[:20]] * 2 + [word[:20]]),
        "a seed of NATS": "SU" + upper[:56], "a key of age": "AGE-SECRET-KEY-1" + upper[:58],
        "a login in an address": "https://me:" + word[:12] + "@example.org",
        "a password": "token: '" + word[:32] + "'"}
    wrong = [what for what, text in planted.items()
             if what not in {w for _, w, _ in findings("x.txt", f"1\n{text}\n".encode())}]
    wrong += [f"found in {text!r}" for text in (
        "secret_file: /etc/nines/token", 'token = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"', "https://example.org/a@b",
        "password: 'change-me-change-me-change-me'"[:30]) if findings("x.txt", text.encode())]
    wrong += [name for name in ("a/id_rsa", "node.key", ".env") if not findings(name, b"")]
    wrong += [what for what in PATTERNS if what not in planted]
    print(f"self-test: {wrong or 'every kind is found'}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(self_test() if "--self-test" in sys.argv[1:] else scan())

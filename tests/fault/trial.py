"""What a case is: a fault, how it is injected, the law it tries, and what was seen. A case that cannot
show that its fault happened has failed, whatever else it saw."""
import dataclasses
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
import common  # noqa: E402

LONG = bool(os.environ.get("NINES_LONG"))
CEILING_BYTES = 64 << 20

LAWS = {1: "exactly once", 2: "bounded", 3: "do no harm", 4: "offline first", 5: "never lie",
        6: "integers decide", 7: "time is injected", 8: "idempotent telling", 9: "least privilege"}


class Skipped(Exception):
    """Something that the fault needs is not on this machine."""


@dataclasses.dataclass(frozen=True)
class Case:
    number: int
    fault: str
    how: str
    laws: tuple
    body: object
    root: bool
    needs: tuple


CASES = {}


def case(number, fault, how, laws, root=False, needs=()):
    """Declares a case. `root`: it mounts, traces or limits; it gets a mount namespace of its own.
    `needs`: programs."""
    def declare(body):
        if number in CASES:
            raise ValueError(f"two cases are number {number}")
        CASES[number] = Case(number, fault, how, laws, body, root, needs)
        return body
    return declare


def rounds(few, many):
    return many if LONG else few


class Trial(common.Checks):
    """One run of a case: its folder, its checks, its proofs, its figures."""

    def __init__(self, of):
        super().__init__()
        self.case, self.folder = of, common.scratch(f"fault-{of.number}")
        self.proofs, self.seen, self.peak = [], [], 0

    def need(self):
        if self.case.root and os.geteuid() != 0:
            raise Skipped("it needs root")
        for program in self.case.needs:
            if shutil.which(program) is None:
                raise Skipped(f"{program} is not there")

    def proof(self, happened, what):
        """That the fault happened: counted by the kernel, a tracer or a library, not by Nines alone."""
        self.proofs.append(what)
        return self.that(happened, f"the fault did not happen: {what}")

    def saw(self, what):
        self.seen.append(what)
        print(f"  {what}", flush=True)

    def memory(self, peak):
        self.peak = max(self.peak, peak)

    def end(self):
        if not self.proofs:
            self.that(False, "nothing shows that the fault happened")
        if self.peak:
            self.that(self.peak < CEILING_BYTES,
                      f"peak RSS {self.peak / 2**20:.1f} MiB of {CEILING_BYTES >> 20}")
        return {"number": self.case.number, "proofs": self.proofs, "seen": self.seen,
                "failures": self.failures, "passed": self.passed,
                "peak_mib": round(self.peak / 2**20, 1)}


def settled(condition, seconds, poll=0.1):
    """How long it took, or None: it never was."""
    began = time.monotonic()
    try:
        common.wait_until(condition, seconds, "", poll=poll)
    except TimeoutError:
        return None
    return time.monotonic() - began

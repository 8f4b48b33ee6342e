"""The words that scenarios are written in: a Scenario is a list of steps; a step is an action on
files, or a look() that says which records Nines must have delivered since the look before.

Every path is relative to the scenario's own folder. Nothing here knows how Nines is run."""
import dataclasses
import gzip
import json
import os
import shutil
import socket
import subprocess
import time

import programs


@dataclasses.dataclass
class Scenario:
    name: str
    steps: list
    ids: tuple = ()           # rows of the list of edge cases: R1..R20 files, L1..L14 lines, T*: torture
    paths: tuple = ("app.log",)
    format: str = "auto"
    pattern: str = ""
    source: str = ""          # further YAML of the source, "key: value" lines
    inputs: str = ""          # instead of paths: YAML of an input that is not a file
    limits: str = ""          # further YAML of nines.yaml
    where: str = ""           # which records count at all
    good: str = "raw NOT LIKE '%bad%'"
    ways: tuple = ("tail", "agent")
    needs: str = ""           # the feature that it waits for: reported as an expected failure
    bug: str = ""             # the defect of Nines that it shows: likewise
    bug_ways: tuple = ()      # the ways it shows in; none: all
    any_order: bool = False   # records of different files, or of sockets: compared as a multiset
    unprivileged: bool = False
    no_kill: str = ""         # why killing proves nothing here: what it costs no program could keep
    group: str = ""           # set by the table it stands in
    seconds: int = 90         # how long counts may take to settle, on a busy machine


def mark_of(scenario, way):
    """Why a failure is expected, or ""."""
    if scenario.needs:
        return "needs " + scenario.needs
    return scenario.bug if not scenario.bug_ways or way in scenario.bug_ways else ""


# --- what is expected ----------------------------------------------------------------------------
class Record(dict):
    """Some fields of one record as `nines tail -o json` prints it; fields of the format by their
    own names. A plain text in a look() stands for Record(message=text)."""

    def __init__(self, raw=None, bad=None, counted=True, **fields):
        super().__init__(fields)
        if raw is not None:
            self["raw"] = raw
        text = raw if raw is not None else json.dumps(fields, default=str)
        self.bad = "bad" in text if bad is None else bad
        self.counted = counted


def malformed(raw, error="no_match"):
    """A line that is not of its file's format: printed with its error, not counted."""
    return Record(raw, _error=error, counted=False)


def as_record(x):
    return x if isinstance(x, Record) else Record(message=x)


def matches(wanted, printed):
    """Compares only what the record names; a printed record is the JSON object of tail."""
    for key, value in wanted.items():
        if key in printed:
            got = printed[key]
        else:
            got = printed.get("fields", {}).get(key)
        if got != value:
            return False
    return True


# --- steps ---------------------------------------------------------------------------------------
@dataclasses.dataclass
class Step:
    what: str
    do: object = None          # do(world)
    destroys: bool = False     # takes bytes away that only a program that was running has seen
    expected: list = None      # look() only: records in order, or {file: records}


class World:
    """The folder of one run of a scenario, and the writers that are open in it."""

    def __init__(self, root):
        self.root, self.handles, self.variables = root, {}, {}

    def path(self, name):
        return os.path.join(self.root, name)

    def close(self):
        for handle in self.handles.values():
            handle.close()
        self.handles.clear()


def as_bytes(text):
    return text if isinstance(text, bytes) else text.encode()


def text_of(content, world):
    return as_bytes(content(world) if callable(content) else content)


def action(what, do, destroys=False):
    return Step(what, do, destroys)


def look(*records):
    """Nines has delivered exactly these since the last look. One dict: per file."""
    if len(records) == 1 and isinstance(records[0], dict) and not isinstance(records[0], Record):
        wanted = {k: [as_record(r) for r in v] for k, v in records[0].items()}
    else:
        flat = []
        for r in records:
            flat += [as_record(x) for x in r] if isinstance(r, (list, tuple)) else [as_record(r)]
        wanted = flat
    return Step("look", None, False, wanted)


def write(name, content):
    """Appends, as a program does that opens its log for each line."""
    def do(world):
        path = world.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "ab", buffering=0) as f:
            f.write(text_of(content, world))
    return action(f"write {name}", do)


def hold(handle, name, append=True):
    """Opens a writer that stays open; append=False: it keeps its own offset (no O_APPEND)."""
    def do(world):
        path = world.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else 0)
        world.handles[handle] = os.fdopen(os.open(path, flags, 0o644), "wb", buffering=0)
    return action(f"hold {name} as {handle}", do)


def put(handle, content):
    return action(f"put {handle}", lambda w: w.handles[handle].write(text_of(content, w)))


def drop(handle):
    return action(f"drop {handle}", lambda w: w.handles.pop(handle).close())


def rename(old, new):
    return action(f"rename {old} {new}", lambda w: os.rename(w.path(old), w.path(new)))


def copy(old, new):
    return action(f"copy {old} {new}", lambda w: shutil.copyfile(w.path(old), w.path(new)))


def truncate(name, size=0):
    return action(f"truncate {name} {size}", lambda w: os.truncate(w.path(name), size), True)


def copytruncate(name, copied, over=False):
    """As logrotate does it: nothing of the file is missing at any time, so nothing is destroyed;
    but for an older copy that is written over."""
    def do(world):
        shutil.copyfile(world.path(name), world.path(copied))
        os.truncate(world.path(name), 0)
    return action(f"copytruncate {name} {copied}", do, over)


def remove(name):
    return action(f"remove {name}", lambda w: os.unlink(w.path(name)), True)


def remove_tree(name):
    return action(f"remove tree {name}", lambda w: shutil.rmtree(w.path(name)), True)


def replace(name, content):
    """A new file under the old name in one step, as editors do."""
    def do(world):
        beside = world.path(name) + ".tmp~new"
        with open(beside, "wb") as f:
            f.write(text_of(content, world))
        os.replace(beside, world.path(name))
    return action(f"replace {name}", do, True)


def overwrite(name, content):
    """Truncates and writes in place."""
    def do(world):
        with open(world.path(name), "wb", buffering=0) as f:
            f.write(text_of(content, world))
    return action(f"overwrite {name}", do, True)


def overwrite_without_truncation(name, content):
    def do(world):
        with open(world.path(name), "r+b", buffering=0) as f:
            f.write(text_of(content, world))
    return action(f"overwrite {name} from its start", do, True)


def hole(name, size):
    """NUL bytes at the end, as a file system leaves them when power was lost."""
    return action(f"hole {name} {size}",
                  lambda w: os.truncate(w.path(name), os.path.getsize(w.path(name)) + size))


def link(name, target):
    """Points a symbolic link somewhere, in one step."""
    def do(world):
        path = world.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        beside = path + ".tmp~link"
        os.symlink(target if target.startswith("../") else world.path(target), beside)
        os.replace(beside, path)
    return action(f"link {name} -> {target}", do)


def hard_link(name, target):
    return action(f"hard link {name} {target}", lambda w: os.link(w.path(target), w.path(name)))


def compress(name, suffix=".gz", keep=False):
    """What logrotate's compress does: NAME.gz appears, with the times of NAME, and NAME goes."""
    def do(world):
        path, times = world.path(name), os.stat(world.path(name))
        with open(path, "rb") as f:
            data = f.read()
        if suffix == ".gz":
            packed = gzip.compress(data)
        else:
            packed = subprocess.run(["zstd", "-q", "-c"], input=data, capture_output=True,
                                    check=True).stdout
        with open(path + suffix, "wb") as f:
            f.write(packed)
        os.utime(path + suffix, ns=(times.st_atime_ns, times.st_mtime_ns))
        if not keep:
            os.unlink(path)
    return action(f"compress {name}{suffix}", do)


def write_compressed(name, *members):
    """A gz or zst file that holds these, a member each."""
    def do(world):
        with open(world.path(name), "wb") as f:
            for member in members:
                data = text_of(member, world)
                f.write(gzip.compress(data) if name.endswith(".gz") else subprocess.run(
                    ["zstd", "-q", "-c"], input=data, capture_output=True, check=True).stdout)
    return action(f"write compressed {name}", do)


def mode(name, bits):
    return action(f"chmod {bits:o} {name}", lambda w: os.chmod(w.path(name), bits))


def directory(name):
    return action(f"mkdir {name}", lambda w: os.makedirs(w.path(name)))


def age(name, seconds):
    def do(world):
        then = time.time() - seconds
        os.utime(world.path(name), (then, then))
    return action(f"age {name} {seconds} s", do)


def touch(name):
    return action(f"touch {name}", lambda w: os.utime(w.path(name)))


def reuse_inode(name, content, tries=2000):
    """Deletes the file and makes another that got the same inode number. Where the file system
    will not give it again (it never does on some), the scenario is a plain delete and recreate."""
    def do(world):
        path = world.path(name)
        inode = os.stat(path).st_ino
        os.unlink(path)
        others = []
        for n in range(tries):
            candidate = f"{path}.try~{n}"
            with open(candidate, "wb"):
                pass
            if os.stat(candidate).st_ino == inode or n == tries - 1:
                with open(candidate, "wb") as f:
                    f.write(text_of(content, world))
                os.rename(candidate, path)
                break
            others.append(candidate)
        for other in others:
            os.unlink(other)
    return action(f"reuse the inode of {name}", do, True)


def stop():
    return Step("stop")


def start():
    return Step("start")


def restart():
    return Step("restart")


def damage_state():
    """The saved positions and counts become unreadable."""
    return Step("damage state")


def pause(seconds, why):
    """Only where time itself is what is tested (a time-out, a quiet period)."""
    return action(f"pause {seconds} s: {why}", lambda w: time.sleep(seconds))


# --- things that are not files -------------------------------------------------------------------
def send_udp(*messages):
    def do(world):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
            for message in messages:
                s.sendto(as_bytes(message), (world.variables["HOST"], 5514))
    return action("send over UDP", do)


def send_unix(path, *messages, stream=False):
    def do(world):
        def connected():  # as syslog(3) does while the daemon is restarted
            try:
                return s.connect(world.path(path)) is None
            except OSError:
                return False
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM) as s:
            assert programs.wait_for(connected, 30, 0.02), f"nobody listens at {path}"
            for message in messages:
                s.sendall(as_bytes(message))
    return action(f"send to {path}", do)


def send_tcp(*pieces):
    def do(world):
        with socket.create_connection((world.variables["HOST"], 5514), timeout=30) as s:
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                s.sendall(as_bytes(piece))
    return action("send over TCP", do)


def type_in(content):
    """To the standard input of the program."""
    return action("standard input", lambda w: w.variables["stdin"](text_of(content, w)))


# --- making lines --------------------------------------------------------------------------------
# Counts show once their ten seconds are over, so what scenarios write is ten minutes old.
BASE = int(time.time()) - 600


def at(shape="%Y-%m-%dT%H:%M:%SZ", offset_s=0, zone_s=0):
    """The time of the scenarios' lines in some shape, as seen in a zone."""
    return time.strftime(shape, time.gmtime(BASE + offset_s + zone_s))


S = at() + " "  # before each line; formats.py has the other shapes


def ts(fraction="", offset_s=0):
    """How `nines tail` prints the time of a line."""
    return at("%Y-%m-%dT%H:%M:%S", offset_s) + fraction + "Z"


def lines(*texts):
    return "".join(f"{S}{t}\n" for t in texts)


def numbered(first, count, width=7):
    """Texts that tell apart, in order."""
    return [f"line {n:0{width}} of the sequence" for n in range(first, first + count)]

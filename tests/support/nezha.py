"""A recorded day of a real system (Nezha TrainTicket): the log lines of 27 services on nine hosts, what
CPU they used, and the faults that were injected into them with their true causes."""
import collections
import csv
import datetime
import glob
import io
import json
import os
import re
import tarfile

HERE = os.path.dirname(os.path.abspath(__file__))
REPO = os.path.dirname(os.path.dirname(HERE))
POD = re.compile(r"-[0-9a-f]{8,10}-[a-z0-9]{5}$")
DAY_NS = 86_400 * 10**9

# at: ns; message: all its lines, as the service wrote them
Line = collections.namedtuple("Line", "at host pod trace span message")
Usage = collections.namedtuple("Usage", "at service percent")
Fault = collections.namedtuple("Fault", "at service kind")  # at: seconds
Day = collections.namedtuple("Day", "lines usage faults")  # each in the order of time


def archive(data=None):
    """None: it is not here."""
    for base in (data or os.environ.get("NINES_DATA_DIR"), f"{REPO}/../shared/data",
                 f"{REPO}/../../shared/data"):
        found = sorted(glob.glob(f"{base}/nezha/*.tar.xz")) if base else []
        if found:
            return found[0]
    return None


def service_of(pod):
    return POD.sub("", pod)


def _rows(text):
    return csv.DictReader(io.StringIO(text))


def _lines(text):
    for row in _rows(text):
        try:
            at, message = int(row["TimeUnixNano"]), row["Log"]
        except (TypeError, ValueError):
            continue
        try:
            message = json.loads(message)["log"]
        except ValueError:
            pass
        yield Line(at, row["Node"], row["PodName"], row["TraceID"], row["SpanID"], message)


def _usage(name, text):
    service = service_of(os.path.basename(name).removesuffix("_metric.csv"))
    for row in _rows(text):
        try:
            at, percent = float(row["TimeStamp"]), float(row["CpuUsageRate(%)"])
        except (KeyError, TypeError, ValueError):
            continue
        yield Usage(int(at * 1e9), service, percent)


def _faults(text):
    for injected in json.loads(text).values():
        for fault in injected:
            at = datetime.datetime.strptime(fault["inject_time"], "%Y-%m-%d %H:%M:%S")
            at = int(at.replace(tzinfo=datetime.timezone.utc).timestamp())
            yield Fault(at, service_of(fault["inject_pod"]), fault["inject_type"])


def read(path):
    """Some time stamps are of other centuries: those lines are left out, and what was recorded twice."""
    csv.field_size_limit(1 << 30)
    lines, usage, faults = set(), [], []
    with tarfile.open(path) as tar:
        for member in tar:
            if not member.isfile():
                continue
            text = tar.extractfile(member).read().decode(errors="replace")
            if "/log/" in member.name:
                lines.update(_lines(text))
            elif member.name.endswith("_metric.csv"):
                usage += _usage(member.name, text)
            elif member.name.endswith("fault_list.json"):
                faults += _faults(text)
    first, last = min(faults).at * 10**9 - DAY_NS, max(faults).at * 10**9 + DAY_NS
    return Day(sorted(line for line in lines if first < line.at < last), sorted(usage),
               sorted(faults))

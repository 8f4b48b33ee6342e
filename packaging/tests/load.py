#!/usr/bin/env python3
"""packaging/tests/load.py ARCH PROGRAM LOGGEN MEGABYTES FOLDER
The container image of PROGRAM, unpacked into FOLDER/root, and in there what makes it read as fast as it can: two logs
in /logs, and ten SLOs over each of them in /etc/nines/slos. Prints how many lines there are.
"""
import json
import os
import subprocess
import sys
import tarfile

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(REPO, "tests/e2e"))
import common  # noqa: E402


def image_root(arch, program, folder):
    done = subprocess.run([f"{REPO}/packaging/container/build", "--binary", f"{arch}={program}", "--out",
                           f"{folder}/image"], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    archive = next(f"{folder}/image/{n}" for n in os.listdir(f"{folder}/image") if n.endswith(".tar"))
    root = f"{folder}/root"
    with tarfile.open(archive) as tar:
        layer = json.load(tar.extractfile("manifest.json"))[0]["Layers"][0]
        with tarfile.open(fileobj=tar.extractfile(layer)) as inner:
            inner.extractall(root)
    return root


def prepare(root, loggen, megabytes):
    """20 SLOs over an access log and a JSON log; returns how many lines there are."""
    logs = f"{root}/logs"
    os.makedirs(logs)
    slos, counted = [], 0
    for name, form, good in (("web", "nginx", "status < 500"), ("app", "json", "level < 'ERROR'")):
        subprocess.run([loggen, "--format", form, "--out", f"{logs}/{name}.log", "--bytes", f"{megabytes // 2}M"],
                       check=True)
        done = subprocess.run(["wc", "-l", f"{logs}/{name}.log"], capture_output=True, text=True, check=True)
        counted += int(done.stdout.split()[0])
        # Out of the page cache, so that reading it is charged to the group.
        with open(f"{logs}/{name}.log", "rb") as f:
            os.fsync(f.fileno())
            os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        for i in range(10):
            slos.append(common.ratio_slo(f"{name}-{i}", f'paths: ["/logs/{name}.log"], format: {form}', good))
    os.makedirs(f"{root}/etc/nines/slos", exist_ok=True)
    common.write(f"{root}/etc/nines/slos/all.yaml", "".join(slos))
    return counted


if __name__ == "__main__":
    arch, program, loggen, megabytes, folder = sys.argv[1:]
    print(prepare(image_root(arch, program, folder), loggen, int(megabytes)))

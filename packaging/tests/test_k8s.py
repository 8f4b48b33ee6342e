#!/usr/bin/env python3
"""Manifests: each overlay renders offline, passes the strict checks, and its configuration is one
that nines accepts; and manifests that somebody broke do not pass.
NINES_BIN=... packaging/tests/test_k8s.py
"""
import copy
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile

import k8s_strict

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
K8S = os.path.join(REPO, "packaging/k8s")
OVERLAYS = ["base"] + [f"overlays/{name}" for name in sorted(os.listdir(os.path.join(K8S, "overlays")))]


def skip(why):
    print(f"SKIPPED: {why}")
    sys.exit(77)


try:
    import yaml
except ImportError:
    skip("python3-yaml is not installed: nothing is known about the manifests")


def renderer():
    for command in (["kubectl", "kustomize"], ["kustomize", "build"]):
        if shutil.which(command[0]):
            return command
    return skip("neither kubectl nor kustomize is here: nothing is known about the manifests")


class StrictLoader(yaml.SafeLoader):
    """A key that stands twice is an error, not the last one's win."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=deep) for key, _ in node.value]
        if len(keys) != len(set(keys)):
            raise yaml.constructor.ConstructorError(None, None, "a key stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def render(command, folder):
    done = subprocess.run([*command, os.path.join(K8S, folder)], capture_output=True, text=True, timeout=120)
    if done.returncode != 0 or "deprecated" in done.stderr:
        sys.exit(f"FAIL: {folder} does not render: {done.stderr}")
    return [d for d in yaml.load_all(done.stdout, StrictLoader) if d is not None]


def daemonset(documents):
    return next(d for d in documents if d["kind"] == "DaemonSet")


def agent(documents):
    return daemonset(documents)["spec"]["template"]["spec"]["containers"][0]


def volumes(documents):
    return daemonset(documents)["spec"]["template"]["spec"]["volumes"]


# What somebody may get wrong, and a word of what must be said of it.
def breakages():
    yield "a field misspelled", lambda d: agent(d)["securityContext"].update(readOnlyRootFileSystem=True), \
        "unknown field 'readOnlyRootFileSystem'"
    yield "a quantity of another kind", lambda d: agent(d)["resources"]["limits"].update(memory="64MB"), "quantity"
    yield "limits above requests", lambda d: agent(d)["resources"]["limits"].update(memory="128Mi"), "Guaranteed"
    yield "a word that is none", lambda d: volumes(d)[-2]["hostPath"].update(type="Fill"), "'Fill'"
    yield "an operator that is none", lambda d: daemonset(d)["spec"]["template"]["spec"]["tolerations"][0].update(
        operator="Exist"), "'Exist'"
    yield "a mount of nothing", lambda d: agent(d)["volumeMounts"][0].update(name="confg"), "no volume"
    yield "no image", lambda d: agent(d).pop("image"), "'image' is missing"
    yield "text for a number", lambda d: agent(d)["ports"][0].update(containerPort="9990"), "not int"
    yield "a writable log folder", lambda d: [m.pop("readOnly", None) for m in agent(d)["volumeMounts"]], "writable"
    yield "capabilities", lambda d: agent(d)["securityContext"].pop("capabilities"), "more rights"
    yield "a probe of no port", lambda d: agent(d)["livenessProbe"]["httpGet"].update(port="web"), "which there is none"
    yield "a selector of others", lambda d: daemonset(d)["spec"]["selector"]["matchLabels"].update(a="b"), "selector"
    yield "a ConfigMap that is gone", lambda d: d.remove(next(x for x in d if x["kind"] == "ConfigMap")), "not there"
    yield "a right to write", lambda d: d.append({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "x"},
        "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["delete"]}]}), "right to write"
    yield "an unknown kind", lambda d: d.append({"apiVersion": "v1", "kind": "Pot", "metadata": {"name": "x"}}), "unknown kind"


def lint(documents, where):
    """The ConfigMaps, laid out as the pod mounts them, are a configuration."""
    program = os.environ.get("NINES_BIN", "")
    if not os.path.exists(program):
        print("SKIPPED: NINES_BIN names no program, configurations are not looked at")
        return []
    with tempfile.TemporaryDirectory() as folder:
        os.mkdir(os.path.join(folder, "slos"))
        for document in documents:
            for name, text in (document.get("data") or {}).items():
                path = name if name == "nines.yaml" else f"slos/{name}"
                with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
                    f.write(text)
        done = subprocess.run([program, "slo", "lint", "--config", f"{folder}/nines.yaml"],
                              capture_output=True, text=True, timeout=120)
        return [] if done.returncode == 0 else [f"{where}: nines refuses it: {done.stdout}{done.stderr}"]


def counts_itself(documents):
    """SLOs of the ConfigMaps that count the agent's own log, which an agent that asks the API nothing
    knows by its path only."""
    path = f"/var/log/pods/nines_{daemonset(documents)['metadata']['name']}-abcde_UID/agent/0.log"
    found = []
    for slo in (s for d in documents if d["kind"] == "ConfigMap" for name, text in d["data"].items()
                if name != "nines.yaml" for s in yaml.safe_load_all(text)):
        metric = slo["spec"]["indicator"]["spec"]["ratioMetric"]
        for part in ("good", "total"):
            source = metric[part]["metricSource"]["spec"]
            if source["kubernetes"]["namespace"] in ("*", "nines") and \
                    not any(fnmatch.fnmatch(path, out) for out in source.get("exclude", [])):
                found.append(f"{part} of {slo['metadata']['name']} counts the agent's own lines")
    return found


def main():
    command, failures, passed = renderer(), [], 0
    for folder in OVERLAYS:
        documents = render(command, folder)
        errors = k8s_strict.check_all(documents, may_write=folder.endswith("/remediation"))
        errors += lint(documents, folder) + counts_itself(documents)
        failures += [f"{folder}: {e}" for e in errors]
        passed += not errors
        print(f"{folder}: {len(documents)} objects, {len(errors)} errors")
    base = render(command, "base")
    for what, damage, word in breakages():
        broken = copy.deepcopy(base)
        damage(broken)
        errors = k8s_strict.check_all(broken)
        if any(word in e for e in errors):
            passed += 1
        else:
            failures.append(f"{what} is not noticed: {errors}")
    for failure in failures:
        print(f"FAIL: {failure}")
    print(f"{passed} checks passed, {len(failures)} failed")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

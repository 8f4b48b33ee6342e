"""Strict checks of rendered manifests: each field known, required ones there, values of their type
(k8s_schema.json), and what no schema says: references that lead nowhere, and our promises.
"""
import json
import os
import re

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "k8s_schema.json"), encoding="utf-8") as _f:
    SCHEMA = json.load(_f)
QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
READING = {"get", "list", "watch"}


def check_scalar(value, kind, where):
    if kind == "text":
        good = isinstance(value, str)
    elif kind == "int":
        good = isinstance(value, int) and not isinstance(value, bool)
    elif kind == "bool":
        good = isinstance(value, bool)
    elif kind == "quantity":
        good = QUANTITY.fullmatch(str(value)) is not None and not isinstance(value, bool)
    elif kind == "port":
        good = isinstance(value, (int, str)) and not isinstance(value, bool)
    else:
        good = value in kind.split("|")
    return [] if good else [f"{where}: {value!r} is not {kind}"]


def check(value, kind, where):
    if kind.endswith("[]"):
        if not isinstance(value, list):
            return [f"{where}: not a list"]
        return [e for i, one in enumerate(value) for e in check(one, kind[:-2], f"{where}[{i}]")]
    if kind == "map" or kind.startswith("map:"):
        if not isinstance(value, dict):
            return [f"{where}: not a map"]
        of = kind[4:] or "text"
        return [e for key, one in value.items() for e in check(one, of, f"{where}.{key}")]
    if kind not in SCHEMA["types"]:
        return check_scalar(value, kind, where)
    return check_fields(value, SCHEMA["types"][kind], where)


def check_fields(value, fields, where):
    if not isinstance(value, dict):
        return [f"{where}: not an object"]
    types = {name.rstrip("!"): kind for name, kind in fields.items()}
    errors = [f"{where}: unknown field '{name}'" for name in value if name not in types]
    errors += [f"{where}: '{name[:-1]}' is missing" for name in fields
               if name.endswith("!") and name[:-1] not in value]
    for name, one in value.items():
        if name in types:
            errors += check(one, types[name], f"{where}.{name}")
    return errors


def check_document(document):
    """Errors of one object by itself."""
    if not isinstance(document, dict):
        return ["not an object"]
    what = f"{document.get('apiVersion')}/{document.get('kind')}"
    if what not in SCHEMA["kinds"]:
        return [f"{what}: unknown kind"]
    fields = {"apiVersion!": "text", "kind!": "text", **SCHEMA["kinds"][what]}
    name = (document.get("metadata") or {}).get("name", "")
    errors = check_fields(document, fields, f"{document['kind']}/{name}")
    if not NAME.fullmatch(str(name)):
        errors.append(f"{document['kind']}/{name}: not a name")
    return errors


def check_container(container, volumes, where):
    errors = []
    for mount in container.get("volumeMounts", []):
        if mount.get("name") not in volumes:
            errors.append(f"{where}: mounts '{mount.get('name')}', which is no volume")
        elif "hostPath" in volumes[mount["name"]] and mount["name"] != "state" and not mount.get("readOnly"):
            errors.append(f"{where}: '{mount['name']}' of the node is writable")
    ports = {port.get("name") for port in container.get("ports", [])}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        port = container.get(probe, {}).get("httpGet", {}).get("port")
        if isinstance(port, str) and port not in ports:
            errors.append(f"{where}: {probe} asks port '{port}', which there is none")
    resources = container.get("resources", {})
    if resources.get("requests") != resources.get("limits") or resources.get("limits", {}).get("memory") != "64Mi":
        errors.append(f"{where}: not Guaranteed with 64Mi")
    security = container.get("securityContext", {})
    if security.get("capabilities") != {"drop": ["ALL"]} or security.get("allowPrivilegeEscalation") is not False \
            or security.get("readOnlyRootFilesystem") is not True or security.get("privileged"):
        errors.append(f"{where}: more rights than promised")
    return errors


def check_daemonset(document, names):
    spec, where = document["spec"], f"DaemonSet/{document['metadata']['name']}"
    template = spec["template"]
    labels, wanted = template["metadata"]["labels"], spec["selector"].get("matchLabels", {})
    errors = []
    if not wanted or any(labels.get(key) != value for key, value in wanted.items()):
        errors.append(f"{where}: its selector does not choose its own pods")
    pod = template["spec"]
    volumes = {volume["name"]: volume for volume in pod.get("volumes", [])}
    for volume in volumes.values():
        sources = [s["configMap"] for s in volume.get("projected", {}).get("sources", [])]
        for source in sources + ([volume["configMap"]] if "configMap" in volume else []):
            data = names.get(("ConfigMap", source["name"]))
            if data is None:
                errors.append(f"{where}: ConfigMap '{source['name']}' is not there")
                continue
            errors += [f"{where}: ConfigMap '{source['name']}' has no '{item['key']}'"
                       for item in source.get("items", []) if item["key"] not in data.get("data", {})]
    if ("ServiceAccount", pod.get("serviceAccountName")) not in names:
        errors.append(f"{where}: service account '{pod.get('serviceAccountName')}' is not there")
    for container in pod["containers"]:
        errors += check_container(container, volumes, f"{where}/{container['name']}")
    return errors


def check_all(documents, may_write=False):
    """Errors of a whole rendering. may_write: it is the one that is meant to have writing rights."""
    errors = [e for document in documents for e in check_document(document)]
    if errors:
        return errors
    names = {(d["kind"], d["metadata"]["name"]): d for d in documents}
    if len(names) != len(documents):
        errors.append("two objects of one name")
    for document in documents:
        where = f"{document['kind']}/{document['metadata']['name']}"
        if document["kind"] == "DaemonSet":
            errors += check_daemonset(document, names)
        for rule in document.get("rules", []):
            if "*" in rule["verbs"] + rule["resources"] + rule["apiGroups"] or "secrets" in rule["resources"]:
                errors.append(f"{where}: a right without bounds")
            if not may_write and set(rule["verbs"]) - READING:
                errors.append(f"{where}: a right to write")
        reference = document.get("roleRef")
        if reference and (reference["kind"], reference["name"]) not in names:
            errors.append(f"{where}: {reference['kind']} '{reference['name']}' is not there")
    return errors

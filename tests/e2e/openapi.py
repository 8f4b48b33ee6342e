"""An OpenAPI 3.1 document as its readers take it, in the standard library alone: whether it is
one, and whether a value is what a schema promises (the part of JSON Schema that we use)."""
import re

METHODS = ("get", "put", "post", "delete", "patch")
KEYWORDS = {"type", "properties", "required", "items", "enum", "$ref", "anyOf", "allOf", "format",
            "additionalProperties", "minimum", "maximum", "minLength", "maxLength", "description"}
TYPES = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list,
         "object": dict, "null": type(None)}
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")


class Document:
    def __init__(self, tree):
        self.tree = tree

    def resolve(self, value):
        """What a $ref stands for; anything else as it is."""
        for _ in range(16):
            if not isinstance(value, dict) or "$ref" not in value:
                return value
            assert value["$ref"].startswith("#/"), value["$ref"]
            found = self.tree
            for step in value["$ref"][2:].split("/"):
                found = found[step]
            value = found
        raise AssertionError("a $ref that leads round in circles")

    def operations(self):
        for path, item in self.tree["paths"].items():
            for method in METHODS:
                if method in item:
                    yield path, method, item[method]

    def parameters(self, path, operation):
        own = self.tree["paths"][path].get("parameters", []) + operation.get("parameters", [])
        return [self.resolve(p) for p in own]

    def response(self, operation, status):
        found = operation["responses"].get(str(status))
        return None if found is None else self.resolve(found)

    # --- is it a document?
    def troubles(self):
        out = []
        tree = self.tree
        if not re.match(r"3\.1\.\d+$", tree.get("openapi", "")):
            out.append("openapi is not 3.1")
        for key in ("title", "version"):
            if not isinstance(tree.get("info", {}).get(key), str):
                out.append(f"info.{key} is missing")
        names = set()
        for path, method, operation in self.operations():
            where = f"{method} {path}"
            if operation.get("operationId") in names or not operation.get("operationId"):
                out.append(f"{where}: operationId missing or twice")
            names.add(operation.get("operationId"))
            out += [f"{where}: {t}" for t in self.operation_troubles(path, operation)]
        for name, schema in tree["components"]["schemas"].items():
            out += [f"schema {name}: {t}" for t in self.schema_troubles(schema)]
        return out

    def operation_troubles(self, path, operation):
        out, given = [], set()
        for parameter in self.parameters(path, operation):
            key = (parameter.get("name"), parameter.get("in"))
            if key in given:
                out.append(f"parameter {key} twice")
            given.add(key)
            if parameter.get("in") not in ("path", "query", "header", "cookie"):
                out.append(f"parameter {key}: in")
            if parameter.get("in") == "path" and parameter.get("required") is not True:
                out.append(f"parameter {key}: a path parameter is required")
            out += self.schema_troubles(parameter.get("schema", {"$ref": "#/missing"}))
        in_path = set(re.findall(r"{([^}]+)}", path))
        if in_path != {name for name, where in given if where == "path"}:
            out.append(f"the path has {in_path}")
        responses = operation.get("responses", {})
        if not any(code.startswith("2") for code in responses):
            out.append("no good answer")
        for code, response in responses.items():
            response = self.resolve(response)
            if not isinstance(response.get("description"), str):
                out.append(f"{code}: description")
            for kind, content in response.get("content", {}).items():
                if "schema" not in content:
                    out.append(f"{code} {kind}: schema")
                else:
                    out += self.schema_troubles(content["schema"])
        for content in operation.get("requestBody", {}).get("content", {}).values():
            out += self.schema_troubles(content["schema"])
        for need in operation.get("security", []):
            out += [f"security {n}" for n in need
                    if n not in self.tree["components"]["securitySchemes"]]
        return out

    def schema_troubles(self, schema):
        if not isinstance(schema, dict):
            return [f"a schema that is {schema!r}"]
        out = [f"keyword {key}" for key in schema if key not in KEYWORDS]
        if "$ref" in schema:
            try:
                self.resolve(schema)
            except (KeyError, AssertionError) as e:
                out.append(f"$ref {schema['$ref']}: {e!r}")
        kinds = schema.get("type", [])
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if kind not in TYPES:
                out.append(f"type {kind}")
        for name in schema.get("required", []):
            if name not in schema.get("properties", {}):
                out.append(f"required {name} is no property")
        parts = list(schema.get("properties", {}).values())
        parts += schema.get("anyOf", []) + schema.get("allOf", [])
        parts += [schema[k] for k in ("items", "additionalProperties") if k in schema]
        for part in parts:
            out += self.schema_troubles(part)
        return out

    # --- is it what was promised?
    def misfits(self, value, schema, at="$", whole=True):
        """Where `value` is not what `schema` says; `whole`: members that it does not name are
        misfits, too, so that the document tells all there is."""
        schema = self.resolve(schema)
        out = []
        if "type" in schema and not self.is_of(value, schema["type"]):
            return [f"{at} is {value!r:.60}, not {schema['type']}"]
        if "enum" in schema and value not in schema["enum"]:
            out.append(f"{at} is {value!r:.60}, not one of {schema['enum']}")
        if isinstance(value, str) and schema.get("format") == "date-time" and not MOMENT.match(value):
            out.append(f"{at} is no moment of UTC: {value!r:.60}")
        if isinstance(value, (int, float)) and value < schema.get("minimum", value):
            out.append(f"{at} is {value}, below {schema['minimum']}")
        if "anyOf" in schema:
            tries = [self.misfits(value, one, at) for one in schema["anyOf"]]
            if all(tries):
                out += min(tries, key=len)
        for one in schema.get("allOf", []):
            out += self.misfits(value, one, at, whole=False)
        if isinstance(value, dict):
            out += self.object_misfits(value, schema, at, whole)
        if isinstance(value, list) and "items" in schema:
            for i, one in enumerate(value):
                out += self.misfits(one, schema["items"], f"{at}[{i}]")
        return out

    def object_misfits(self, value, schema, at, whole):
        known = schema.get("properties", {})
        out = [f"{at}.{name} is missing" for name in schema.get("required", []) if name not in value]
        for name, one in value.items():
            if name in known:
                out += self.misfits(one, known[name], f"{at}.{name}")
            elif "additionalProperties" in schema:
                out += self.misfits(one, schema["additionalProperties"], f"{at}.{name}")
            elif known and whole:
                out.append(f"{at}.{name} is not in the document")
        return out

    @staticmethod
    def is_of(value, kinds):
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            if isinstance(value, bool) and kind != "boolean":
                continue
            if isinstance(value, TYPES[kind]):
                return True
        return False

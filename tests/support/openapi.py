"""Reads docs/openapi.yaml and holds values against its schemas; makes values, good and bad, from them.

The document keeps to a subset of YAML that load() reads, and any YAML reader with it: block mappings
and sequences, two spaces a level; scalars plain, quoted or folded (`>-`); flow lists of scalars on
one line; comments on lines of their own. All else is an error that names the line: nothing is ever
read in a way that YAML would not. In the same way a schema keyword that check() does not know is an
error, not something passed over."""
import datetime
import json
import operator
import random
import re

# ---- YAML ----------------------------------------------------------------------------

KEY = re.compile(r"(?:'((?:[^']|'')*)'|([A-Za-z/$][^\s:'\"#,&*!|>%@`]*)):(?: (.*))?\Z")
ITEM = re.compile(r"- (.*)\Z")
FLOW = re.compile(r"\s*('(?:[^']|'')*'|[^\s,'\"\[\]{}][^,'\"\[\]{}]*?)\s*(,|\Z)")
INT = re.compile(r"-?(0|[1-9]\d*)\Z")
FLOAT = re.compile(r"-?(0|[1-9]\d*)\.\d+\Z")
# What one version of YAML or another reads as no string, or not as it stands.
MURKY = re.compile(r"(?i)(y|n|yes|no|on|off|~|null|true|false|[-+.]?[\d.].*|[-?:,\[\]{}#&*!|>'\"%@`<=].*)\Z")


class BadDocument(ValueError):
    pass


class Reader:
    def __init__(self, text):
        self.lines = text.split("\n")
        self.at = 0

    def fail(self, what):
        raise BadDocument(f"line {self.at + 1}: {what}")

    def next(self):
        """(indent, content) of the next line that says something, None at the end."""
        while self.at < len(self.lines):
            line = self.lines[self.at]
            content = line.lstrip(" ")
            if content and not content.startswith("#"):
                if "\t" in line or line != line.rstrip() or line.startswith(("---", "...")):
                    self.fail("tabs, blanks at the end and document marks are not used here")
                return len(line) - len(content), content
            self.at += 1
        return None

    def block(self, indent):
        found = self.next()
        if not found or found[0] != indent:
            self.fail(f"a value indented by {indent} is missing")
        return self.sequence(indent) if ITEM.match(found[1]) else self.mapping(indent)

    def more(self, indent):
        """Content of the next line of the block with this indent, None when the block ends."""
        found = self.next()
        if not found or found[0] < indent:
            return None
        if found[0] > indent:
            self.fail("indented too far")
        return found[1]

    def mapping(self, indent):
        out = {}
        while (content := self.more(indent)) is not None:
            match = KEY.match(content)
            if not match:
                self.fail(f"no key: {content}")
            key = match.group(2) or match.group(1).replace("''", "'")
            if key in out:
                self.fail(f"{key} is there already")
            if match.group(2) and MURKY.match(key):
                self.fail(f"the key {key} wants quotes")
            out[key] = self.value(match.group(3), indent)
        return out

    def sequence(self, indent):
        out = []
        while (content := self.more(indent)) is not None:
            match = ITEM.match(content)
            if not match:
                self.fail(f"no item: {content}")
            if KEY.match(match.group(1)):  # a mapping begins behind the dash
                self.lines[self.at] = " " * (indent + 2) + match.group(1)
                out.append(self.mapping(indent + 2))
            else:
                out.append(self.value(match.group(1), indent))
        return out

    def value(self, rest, indent):
        self.at += 1
        if not rest:
            return self.block(indent + 2)
        if rest == ">-":
            return self.folded(indent + 2)
        self.at -= 1
        value = self.flow(rest) if rest.startswith("[") else self.scalar(rest)
        self.at += 1
        return value

    def folded(self, indent):
        words = []
        while self.at < len(self.lines) and self.lines[self.at].startswith(" " * indent):
            line = self.lines[self.at][indent:]
            if line != line.strip():
                self.fail("a folded text has one indent")
            words.append(line)
            self.at += 1
        if not words:
            self.fail("no text after >-")
        return " ".join(words)

    def flow(self, text):
        inside, out = text[1:-1], []
        if not text.endswith("]"):
            self.fail("a flow list ends on its line")
        while inside:
            match = FLOW.match(inside)
            if not match:
                self.fail(f"flow lists hold plain or quoted scalars: {inside}")
            out.append(self.scalar(match.group(1)))
            inside = inside[match.end():]
        return out

    def scalar(self, text):
        if text[0] == "'":
            if not re.fullmatch(r"'(?:[^']|'')*'", text):
                self.fail(f"quotes: {text}")
            return text[1:-1].replace("''", "'")
        if text[0] == '"':
            try:
                return json.loads(text)
            except ValueError:
                self.fail(f"quotes: {text}")
        if text in ("null", "true", "false") or INT.match(text) or FLOAT.match(text):
            return json.loads(text)
        if MURKY.match(text) or ": " in text or " #" in text or text.endswith(":"):
            self.fail(f"wants quotes: {text}")
        return text


def load(text):
    reader = Reader(text)
    document = reader.block(0)
    if reader.next():
        reader.fail("more after the end")
    return document


# ---- the document --------------------------------------------------------------------

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")


class Document:
    """A tree as load() gives it, with its references resolved where asked."""

    def __init__(self, tree):
        self.tree = tree

    def resolve(self, node):
        while isinstance(node, dict) and "$ref" in node:
            if len(node) > 1 or not node["$ref"].startswith("#/"):
                raise BadDocument(f"$ref stands alone and within the file: {node}")
            target = self.tree
            for step in node["$ref"][2:].split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def operations(self):
        """(METHOD, path, operation) of all."""
        for path, item in self.tree["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def parameters(self, path, operation, where=None):
        """By name; those of the path and those of the operation."""
        own = self.tree["paths"][path].get("parameters", []) + operation.get("parameters", [])
        found = [self.resolve(p) for p in own]
        return {p["name"]: p for p in found if where in (None, p["in"])}

    def response(self, operation, status):
        node = operation["responses"].get(str(status))
        return self.resolve(node) if node else None

    def body(self, operation):
        """(required, media types by name) of the request's body; (False, {}) when it has none."""
        body = self.resolve(operation.get("requestBody", {}))
        return body.get("required", False), body.get("content", {})

    def references(self, node):
        """Every $ref within."""
        if isinstance(node, dict):
            yield from [node["$ref"]] if "$ref" in node else []
            node = list(node.values())
        for child in node if isinstance(node, list) else ():
            yield from self.references(child)

    # -- values against schemas (JSON Schema 2020-12, the part that is used) --

    def check(self, schema, value, at="$"):
        """What is wrong with a value: a list of lines, empty when it fits."""
        schema = self.resolve(schema)
        unknown = set(schema) - set(LEAVES) - set(INNER) - ANNOTATIONS
        if unknown:
            raise BadDocument(f"schema keywords that are not checked: {sorted(unknown)}")
        if "properties" in schema and "additionalProperties" not in schema:
            raise BadDocument(f"{at}: an object says whether it is closed")
        out = []
        for keyword in schema:
            if keyword in LEAVES:
                out += [f"{at}: {line}" for line in LEAVES[keyword](schema, value)]
            elif keyword in INNER:
                out += INNER[keyword](self, schema, value, at)
        return out


MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d([.]\d+)?(Z|[+-]\d\d:\d\d))?\Z")  # RFC 3339, or a day alone
ANNOTATIONS = {"description", "default", "example", "properties"}
TYPES = {"null": lambda v: v is None,
         "boolean": lambda v: isinstance(v, bool),
         "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
         "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
         "string": lambda v: isinstance(v, str),
         "boolean": lambda v: isinstance(v, bool),
         "array": lambda v: isinstance(v, list),
         "object": lambda v: isinstance(v, dict)}


def types_of(schema):
    types = schema.get("type", [])
    return types if isinstance(types, list) else [types]


# What a keyword says of the value itself.

def _type(schema, value):
    if not any(TYPES[t](value) for t in types_of(schema)):
        yield f"{value!r:.80} is no {schema['type']}"


def _enum(schema, value):
    if value not in schema["enum"]:
        yield f"{value!r:.80} is none of {schema['enum']}"


def _const(schema, value):
    if value != schema["const"]:
        yield f"{value!r:.80} is not {schema['const']!r}"


def _format(schema, value):
    form = schema["format"]
    if form == "date-time" and isinstance(value, str):
        try:
            datetime.datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%f%z")
        except ValueError:
            yield f"{value!r:.80} is no date-time"
    elif form == "int64" and TYPES["integer"](value) and not -2**63 <= value < 2**63:
        yield f"{value} is beyond 64 bits"
    elif form == "email" and isinstance(value, str) and not re.match(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z", value):
        yield f"{value!r:.80} is no address"
    elif form == "date-or-time" and isinstance(value, str) and not MOMENT.match(value):
        yield f"{value!r:.80} is no day and no time"
    elif form not in ("date-time", "date-or-time", "int64", "email", "password"):
        raise BadDocument(f"format {form} is not checked")


def _pattern(schema, value):
    if isinstance(value, str) and not re.search(schema["pattern"].replace("$", r"\Z"), value):
        yield f"{value!r:.80} does not match {schema['pattern']}"


def _itself(value):
    return value


def _bound(keyword, kind, measure, fits):
    def check(schema, value):
        if isinstance(value, kind) and not isinstance(value, bool) \
                and not fits(measure(value), schema[keyword]):
            yield f"{keyword} {schema[keyword]}: {value!r:.80}"
    return check


def _required(schema, value):
    if isinstance(value, dict):
        yield from (f"{name} is missing" for name in schema["required"] if name not in value)


LEAVES = {
    "type": _type, "enum": _enum, "const": _const, "format": _format, "pattern": _pattern,
    "minLength": _bound("minLength", str, len, operator.ge),
    "maxLength": _bound("maxLength", str, len, operator.le),
    "minimum": _bound("minimum", (int, float), _itself, operator.ge),
    "maximum": _bound("maximum", (int, float), _itself, operator.le),
    "minItems": _bound("minItems", list, len, operator.ge),
    "maxItems": _bound("maxItems", list, len, operator.le),
    "required": _required,
}


# What a keyword says of values further in; the lines name their places themselves.

def _members(document, schema, value, at):
    """properties, which come with additionalProperties: false or true."""
    known = schema.get("properties", {})
    for name, member in value.items() if isinstance(value, dict) else ():
        if name in known:
            yield from document.check(known[name], member, f"{at}.{name}")
        elif schema["additionalProperties"] is False:
            yield f"{at}: {name} is not in the file"


def _items(document, schema, value, at):
    for i, item in enumerate(value if isinstance(value, list) else ()):
        yield from document.check(schema["items"], item, f"{at}[{i}]")


def _one_of(document, schema, value, at):
    fits = [not document.check(choice, value, at) for choice in schema["oneOf"]]
    if fits.count(True) != 1:
        yield f"{at}: fits {fits.count(True)} of {len(fits)} choices"


INNER = {"additionalProperties": _members, "items": _items, "oneOf": _one_of}

# ---- values from schemas -------------------------------------------------------------

LETTERS = [chr(c) for c in range(0x20, 0x7f)] + ["é"]


def letters_of(schema):
    """Those that a pattern of one class, repeated, takes; none when it is of another form."""
    return [c for c in LETTERS if re.search(schema.get("pattern", ""), c)]


def host_of(length):
    return "b" * 61 + "." + host_of(length - 62) if length > 65 else "c" * (length - 2) + ".d"


def email_of(length):
    """An address of so many characters; with fewer than five it is none."""
    if length < 5:
        return "a@b."[:length]
    local = min(64, max(1, length - 4))
    return "a" * local + "@" + host_of(max(3, length - local - 1))


def password_of(length, wide):
    """Nothing common, no sequence: drawn once and for all."""
    return "".join(random.Random(length).choices([wide, *"mtx2bp7kQW"], k=length))


def text_of(schema, length, wide):
    """So many characters, `wide` ones where the pattern takes those."""
    if schema.get("format") == "email":
        return email_of(length)
    if schema.get("format") == "password":
        return password_of(length, wide)
    letters = [c for c in (wide, "a", *letters_of(schema)) if re.search(schema.get("pattern", ""), c)]
    if not letters:
        raise BadDocument(f"no text for {schema['pattern']}: it is not one class, repeated")
    return letters[0] * length


NO_MOMENTS = [("no moment", text) for text in
              ("ontem", "2026-11-31", "2026-11-22T06:26", "2026-11-22T06:26:15", "2026-11-22T25:00:00Z", "22/11/2026")]


def good_values(schema, wide="é"):
    """Values that the schema takes, those at its bounds first."""
    if "const" in schema or "enum" in schema:
        return schema.get("enum", [schema.get("const")])
    types, out = types_of(schema), []
    if "boolean" in types:
        out += [True, False]
    if "integer" in types:
        out += [schema[bound] for bound in ("minimum", "maximum") if bound in schema] or [1]
    if schema.get("format") == "date-or-time":
        out += ["2026-11-22", "2026-11-22T06:26:15Z", "2026-11-22T06:26:15.306945-03:00"]
    elif "string" in types:
        lengths = {schema.get("minLength", 0), schema.get("maxLength", 20)}
        out += [text_of(schema, n, wide) for n in sorted(lengths)]
        if "pattern" in schema:
            out.append("".join(letters_of(schema))[:schema.get("maxLength")])
    return out + [None] * ("null" in types)


def bad_texts(schema):
    """(why, text) that the schema refuses: for parameters and headers."""
    types = types_of(schema)
    if "const" in schema or "enum" in schema:
        yield "none of its values", "x".join(map(str, good_values(schema))) + "x"
        return
    if "integer" in types:
        yield from (("no integer", text) for text in ("", "abc", "1.5", "1e2", "+1", " 1", "0x1"))
        yield from (("past a bound", str(schema[b] + d)) for b, d in (("minimum", -1), ("maximum", 1))
                    if b in schema)
    if schema.get("format") == "date-or-time":
        yield from NO_MOMENTS
    if "maxLength" in schema:
        yield "too long", text_of(schema, schema["maxLength"] + 1, "é")
    if schema.get("minLength", 0) > 0:
        yield "too short", text_of(schema, schema["minLength"] - 1, "é")
    if "pattern" in schema:
        taken = letters_of(schema)
        yield from ((f"the character {c!r}", f"a{c}a") for c in LETTERS if c not in taken)


def bad_values(schema):
    """(why, value) that the schema refuses: for members of a body."""
    types = types_of(schema)
    kinds = {"null": None, "boolean": True, "number": 1.5, "string": "1", "array": ["1"],
             "object": {"a": 1}, "integer": 7}
    for kind, value in kinds.items():
        if kind not in types and not (kind == "integer" and "number" in types):
            yield f"{kind} instead of {types}", value
    yield from (("past a bound", schema[b] + d) for b, d in (("minimum", -1), ("maximum", 1))
                if b in schema)
    if schema.get("format") == "date-or-time":
        yield from NO_MOMENTS
    if "maxLength" in schema:
        yield "too long", text_of(schema, schema["maxLength"] + 1, "😀")
    if schema.get("minLength", 0) > 0:
        yield "too short", text_of(schema, schema["minLength"] - 1, "😀")


def plain_object(document, schema):
    """All members, each as short as can be."""
    return {name: good_values(document.resolve(member))[0]
            for name, member in schema["properties"].items()}


def good_objects(document, schema):
    """The required members alone; all; all with each at each of its bounds in turn."""
    plain = plain_object(document, schema)
    yield {name: plain[name] for name in schema.get("required", [])}
    yield plain
    for name, member in schema["properties"].items():
        for value in good_values(document.resolve(member), "😀"):
            yield {**plain, name: value}


def bad_objects(document, schema):
    """(why, the member at fault, object)."""
    plain = plain_object(document, schema)
    for name in schema.get("required", []):
        yield "missing", name, {k: v for k, v in plain.items() if k != name}
    for name, member in schema["properties"].items():
        for why, value in bad_values(document.resolve(member)):
            yield why, name, {**plain, name: value}
    if schema.get("additionalProperties") is False:
        yield "unknown", "inventado", {**plain, "inventado": 1}

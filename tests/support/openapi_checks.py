"""What docs/openapi.yaml says otherwise than the sources and than the answers that came. All here yields
lines for people: none when the file is right."""
import glob
import os
import re

import servers

MERGES = ("mudarPost", "mudarConta")  # the operations that take a merge patch
ENDLESS = {"text/event-stream"}  # only their beginning is read
STREAMED = ENDLESS | {"text/csv"}  # of no known length
TRANSPORT = {"content-type", "content-length", "connection", "date"}
FILE_MAX = 25 << 20  # ARQUIVO_MAX, left out


def source(path):
    with open(os.path.join(servers.PROJECT, path), encoding="utf-8") as f:
        return f.read()


# ---- the file against the sources ----------------------------------------------------

def table_of_routes():
    """The rows of api/routes.c: (METHOD, path) -> (handler, parameters or None, body rule, limit, action)."""
    text = source("api/routes.c")
    default = re.search(r"\bBODY_MAX = (\d+) << (\d+)", source("api/request.h"))
    sizes = {name: int(a) << int(b) for name, a, b in re.findall(r"(\w+) = (\d+) << (\d+)", text)}
    sizes["0"] = int(default.group(1)) << int(default.group(2))
    rows = re.findall(r'\{"([A-Z]+)", "([^"]+)", (\w+),\s+(PARAMS\([^)]*\)|NO_PARAMS|NULL),\s+(BODY_\w+),'
                      r'\s+ACTION_(\w+),\s+(\w+)\}', text)
    assert rows and len(rows) == len(re.findall(r'^    \{"', text, re.M)), "routes.c has another form"
    return {(method, path): (handler, None if params == "NULL" else set(re.findall(r'"([^"]+)"', params)),
                             body, sizes[limit], action)
            for method, path, handler, params, body, action, limit in rows}


def fields_read_by(handler):
    """Members of the body that the handler's file asks for."""
    for path in glob.glob(os.path.join(servers.PROJECT, "api", "h_*.c")):
        text = source(path)
        if f"enum status {handler}(" in text:
            return set(re.findall(r'(?:jsonget_\w+|time_of)\(&g, "(\w+)"', text))
    raise AssertionError(f"no file has {handler}")


def differences(document):
    """What the file and the table of routes say otherwise."""
    table = table_of_routes()
    routes = set(table) | {("HEAD", p) for m, p in table if m == "GET"} | {("OPTIONS", p) for _, p in table}
    operations = {(method, path): operation for method, path, operation in document.operations()}
    out = [f"only in the file: {o}" for o in set(operations) - routes]
    out += [f"not in the file: {o}" for o in routes - set(operations)]
    for (method, path), operation in operations.items():
        row = table.get(("GET" if method == "HEAD" else method, path))
        if row:
            out += [f"{method} {path}: {line}" for line in row_differs(document, path, operation, row)]
    return out


def row_differs(document, path, operation, row):
    handler, params, rule, limit, action = row
    if bool(operation.get("security")) != (action not in ("OPEN", "POST_CREATE")):
        yield f"security {operation.get('security')}, not {action}"
    query = set(document.parameters(path, operation, "query"))
    free = operation.get("x-outros-parametros", False)
    if free != (params is None) or not (free or query == params):
        yield f"parameters {query}, not {params}"
    kinds = list(document.body(operation)[1])
    merge = ["application/merge-patch+json"] if operation.get("operationId") in MERGES else []
    if kinds != {"BODY_NONE": [], "BODY_JSON": ["application/json", *merge], "BODY_RAW": ["*/*"],
                 "BODY_STREAM": ["*/*", "multipart/form-data"]}[rule]:
        yield f"bodies {kinds}, not {rule}"
    limit = FILE_MAX if rule == "BODY_STREAM" else limit
    if kinds and operation["requestBody"]["x-maximo-de-bytes"] != limit:
        yield f"the body's limit is {limit}"
    members = {name for schema in body_schemas(document, operation) for name in schema["properties"]}
    if "application/json" in kinds and members != fields_read_by(handler):
        yield f"members {members}, not {fields_read_by(handler)}"


def body_schemas(document, operation):
    """Those that a body has to fit one of."""
    media = document.body(operation)[1].get("application/json")
    schema = document.resolve(media["schema"]) if media else {"oneOf": []}
    return [document.resolve(choice) for choice in schema.get("oneOf", [schema])]


# ---- the answers against the file ----------------------------------------------------

def wrong_with(document, call):
    """Lines; none when the answer is as the file has it, and right for what was sent."""
    methods = document.tree["paths"][call.path]
    operation = methods.get(call.method.lower()) or methods.get("get") or methods["post"]  # has the 405
    response = document.response(operation, call.answer.status)
    out = [f"not one of {call.wants}"] if call.answer.status not in call.wants else []
    if response is None:
        out.append("this status is not in the file")
    else:
        out += wrong_headers(document, response, call)
        out += wrong_body(document, response, call)
    return [f"{call}: {line}" for line in out]


def wrong_headers(document, response, call):
    known = {name.lower(): document.resolve(header) for name, header in response["headers"].items()}
    transport = TRANSPORT | ({"transfer-encoding"} if STREAMED & set(response.get("content", ())) else set())
    for name in {n for n, _ in call.answer.headers} - set(known) - transport:
        yield f"the header {name} is not in the file"
    for name, header in known.items():
        value = call.answer.header(name)
        if value is not None:
            yield from document.check(header["schema"], value, name)
        elif header.get("required"):
            yield f"the header {name} is missing"
    if call.answer.status != 414 and call.answer.header("x-request-id") != call.id:
        yield "the request's id did not come back"


def wrong_body(document, response, call):
    content, kind = response.get("content"), call.answer.header("content-type")
    if not content:
        yield from ["a body"] * bool(call.answer.body) + [f"a type, {kind}"] * (kind is not None)
        return
    media = content.get((kind or "").split(";")[0]) or (content.get("*/*") if kind else None)
    if not media:
        yield f"the type {kind} is not in the file"
    elif call.method == "HEAD":
        yield from ["a body"] * bool(call.answer.body)
    else:
        value = call.answer.json if "json" in kind else call.answer.text
        yield from document.check(media["schema"], value)
        if "problem" in kind:
            yield from wrong_problem(call, value)


def wrong_problem(call, problem):
    if problem["status"] != call.answer.status:
        yield "another status in the body"
    named = [error["campo"] for error in problem.get("erros", [])]
    whole = call.answer.status == 400 and named == [""]  # a number that no parser takes
    if call.named and call.answer.status in (400, 422) and call.named not in named and not whole:
        yield f"{call.named} is not named"


def never_seen(document, calls):
    """Statuses that the file has and that never came."""
    seen = {(call.method, call.path, str(call.answer.status)) for call in calls}
    refused = {call.path for call in calls if call.answer.status == 405}
    for method, path, operation in document.operations():
        for status in operation["responses"]:
            if (method, path, status) not in seen and not (status == "405" and path in refused):
                yield f"{method} {path}: {status} never came"

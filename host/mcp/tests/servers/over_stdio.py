"""An MCP server over stdio that misbehaves in the way its first argument names.

Spoken by hand, because no library lets a server break the protocol.
"""

import json
import os
import signal
import subprocess
import sys

MODE = sys.argv[1]
TOOLS = [
    {"name": "echo", "description": "Says it again", "inputSchema": {"type": "object"}},
    {"name": "env", "inputSchema": {"type": "object"}},
    {"name": "fail", "inputSchema": {"type": "object"}},
]


def send(message):
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)


def note(line):
    """For the test to read: what this server saw."""
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(line + "\n")


def text(value):
    return {"content": [{"type": "text", "text": value}]}


def tools(cursor):
    if MODE == "many":
        start = int(cursor or 0)
        page = [{"name": f"t{n}", "inputSchema": {"type": "object"}} for n in range(start, start + 100)]
        return {"tools": page, "nextCursor": str(start + 100)}
    if MODE == "odd-lists":
        return {"tools": TOOLS + [TOOLS[0], {"name": "bad", "inputSchema": {"type": "string"}}]}
    if MODE == "changing":
        return {"tools": TOOLS[: 1 + state["calls"]]}
    return {"tools": TOOLS}


def call(id, name, arguments):
    state["calls"] += 1
    if MODE == "dies":
        os._exit(3)
    if MODE == "silent":
        note("called")
        return
    if MODE == "progress":
        state["open"] = id
        note("called")
        return
    if MODE == "meets":
        # Answers nobody before two have come.
        state["waiting"].append(id)
        if len(state["waiting"]) == 2:
            for waiting in state["waiting"]:
                send({"id": waiting, "result": text(f"met by call {waiting}")})
        return
    if MODE == "refuses":
        send({"id": id, "error": {"code": -32000, "message": "not today " + "x" * (1 << 20)}})
        return
    if MODE == "parts":
        send({"id": id, "result": {"content": [
            {"type": "text", "text": "an image:"},
            {"type": "image", "data": "AQI=", "mimeType": "image/png"},
            {"type": "resource_link", "uri": "x:3", "name": "third"},
        ]}})
        return
    if MODE == "huge":
        send({"id": id, "result": text("x" * (17 << 20))})
        return
    if MODE == "asks":
        methods = ["sampling/createMessage", "elicitation/create", "roots/list"]
        for n, method in enumerate(methods):
            send({"id": f"s{n}", "method": method, "params": {"messages": [], "maxTokens": 1, "message": "m", "requestedSchema": {"type": "object", "properties": {}}}})
        answers = [json.loads(sys.stdin.readline()) for _ in methods]
        send({"id": id, "result": text(json.dumps(answers))})
        return
    if MODE == "changing":
        send({"method": "notifications/tools/list_changed"})
    if name == "env":
        send({"id": id, "result": text(json.dumps(dict(os.environ)))})
    elif name == "fail":
        send({"id": id, "result": {**text("it failed"), "isError": True}})
    else:
        send({"id": id, "result": text(json.dumps(arguments, sort_keys=True))})


state = {"calls": 0, "waiting": []}
if MODE == "exits":
    print("cannot start: no database", file=sys.stderr)
    sys.exit(1)
if MODE == "floods":
    for n in range(20_000):
        print(f"line {n} " + "x" * 200, file=sys.stderr)
if MODE == "children":
    # Holds neither pipe, so it would outlive this process.
    child = subprocess.Popen(["sleep", "1000"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    note(str(child.pid))
if MODE == "stubborn":
    signal.signal(signal.SIGTERM, lambda *_: note("told to end"))
note(f"pid {os.getpid()}")

while line := sys.stdin.readline():
    if MODE == "garbage":
        print("this is not JSON-RPC", flush=True)
        continue
    if MODE == "never":
        continue
    message = json.loads(line)
    method, params = message.get("method"), message.get("params", {})
    if method == "initialize":
        send({"id": message["id"], "result": {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {"listChanged": True}}, "serverInfo": {"name": "odd", "version": "1"}}})
        note("capabilities " + json.dumps(params["capabilities"]))
    elif method == "tools/list":
        send({"id": message["id"], "result": tools(params.get("cursor"))})
    elif method == "tools/call":
        call(message["id"], params["name"], params.get("arguments"))
    elif method == "notifications/cancelled":
        note("cancelled")
note("input closed")
while MODE == "stubborn":
    signal.pause()

"""An MCP server over streamable HTTP that misbehaves in the way its first argument names.

It stands on loopback and says on stdout at which port.
"""

import json
import os
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MODE = sys.argv[1]
SESSION = "the-session"
ended = threading.Event()


def note(line):
    """For the test to read: what this server saw."""
    with open(os.environ["NOTES"], "a") as notes:
        notes.write(line + "\n")


def result(message):
    method, params = message["method"], message.get("params", {})
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "odd", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}
    size = (17 << 20) if MODE == "huge" else 4
    return {"content": [{"type": "text", "text": "x" * size}]}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", kind="application/json", **headers):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        message = json.loads(body)
        method = message.get("method", "")
        note(f"POST {method} {self.headers.get('authorization')}")
        if MODE.isdigit():
            return self.answer(int(MODE), b"a page of " + MODE.encode(), kind="text/html")
        if MODE == "wants-key":
            return self.answer(401, b"no", www_authenticate="Bearer")
        if MODE == "page":
            return self.answer(200, b"<html>not a server</html>", kind="text/html")
        if MODE.startswith("http://"):
            return self.answer(307, location=MODE)
        if "id" not in message:
            if method == "notifications/cancelled":
                note("cancelled")
            return self.answer(202)
        if method == "tools/call":
            note("called")
            if MODE == "silent":
                ended.wait(60)
                return
            if MODE == "busy":
                return self.answer(503, b"later", kind="text/plain")
            if MODE == "cut":
                self.wfile.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {")
                self.close_connection = True
                return
            if MODE == "forgets" and not ended.is_set():
                ended.set()
                return self.answer(400, b"no such session", kind="text/plain")
        reply = {"jsonrpc": "2.0", "id": message["id"], "result": result(message)}
        self.answer(200, json.dumps(reply).encode(), mcp_session_id=SESSION)

    def do_GET(self):
        note(f"GET {self.headers.get('authorization')}")
        self.answer(405)

    def do_DELETE(self):
        note(f"DELETE {self.headers.get('authorization')}")
        note(f"ended {self.headers.get('mcp-session-id')}")
        ended.set()
        self.answer(200)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()

"""A judge behind a real HTTP server, which behaves as a test wants."""

from __future__ import annotations

import json
import re
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

RIGHT = "{'pred': 'yes', 'score': 5}"
WRONG = "{'pred': 'no', 'score': 1}"


class Judge:
    """A stub of an OpenAI-compatible API; `behave` answers the n-th request about an answer."""

    def __init__(self, behave: Callable[[StubHandler, str, int], None]) -> None:
        self.behave = behave
        self.lock = threading.Lock()
        self.times: Counter[str] = Counter()
        self.served = 0  # whole completions that were sent
        self.keys: set[str | None] = set()
        self.url = ""

    @property
    def requests(self) -> int:
        return sum(self.times.values())


class StubHandler(BaseHTTPRequestHandler):
    judge: Judge
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        prompt = body["messages"][1]["content"]
        match = re.search(r"Predicted Answer: (.*)", prompt)
        assert match is not None
        answer = match[1]
        with self.judge.lock:
            number = self.judge.times[answer]
            self.judge.times[answer] += 1
            self.judge.keys.add(self.headers["Authorization"])
        self.judge.behave(self, answer, number)

    def say(self, text: str) -> None:
        message = {"role": "assistant", "content": text}
        usage = {"prompt_tokens": 100, "completion_tokens": 7}
        self.send(200, {"choices": [{"message": message}], "usage": usage})
        with self.judge.lock:
            self.judge.served += 1

    def send(self, status: int, body: Any, **headers: str) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def drop(self) -> None:
        """Resets the connection without a word."""
        linger = struct.pack("ii", 1, 0)
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.close_connection = True
        self.connection.close()

    def finish(self) -> None:
        if self.connection.fileno() >= 0:
            super().finish()

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def serving(behave: Callable[[StubHandler, str, int], None]) -> Iterator[Judge]:
    judge = Judge(behave)
    handler = type("Handler", (StubHandler,), {"judge": judge})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # type: ignore[method-assign]
    judge.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield judge
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

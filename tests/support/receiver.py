"""A real HTTP server on loopback that receives what is sent, and answers as it is told."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Seen:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """Where it listens, what it has seen, and how it answers from now on (way: answer, silent, drip, noise)."""

    url: str = ""
    status: int = 200
    body: bytes = b"ok"
    headers: Mapping[str, str] = field(default_factory=dict)
    way: str = "answer"
    seen: list[Seen] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)


@contextmanager
def receiving(**values: Any) -> Iterator[Receiver]:
    """Run the server until the block ends."""
    receiver = Receiver(**values)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = self.rfile.read(length)
            receiver.seen.append(Seen(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if receiver.way == "silent":
                receiver.ended.wait(10)
            elif receiver.way == "noise":
                self.wfile.write(b"\x00\x01 this is no http\r\n\r\n")
            elif receiver.way == "drip":
                self._drip()
            else:
                self._answer()

        def _drip(self) -> None:
            for byte in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 100:
                if receiver.ended.is_set():
                    return
                try:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                except OSError:
                    return
                time.sleep(0.1)

        def _answer(self) -> None:
            self.send_response(receiver.status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(receiver.body)))
            self.end_headers()
            try:
                self.wfile.write(receiver.body)
            except OSError:
                return  # the caller has heard enough

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ended.set()
        server.shutdown()
        server.server_close()

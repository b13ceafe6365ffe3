"""A mail server for tests: takes every message over real SMTP on loopback and keeps it."""

import socketserver
import threading
import time
from collections import Counter
from collections.abc import Iterator
from email import message_from_bytes
from email.message import Message
from typing import Any

import pytest


class _Session(socketserver.StreamRequestHandler):
    """One connection: as much of RFC 5321 as a client of Python's smtplib speaks."""

    server: "MailServer"

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def handle(self) -> None:
        self.say("220 test ready")
        recipients: list[str] = []
        for raw in iter(self.rfile.readline, b""):
            line = raw.decode(errors="replace").strip()
            verb = line[:4].upper()
            if verb in ("EHLO", "HELO", "NOOP", "RSET"):
                self.say("250 ok")
            elif verb == "MAIL":
                recipients = []
                self.say("250 ok")
            elif verb == "RCPT":
                address = line.partition("<")[2].partition(">")[0]
                if address in self.server.refused:
                    self.say("550 no such person")
                else:
                    recipients.append(address)
                    self.say("250 ok")
            elif verb == "DATA":
                self.say("354 go on")
                self._take(recipients)
            elif verb == "QUIT":
                self.say("221 bye")
                return
            else:
                self.say("502 not known here")

    def _take(self, recipients: list[str]) -> None:
        lines = []
        for raw in iter(self.rfile.readline, b""):
            if raw == b".\r\n":
                time.sleep(self.server.slowness)
                self.server.keep(recipients, b"".join(lines))
                if self.server.hangs_up:
                    self.server.hangs_up -= 1
                    self.connection.close()
                    return
                self.say("250 taken")
                return
            lines.append(raw[1:] if raw.startswith(b"..") else raw)


class MailServer(socketserver.ThreadingTCPServer):
    """Listens on a free port of loopback; `messages` are (recipients, message) in order."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self.messages: list[tuple[list[str], Message]] = []
        self.refused: set[str] = set()
        # So many messages are taken without an answer: the connection breaks off.
        self.hangs_up = 0
        # Seconds that taking one message lasts.
        self.slowness = 0.0
        self._guard = threading.Lock()

    @property
    def port(self) -> int:
        """Return the port."""
        return int(self.server_address[1])

    def keep(self, recipients: list[str], data: bytes) -> None:
        """Keep one message."""
        with self._guard:
            self.messages.append((list(recipients), message_from_bytes(data)))

    def by_id(self) -> Counter[str]:
        """Return how often each Message-ID came."""
        with self._guard:
            return Counter(str(message["Message-ID"]) for _, message in self.messages)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that were killed."""


@pytest.fixture
def mail_server(settings: Any) -> Iterator[MailServer]:
    """A running mail server that this process's e-mails go to."""
    with MailServer() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
        settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
        yield server
        server.shutdown()

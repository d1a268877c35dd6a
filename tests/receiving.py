"""Real receivers of notices on loopback: a mail server (aiosmtpd) and an HTTP server, each answering as a test says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

TAKEN = "250 OK"


@dataclass
class Inbox:
    """What a mail server took on, and what it says next: to each recipient by address, and to the data in turn."""

    messages: list[EmailMessage] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    refuses: dict[str, str] = field(default_factory=dict)
    answers: list[str] = field(default_factory=list)
    taken: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    async def handle_EHLO(self, _server, session, _envelope, hostname, responses):
        session.host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if address in self.refuses:
            return self.refuses[address]
        envelope.rcpt_tos.append(address)
        return TAKEN

    async def handle_DATA(self, _server, _session, envelope):
        answer = self.answers.pop(0) if self.answers else TAKEN
        if answer.startswith("2"):
            self.messages.append(message_from_bytes(envelope.content, policy=default))
            self.recipients.append(list(envelope.rcpt_tos))
            self.taken.set()
        return answer


@contextmanager
def mail_server(port: int = 0, **more) -> Iterator[Inbox]:
    """A mail server on loopback, on a free port where none is named."""
    inbox = Inbox()
    controller = _Anywhere(inbox, hostname="127.0.0.1", port=port, **more)
    controller.start()
    inbox.port = controller.server.sockets[0].getsockname()[1]
    try:
        yield inbox
    finally:
        controller.stop()


class _WithReceipts(SMTP):
    """A server that knows DSN (RFC 3461): it notes what was asked for, and goes on as without."""

    def _getparams(self, params):
        known = ("RET=", "ENVID=", "NOTIFY=")
        self.event_handler.asked += [param for param in params if param.startswith(known)]
        return super()._getparams([param for param in params if not param.startswith(known)])


class _Anywhere(Controller):
    """On any free port: the library's own way of asking whether it is up needs one that is known before."""

    def factory(self) -> SMTP:
        return _WithReceipts(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@dataclass
class Hooked:
    """What was posted to an HTTP server, and the answers that it gives next: status and headers."""

    posts: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    url: str = ""


@contextmanager
def web_server() -> Iterator[Hooked]:
    """An HTTP server on loopback that takes what is posted, answering 204 unless told otherwise."""
    hooked = Hooked()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hooked.posts.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, headers = hooked.answers.pop(0) if hooked.answers else (204, {})
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hooked.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hooked
    finally:
        server.shutdown()
        server.server_close()

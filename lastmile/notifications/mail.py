"""E-mail by SMTP: a mail server takes it on, or says why not. That it was taken on is no receipt."""

from __future__ import annotations

import os
import smtplib
import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime, parseaddr
from urllib.parse import parse_qs, unquote, urlsplit

from lastmile.errors import NotPossible
from lastmile.notifications.addresses import is_email
from lastmile.notifications.channel import TIMEOUT_SECONDS, Came, Notice, Tried, on_this_machine
from lastmile.notifications.filling import one_line

SERVER, SENDER = "LASTMILE_SMTP", "LASTMILE_SMTP_FROM"
ENCRYPTIONS = ("auto", "starttls", "implicit", "none")
PORTS = {"implicit": 465}
USUAL_PORT = 587
CLOSING = 421
"""The server closes the connection (RFC 5321, 4.2.3): it takes nothing now."""
EXAMPLE = "smtp://user:password@mail.example.com:587"


@dataclass(frozen=True)
class Server:
    """A mail server. `tls`: auto takes STARTTLS where it is offered; starttls and implicit refuse to go on without.

    A password never goes over a connection in the clear, unless the server is this machine.
    """

    host: str
    port: int
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: str = "auto"

    @property
    def place(self) -> str:
        return f"{self.host}:{self.port}"


def server_of(text: str) -> Server:
    """The server that an address names, as smtp://user:password@host:587?tls=starttls. Raises NotPossible."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise NotPossible(f"{SERVER} is no address; write it as {EXAMPLE}.") from error
    tls = parse_qs(parts.query).get("tls", ["implicit" if parts.scheme == "smtps" else "auto"])[0]
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise NotPossible(f"{SERVER} is no address; write it as {EXAMPLE}.")
    if tls not in ENCRYPTIONS:
        raise NotPossible(f"{SERVER}: tls is {', '.join(ENCRYPTIONS)}; not {tls!r}.")
    user, password = (unquote(part) if part else None for part in (parts.username, parts.password))
    return Server(parts.hostname, port or PORTS.get(tls, USUAL_PORT), user, password, tls)


class Mail:
    """Notices by e-mail from one sender through one server; a connection is kept open from one notice to the next."""

    def __init__(self, server: Server | None, sender: str | None, problem: str | None = None) -> None:
        self.server, self.sender, self._problem = server, sender, problem
        self._session: smtplib.SMTP | None = None

    @classmethod
    def of_environment(cls) -> Mail:
        """As LASTMILE_SMTP and LASTMILE_SMTP_FROM say; what is missing or wrong there is told by `missing`."""
        text, sender = os.environ.get(SERVER), os.environ.get(SENDER)
        if not text:
            return cls(None, sender)
        try:
            return cls(server_of(text), sender)
        except NotPossible as error:
            return cls(None, sender, str(error))

    @property
    def missing(self) -> str | None:
        if self._problem or self.server is None:
            return self._problem or f"no mail server is set up ({SERVER})"
        if not self.sender or not is_email(parseaddr(self.sender)[1]) or not self.sender.isprintable():
            return f"no sender is set up ({SENDER}, as Dispatch <dispatch@example.com>)"
        return None

    def where(self, _: Notice) -> str:
        return self.server.place if self.server else ""

    def send(self, notice: Notice) -> Tried:
        """One try at one notice: SENT where the server took it on."""
        sender = parseaddr(self.sender)[1]
        try:
            message = message_of(notice, self.sender or "")
        except ValueError as error:
            return Tried(Came.REFUSED, f"It can't be written as an e-mail: {error}")
        try:
            session = self._open()
            receipts, utf8 = session.has_extn("dsn"), not (notice.address + sender).isascii()
            if utf8 and not session.has_extn("smtputf8"):
                return Tried(Came.REFUSED, f"{self.where(notice)} takes no addresses with letters beyond ASCII")
            session.sendmail(
                sender,
                [notice.address],
                message.as_bytes(policy=SMTPUTF8 if utf8 else SMTP),
                [*(["RET=HDRS", f"ENVID={notice.notice_id}"] if receipts else ()), *(["SMTPUTF8"] if utf8 else ())],
                ["NOTIFY=SUCCESS,FAILURE"] if receipts else (),
            )
        except (smtplib.SMTPException, OSError) as error:
            return self._failed(error, notice)
        asked = ", a receipt was asked for" if receipts else ""
        return Tried(Came.SENT, f"{self.where(notice)} took it on{asked}")

    def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            try:
                session.quit()
            except (smtplib.SMTPException, OSError):
                session.close()

    def _open(self) -> smtplib.SMTP:
        if self._session is not None:
            return self._session
        server = self.server
        context = ssl.create_default_context()
        if server.tls == "implicit":
            session: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_SECONDS, context=context)
        else:
            session = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
        try:
            self._greet(session, context)
        except BaseException:
            session.close()
            raise
        self._session = session
        return session

    def _greet(self, session: smtplib.SMTP, context: ssl.SSLContext) -> None:
        server = self.server
        session.ehlo_or_helo_if_needed()
        safe = server.tls == "implicit" or on_this_machine(server.host)
        if server.tls == "starttls" or (server.tls == "auto" and session.has_extn("starttls")):
            session.starttls(context=context)
            session.ehlo()
            safe = True
        if server.user is not None:
            if not safe:
                raise smtplib.SMTPNotSupportedError("it offers no encryption, and a password is not sent in the clear")
            session.login(server.user, server.password or "")

    def _failed(self, error: Exception, notice: Notice) -> Tried:
        """What a failed try means: this notice refused, or the server not to be had now."""
        if isinstance(error, smtplib.SMTPRecipientsRefused):
            code, said = error.recipients[notice.address]
            return self._answered(code, said)
        if isinstance(error, smtplib.SMTPSenderRefused | smtplib.SMTPDataError):
            return self._answered(error.smtp_code, error.smtp_error)
        session, self._session = self._session, None
        if session is not None:
            session.close()
        return Tried(Came.DEFERRED, f"{self.where(notice)} could not be used: {_said(error)}", unreachable=True)

    def _answered(self, code: int, said: bytes | str) -> Tried:
        try:  # what was begun is taken back, so that the next notice starts anew
            self._session and self._session.rset()
        except (smtplib.SMTPException, OSError):
            self._session = None
        words = f"{self.server.place} answered {code}: {_text(said)}"
        return Tried(Came.REFUSED if code >= 500 else Came.DEFERRED, words, unreachable=code == CLOSING)


def message_of(notice: Notice, sender: str) -> EmailMessage:
    """The message: text alone, its id made from the notice's, marked as sent by a machine (RFC 3834). ValueError for a bad address."""
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    message["From"] = Address(one_line(name), addr_spec=address)
    message["To"] = Address(one_line(notice.name), addr_spec=notice.address)
    message["Subject"] = one_line(notice.subject)
    message["Date"] = format_datetime(notice.asked_at)
    message["Message-ID"] = message_id(notice.notice_id, address)
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(notice.body + "\n", cte="quoted-printable")
    message["Content-Language"] = notice.language
    return message


def message_id(notice_id: str, sender: str) -> str:
    """The Message-ID of a notice: the same at each try, so that a mail program shows a second copy as the same message."""
    return f"<{notice_id}@{sender.rpartition('@')[2]}>"


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(error.smtp_error)}"
    return one_line(str(error) or type(error).__name__)


def _text(said: bytes | str) -> str:
    return one_line(said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said))

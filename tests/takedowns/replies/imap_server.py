"""An IMAP server of Twisted's, in a process of its own: one account, mails in memory, TLS on both ways in.

    python imap_server.py KEY_AND_CERTIFICATE.pem

prints its two ports (implicit TLS, STARTTLS) on one line and serves until its standard input closes. Mails
come in by APPEND. One with a header ``X-Drop-Line`` drops the connection the first time that it is fetched.
"""

# ruff: noqa: N802  (the names are those of Twisted's interfaces)

from __future__ import annotations

import io
import re
import sys
import threading
from pathlib import Path
from typing import Any

from twisted.cred.checkers import InMemoryUsernamePasswordDatabaseDontUse
from twisted.cred.portal import Portal
from twisted.internet import endpoints, ssl
from twisted.internet.defer import succeed
from twisted.internet.protocol import Factory
from twisted.mail import imap4
from zope.interface import implementer

USER, PASSWORD = b"answers", b"correct horse"


@implementer(imap4.IMessage, imap4.IMessageFile)
class Mail:
    def __init__(self, mailbox: Mailbox, data: bytes, date: str) -> None:
        self.mailbox, self.data, self.date = mailbox, data, date
        self.uid = len(mailbox.mails) + 1
        self.fetched = False
        self.flags: list[str] = []

    def open(self) -> io.BytesIO:
        if b"X-Drop-Line" in self._head() and not self.fetched:
            self.fetched = True
            self.mailbox.listener.transport.abortConnection()
        return io.BytesIO(self.data)

    def getUID(self) -> int:
        return self.uid

    def getFlags(self) -> list[str]:
        return self.flags

    def getInternalDate(self) -> str:
        return self.date

    def getSize(self) -> int:
        return len(self.data)

    def _head(self) -> bytes:
        return re.split(rb"\r?\n\r?\n", self.data, maxsplit=1)[0]

    def getHeaders(self, negate: bool, *names: Any) -> dict[str, str]:
        found = {}
        for line in re.split(rb"\r?\n(?![ \t])", self._head()):
            name, _, value = line.partition(b":")
            found[name.decode("latin-1").lower()] = value.strip().decode("latin-1")
        return found

    def getBodyFile(self) -> io.BytesIO:
        return io.BytesIO(self.data[len(self._head()) :].lstrip())

    def isMultipart(self) -> bool:
        return False


@implementer(imap4.IMailbox, imap4.IMailboxInfo)
class Mailbox:
    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.listener: Any = None

    def getFlags(self) -> list[str]:
        return [r"\Seen", r"\Deleted"]

    def getHierarchicalDelimiter(self) -> str:
        return "/"

    def getUIDValidity(self) -> int:
        return 42

    def getUIDNext(self) -> int:
        return len(self.mails) + 1

    def getMessageCount(self) -> int:
        return len(self.mails)

    def getRecentCount(self) -> int:
        return 0

    def getUnseenCount(self) -> int:
        return 0

    def isWriteable(self) -> bool:
        return True

    def requestStatus(self, names: Any) -> Any:
        return imap4.statusRequestHelper(self, names)

    def addListener(self, listener: Any) -> None:
        self.listener = listener

    def removeListener(self, listener: Any) -> None:
        self.listener = None

    def addMessage(self, message: Any, flags: Any = (), date: Any = None) -> Any:
        self.mails.append(Mail(self, message.read(), date or "12-Oct-2026 01:00:00 +0000"))
        return succeed(None)

    def fetch(self, messages: Any, uid: bool) -> list[tuple[int, Mail]]:
        messages.last = len(self.mails)
        return [(mail.uid, mail) for mail in self.mails if mail.uid in messages]

    def store(self, messages: Any, flags: Any, mode: int, uid: bool) -> Any:
        raise imap4.ReadOnlyMailbox("nothing here may change")

    def expunge(self) -> Any:
        raise imap4.ReadOnlyMailbox("nothing here may change")


class Account(imap4.MemoryAccount):
    def _emptyMailbox(self, name: Any, id: Any) -> Mailbox:
        return Mailbox()


class Server(imap4.IMAP4Server):
    def __init__(self, portal: Portal, context: Any) -> None:
        super().__init__(contextFactory=context)
        self.portal = portal
        self.challengers = {b"LOGIN": imap4.LOGINCredentials, b"PLAIN": imap4.PLAINCredentials}


def main() -> None:
    from twisted.internet import reactor  # here, so that importing this file installs none

    context = ssl.PrivateCertificate.loadPEM(Path(sys.argv[1]).read_bytes()).options()
    account = Account(USER)
    account.addMailbox("INBOX")
    realm = type("Realm", (), {"requestAvatar": lambda *_: (imap4.IAccount, account, lambda: None)})()
    checker = InMemoryUsernamePasswordDatabaseDontUse()
    checker.addUser(USER, PASSWORD)
    portal = Portal(realm, [checker])
    factory = Factory.forProtocol(lambda: Server(portal, context))
    implicit = reactor.listenSSL(0, factory, context, interface="127.0.0.1")
    plain = endpoints.TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
    plain.addCallback(
        lambda port: print(implicit.getHost().port, port.getHost().port, flush=True)  # noqa: T201
    )
    threading.Thread(
        target=lambda: (sys.stdin.read(), reactor.callFromThread(reactor.stop)), daemon=True
    ).start()
    reactor.run()


if __name__ == "__main__":
    main()

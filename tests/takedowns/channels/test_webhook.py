from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from takedowns.channels import webhook
from takedowns.channels.parcel import Parcel, SendError

SECRET = "correct horse battery"


class Platform(HTTPServer):
    """A receiver that keeps what it got; ``status`` and ``location`` are what it answers."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.calls: list[tuple[dict[str, str], bytes]] = []
        self.status, self.answer, self.location = 202, b'{"ticket": "A-7"}', ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hooks/notices"


class Handler(BaseHTTPRequestHandler):
    server: Any

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((dict(self.headers), body))
        if self.server.status == 0:
            return  # hangs up without an answer
        self.send_response(self.server.status)
        if self.server.location:
            self.send_header("Location", self.server.location)
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def platform() -> Iterator[Platform]:
    server = Platform()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def parcel(parcel: Parcel, platform: Platform) -> Parcel:
    return replace(parcel, recipient=platform.url)


def _deliver(parcel: Parcel) -> str:
    return webhook.deliver(parcel, SECRET, timeout_s=5)


def test_the_receiver_can_check_who_called_and_read_everything(parcel, platform):
    assert _deliver(parcel) == '202 {"ticket": "A-7"}'
    ((headers, body),) = platform.calls
    timestamp = headers["X-Vapewatch-Timestamp"]
    expected = hmac.digest(SECRET.encode(), timestamp.encode() + b"." + body, "sha256").hex()
    assert headers["X-Vapewatch-Signature"] == f"sha256={expected}"
    assert abs(int(timestamp) - time.time()) < 60
    assert (headers["Idempotency-Key"], headers["Content-Type"]) == (parcel.key, "application/json")
    document = json.loads(body)
    assert (document["key"], document["kind"]) == (parcel.key, "notice")
    assert (document["subject"], document["text"]) == (parcel.subject, parcel.body)
    assert document["leads"] == [dict(lead) for lead in parcel.leads]
    files = {file["name"]: base64.b64decode(file["base64"]) for file in document["files"]}
    assert files == {file.name: file.data for file in parcel.files}
    for file in document["files"]:
        assert file["sha256"] == hashlib.sha256(files[file["name"]]).hexdigest()


def test_a_changed_byte_or_another_secret_does_not_fit_the_signature(parcel, platform):
    _deliver(parcel)
    ((headers, body),) = platform.calls
    timestamp = int(headers["X-Vapewatch-Timestamp"])
    signature = headers["X-Vapewatch-Signature"]
    assert webhook.signed(SECRET, body, timestamp)["X-Vapewatch-Signature"] == signature
    for secret, told, at in [("x", body, timestamp), (SECRET, body + b" ", timestamp), (SECRET, body, 1)]:
        assert webhook.signed(secret, told, at)["X-Vapewatch-Signature"] != signature


def test_the_key_is_the_same_at_every_attempt(parcel, platform):
    platform.status = 503
    for _ in range(2):
        with pytest.raises(SendError):
            _deliver(parcel)
    assert {headers["Idempotency-Key"] for headers, _ in platform.calls} == {parcel.key}
    assert len({body for _, body in platform.calls}) == 1


@pytest.mark.parametrize(
    ("status", "temporary", "may_have_arrived"),
    [(400, False, False), (401, False, False), (409, True, False), (429, True, False), (500, True, True)],
)
def test_a_refusal_says_whether_it_is_worth_another_attempt(
    parcel, platform, status, temporary, may_have_arrived
):
    platform.status, platform.answer = status, "不\x1b[31m行".encode()
    with pytest.raises(SendError, match=rf"{status} 不\[31m行$") as refused:
        _deliver(parcel)
    assert (refused.value.temporary, refused.value.may_have_arrived) == (temporary, may_have_arrived)


def test_a_redirect_is_not_followed(parcel, platform):
    platform.status, platform.location = 307, platform.url
    with pytest.raises(SendError, match="307") as refused:
        _deliver(parcel)
    assert not refused.value.temporary
    assert len(platform.calls) == 1


def test_a_line_that_drops_before_the_answer_may_have_brought_it(parcel, platform):
    platform.status = 0
    with pytest.raises(SendError, match="did not answer") as failed:
        _deliver(parcel)
    assert (failed.value.temporary, failed.value.may_have_arrived) == (True, True)


def test_a_receiver_that_is_not_there_surely_has_nothing(parcel):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(SendError, match="did not answer") as failed:
        _deliver(replace(parcel, recipient=f"http://127.0.0.1:{port}/"))
    assert (failed.value.temporary, failed.value.may_have_arrived) == (True, False)


def test_of_a_long_answer_only_the_beginning_is_read(parcel, platform):
    platform.answer = b"x" * 5_000_000
    assert len(_deliver(parcel)) < 400

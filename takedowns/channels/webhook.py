"""Calls of a platform's web hook: one signed JSON document, the files in it in base64.

``X-Vapewatch-Signature`` is ``sha256=`` and the HMAC-SHA-256, in hex, of ``X-Vapewatch-Timestamp`` (seconds
since 1970), a full stop, and the body as sent. ``Idempotency-Key`` is the same at every attempt.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from http import HTTPStatus
from typing import Any

import httpx

from takedowns.channels.parcel import Parcel, SendError
from takedowns.letters import clean

RECEIPT_AT_MOST = 300
ANSWER_AT_MOST = 10_000  # bytes of an answer that are read
LATER = frozenset(
    {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
)
"""Refusals that may be over at another time."""
NEVER_ARRIVED = (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol)


def deliver(parcel: Parcel, secret: str, *, timeout_s: float) -> str:
    """Returns the status and the beginning of the answer. Redirects are not followed: raises SendError."""
    body = json.dumps(_document(parcel), ensure_ascii=False).encode()
    try:
        return _accepted(*_called(parcel, body, signed(secret, body, int(time.time())), timeout_s))
    except httpx.HTTPError as error:
        arrived = not isinstance(error, NEVER_ARRIVED)
        said = clean(str(error), RECEIPT_AT_MOST) or type(error).__name__
        raise SendError(
            f"the web hook did not answer: {said}", temporary=True, may_have_arrived=arrived
        ) from error


def signed(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """The two headers by which the receiver knows the call for ours."""
    digest = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Vapewatch-Timestamp": str(timestamp), "X-Vapewatch-Signature": f"sha256={digest}"}


def _called(parcel: Parcel, body: bytes, headers: dict[str, str], timeout_s: float) -> tuple[int, str]:
    headers |= {"Content-Type": "application/json", "Idempotency-Key": parcel.key}
    with (
        httpx.Client(timeout=timeout_s, follow_redirects=False, trust_env=False) as client,
        client.stream("POST", parcel.recipient, content=body, headers=headers) as answer,
    ):
        read = b""
        for piece in answer.iter_bytes():
            read += piece
            if len(read) > ANSWER_AT_MOST:
                break
    return answer.status_code, clean(read.decode("utf-8", "replace"), RECEIPT_AT_MOST)


def _accepted(status: int, said: str) -> str:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return f"{status} {said}".strip()
    broken = status >= HTTPStatus.INTERNAL_SERVER_ERROR
    raise SendError(
        f"the web hook refused the call: {status} {said}".strip(),
        temporary=broken or status in LATER,
        may_have_arrived=broken,  # it may have broken after it took it
    )


def _document(parcel: Parcel) -> dict[str, Any]:
    return {
        "key": parcel.key,
        "kind": parcel.kind.value,
        "number": parcel.number,
        "follows": parcel.follows,
        "subject": parcel.subject,
        "text": parcel.body,
        "leads": list(parcel.leads),
        "files": [
            {
                "name": file.name,
                "media_type": file.media_type,
                "sha256": hashlib.sha256(file.data).hexdigest(),
                "base64": base64.b64encode(file.data).decode(),
            }
            for file in parcel.files
        ],
    }

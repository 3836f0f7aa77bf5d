"""What is sent to the receiver, and what becomes of it."""

import hashlib
import hmac
import json
from datetime import UTC, date, datetime
from http import HTTPStatus
from typing import Final, Literal

import aiohttp
import attrs

EVENT: Final = "bill_issued"
#: An answer longer than this is not read.
_READ: Final = 1024


@attrs.frozen
class Delivery:
    """A bill to tell, in the order of the columns of `claim`."""

    tries: int
    made_at: datetime
    bill: str
    contract: str
    meter: str
    tariff: str
    start: date
    end: date
    currency: str
    total: str
    corrects: str | None
    issued_at: datetime

    def body(self) -> bytes:
        """Return the JSON that is sent; the same at every try."""
        shown = attrs.asdict(self)
        del shown["tries"], shown["made_at"]
        return json.dumps({"event": EVENT, **shown}, default=_iso).encode()


@attrs.frozen
class Result:
    """What became of a try.

    Attributes:
        outcome: `gone` is not tried again.
        error: Why it was not taken.
        retry_after: For how many seconds the receiver wants to be left alone.

    """

    outcome: Literal["delivered", "retried", "gone"]
    error: str | None = None
    retry_after: float = 0.0


def signature(secret: str, at: int, body: bytes) -> str:
    """Return the value of `X-Energia-Signature`: HMAC-SHA256 over `<time>.<body>`."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"


async def send(
    client: aiohttp.ClientSession, url: str, secret: str, delivery: Delivery, now: datetime
) -> Result:
    """Tell one bill; never raises for what the receiver or the network does."""
    body = delivery.body()
    headers = {
        "Content-Type": "application/json",
        "X-Energia-Event": EVENT,
        "X-Energia-Delivery": delivery.bill,
    }
    if secret:
        headers["X-Energia-Signature"] = signature(secret, int(now.timestamp()), body)
    try:
        async with client.post(url, data=body, headers=headers, allow_redirects=False) as answer:
            await answer.content.read(_READ)
            return _result(answer)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        return Result("retried", type(error).__name__)


def _result(answer: aiohttp.ClientResponse) -> Result:
    if HTTPStatus(200) <= answer.status < HTTPStatus(300):
        return Result("delivered")
    error = f"answered {answer.status}"
    if answer.status == HTTPStatus.GONE:
        return Result("gone", error)
    given = answer.headers.get("Retry-After", "")
    return Result("retried", error, float(given) if given.isdigit() else 0.0)


def _iso(value: object) -> str:
    assert isinstance(value, date)
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value.isoformat()

"""One request for prices: conditional, bounded, and never telling a secret."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import attrs

from energia import FeedFailed
from energia.convert import parse
from energia.errors import EnergiaError

_CHUNK: Final = 64 * 1024
#: Nothing is published for the time that was asked for.
_NOTHING: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
_CONDITIONS: Final = {"etag": "If-None-Match", "modified": "If-Modified-Since"}


@attrs.frozen
class Answer:
    """What a source answered.

    Attributes:
        document: The JSON; None if it is what it was, or nothing is published.
        memo: What to tell the source when it is asked the same again.
        is_published: Whether there is anything for the time that was asked for.

    """

    document: Any
    memo: Mapping[str, str]
    is_published: bool = True


async def ask(
    client: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    memo: Mapping[str, str],
    limit: int,
) -> Answer:
    """Ask a source; raises `FeedFailed`."""
    conditions = {_CONDITIONS[name]: value for name, value in memo.items() if name in _CONDITIONS}
    try:
        async with client.get(
            url, headers={"Accept": "application/json", **headers, **conditions},
            allow_redirects=False,
        ) as answer:  # fmt: skip
            return await _read(answer, memo, limit)
    except (aiohttp.ClientError, OSError, ValueError) as error:
        # Only its class: the message may have the URL, and that a token.
        raise FeedFailed(f"cannot be asked: {type(error).__name__}") from None


async def _read(answer: aiohttp.ClientResponse, memo: Mapping[str, str], limit: int) -> Answer:
    if answer.status == HTTPStatus.NOT_MODIFIED:
        return Answer(None, memo)
    if answer.status in _NOTHING:
        return Answer(None, {}, is_published=False)
    if answer.status != HTTPStatus.OK:
        raise FeedFailed(f"answered {answer.status}", _retry_after(answer))
    body = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > limit:
            raise FeedFailed(f"the answer is over body_bytes ({limit})")
    try:
        document = parse(body)
    except EnergiaError as error:
        raise FeedFailed(f"the answer is {error.detail}") from None
    told = {"etag": answer.headers.get("ETag"), "modified": answer.headers.get("Last-Modified")}
    return Answer(document, {name: value for name, value in told.items() if value})


def _retry_after(answer: aiohttp.ClientResponse) -> float:
    """Return for how many seconds the source wants to be left alone: it may tell a date."""
    given = answer.headers.get("Retry-After", "").strip()
    if given.isdigit():
        return float(given)
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return 0.0
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())

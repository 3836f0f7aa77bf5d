"""The source: what a web service has of the last days, fetched again and again."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urljoin, urlsplit

from energia import (
    Answer,
    Emit,
    EnergiaError,
    Invalid,
    Malformed,
    NoAnswer,
    Session,
    SourceFailed,
    parse,
)
from energia.time import instant_of
from energia_plugins.meter_http.settings import Fetch

#: A service that fails is left alone for so many seconds, unless it wants more.
_LEFT_ALONE: Final = 300.0
#: Where the state has when it was fetched last.
_FETCHED: Final = "fetched"


class HttpSource:
    """Readings of one web service."""

    def __init__(self, name: str, fetch: Fetch, organization: int = 1) -> None:
        self.name = f"http-{name}"
        self.organization = organization
        self._fetch = fetch

    async def run(self, emit: Emit) -> None:
        """Fetch now, or when it is due after a restart; then after every period."""
        fetched: int | None = emit.state.get(_FETCHED)
        if fetched is not None:
            emit.connected()
            await asyncio.sleep(fetched + self._fetch.period - emit.now().timestamp())
        async with emit.outgoing.session(self._fetch.timeout) as session:
            while True:
                await self._fetch_all(emit, session)
                emit.connected()
                await asyncio.sleep(self._fetch.period)

    async def _fetch_all(self, emit: Emit, session: Session) -> None:
        """Store the pages of one fetch; raises `SourceFailed`."""
        now = emit.now()
        async for page in self._pages(session, now):
            try:
                await emit.file([page], self._fetch.format, self._fetch.options)
            except (Invalid, Malformed) as error:
                text = f"the answer cannot be read: {error.detail}"
                raise SourceFailed(text, self._fetch.period) from error
        await emit.save({_FETCHED: instant_of(now)})

    async def _pages(self, session: Session, now: datetime) -> AsyncIterator[bytes]:
        url = self._fetch.address(now - timedelta(days=self._fetch.days_back), now)
        host = urlsplit(url)[:2]
        for _ in range(self._fetch.pages):
            page = (await self._answer(session, url, now)).utf8
            yield page
            following = _next(page, self._fetch.next)
            if following is None:
                return
            url = urljoin(url, following)
            if urlsplit(url)[:2] != host:  # it would be told our secrets
                raise SourceFailed("the next page is on another host", self._fetch.period)
        raise SourceFailed(f"there are more than `pages` ({self._fetch.pages})", self._fetch.period)

    async def _answer(self, session: Session, url: str, now: datetime) -> Answer:
        wait = min(_LEFT_ALONE, self._fetch.period)
        try:
            answer = await session.get(url, self._fetch.stated_headers(), self._fetch.body_bytes)
        except NoAnswer as error:
            raise SourceFailed(error.reason, wait) from None
        if answer.status != HTTPStatus.OK:
            wanted = answer.headers.retry_after(now)
            raise SourceFailed(f"answered {answer.status}", max(wanted, wait))
        if not answer.is_whole:
            text = f"the answer is over body_bytes ({self._fetch.body_bytes})"
            raise SourceFailed(text, self._fetch.period)
        return answer


def _next(page: bytes, path: str | None) -> str | None:
    """Return the address of the next page, if there is one."""
    if path is None:
        return None
    try:
        document: Any = parse(page)
    except EnergiaError as error:
        raise SourceFailed(f"the answer is {error.detail}", _LEFT_ALONE) from None
    for name in path.split("."):
        document = document.get(name) if isinstance(document, dict) else None
    return document if isinstance(document, str) and document else None

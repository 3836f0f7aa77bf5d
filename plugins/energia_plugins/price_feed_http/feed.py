"""A feed that asks a web service for prices as JSON."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from http import HTTPStatus
from typing import Any, Final

import attrs

from energia import (
    Answer,
    Delivery,
    EnergiaError,
    FeedFailed,
    FeedRequest,
    NewPriceSeries,
    NoAnswer,
    PricePoint,
    Session,
    parse,
)
from energia.time import Zone
from energia_plugins.price_feed_http.settings import HttpFeed

#: Nothing is published for the time that was asked for.
_NOTHING: Final = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND)
_CONDITIONS: Final = {"etag": "If-None-Match", "modified": "If-Modified-Since"}


@attrs.frozen
class Found:
    """What a source gave.

    Attributes:
        document: The JSON; None if it is what it was, or nothing is published.
        memo: What to send to the source when it is asked the same again.
        is_published: Whether there is anything for the time that was asked for.

    """

    document: Any
    memo: Mapping[str, str]
    is_published: bool = True


async def ask(
    session: Session,
    url: str,
    headers: Mapping[str, str],
    memo: Mapping[str, str],
    limit: int,
) -> Found:
    """Ask a source; raises `FeedFailed`."""
    conditions = {_CONDITIONS[name]: value for name, value in memo.items() if name in _CONDITIONS}
    stated = {"Accept": "application/json", **headers, **conditions}
    try:
        return _read(await session.get(url, stated, limit), memo, limit)
    except NoAnswer as error:
        raise FeedFailed(error.reason) from None


def _read(answer: Answer, memo: Mapping[str, str], limit: int) -> Found:
    if answer.status == HTTPStatus.NOT_MODIFIED:
        return Found(None, memo)
    if answer.status in _NOTHING:
        return Found(None, {}, is_published=False)
    if answer.status != HTTPStatus.OK:
        wanted = answer.headers.retry_after(datetime.now(UTC))
        raise FeedFailed(f"answered {answer.status}", wanted)
    if not answer.is_whole:
        raise FeedFailed(f"the answer is over body_bytes ({limit})")
    try:
        document = parse(answer.utf8)
    except EnergiaError as error:
        raise FeedFailed(f"the answer is {error.detail}") from None
    validators = {"etag": answer.headers.etag, "modified": answer.headers.last_modified}
    return Found(document, {name: value for name, value in validators.items() if value})


_DAY: Final = timedelta(days=1)
#: So many seconds after a publication it is asked for at the latest: not all at once.
_SPREAD: Final = 20.0


@attrs.define
class _Fetched:
    """What the requests of one fetch gave."""

    points: list[PricePoint] = attrs.Factory(list)
    memo: dict[str, Any] = attrs.Factory(dict)
    is_whole: bool = True

    @property
    def horizon(self) -> datetime | None:
        """When the last of the prices ends."""
        return max((point.end or point.start for point in self.points), default=None)


class Feed:
    """Asks for days, from the last that are known until tomorrow."""

    def __init__(self, name: str, settings: HttpFeed) -> None:
        """Prepare a feed; nothing is asked yet."""
        self.name = name
        self.period = settings.period
        self.timeout = settings.timeout
        self._settings = settings
        self._zone = Zone.named(settings.shape.timezone)

    @property
    def series(self) -> NewPriceSeries:
        """The series that it fills."""
        return self._settings.head(self.name)

    async def fetch(self, asked: FeedRequest) -> Delivery:
        """Return the prices of the days that are missing, and of some before; or `FeedFailed`."""
        async with asked.outgoing.session(self.timeout) as session:
            fetched = await self._ask(session, asked)
        known = max(filter(None, (fetched.horizon, asked.horizon)), default=None)
        expected, again = self._expected(asked.now, known)
        if not fetched.is_whole:
            if fetched.horizon is None or fetched.horizon == asked.horizon:
                raise FeedFailed("the days that were asked for have no prices: set `since` later")
            again = asked.now
        points = tuple(fetched.points) or None
        return Delivery(points, expected, again, fetched.memo)

    async def _ask(self, session: Session, request: FeedRequest) -> _Fetched:
        settings, fetched = self._settings, _Fetched()
        today = request.now.astimezone(self._zone.tzinfo).date()
        headers = settings.stated_headers()
        for index, (first, past) in enumerate(self._spans(request, today)):
            if index == settings.requests:
                fetched.is_whole = False
                break
            url = settings.address(self._midnight(first), self._midnight(past))
            key = sha256(url.encode()).hexdigest()[:16]
            memo = request.memo.get(key, {})
            answer = await ask(session, url, headers, memo, settings.body_bytes)
            if not answer.is_published and first <= today:
                raise FeedFailed(f"there is nothing for {first}")
            fetched.memo[key] = dict(answer.memo)
            if answer.document is not None:
                fetched.points += settings.shape.points(answer.document)
        return fetched

    def _spans(self, request: FeedRequest, today: date) -> Iterator[tuple[date, date]]:
        """Yield the days to ask for, request by request: the first, and the one past the last."""
        settings = self._settings
        first, end = today - settings.days_back * _DAY, today + settings.days_ahead * _DAY
        if request.horizon is not None:
            known = request.horizon.astimezone(self._zone.tzinfo).date()
            first = min(first, known - settings.days_back * _DAY)
        elif settings.since is not None:
            first = min(first, settings.since)
        while first < end:
            past = min(end, first + settings.days_per_request * _DAY)
            yield first, past
            first = past

    def _midnight(self, day: date) -> datetime:
        return self._zone.datetime(self._zone.midnight(day))

    def _expected(
        self, now: datetime, known: datetime | None
    ) -> tuple[datetime | None, datetime | None]:
        """Return when more prices are expected, or were, and when to ask for them."""
        if self._settings.publication is None:
            return None, None
        today = now.astimezone(self._zone.tzinfo).date()
        published = self._publication(today)
        is_out = now >= published
        until = self._midnight(today + (2 if is_out else 1) * _DAY)
        if known is None or known < until:
            late = published if is_out else self._publication(today - _DAY)
            return late, now + timedelta(seconds=self._settings.late_period)
        following = self._publication(today + _DAY) if is_out else published
        return following, following + timedelta(seconds=random.uniform(1, _SPREAD))

    def _publication(self, day: date) -> datetime:
        """Return when prices are published on a day."""
        local = datetime.combine(day, time.fromisoformat(self._settings.publication or "00:00"))
        return local.replace(tzinfo=self._zone.tzinfo)

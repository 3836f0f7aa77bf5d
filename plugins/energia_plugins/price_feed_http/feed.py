"""A feed that asks a web service for prices as JSON."""

import random
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from hashlib import sha256
from typing import Any, Final

import aiohttp
import attrs

from energia import Delivery, FeedFailed, FeedRequest, NewPriceSeries, PricePoint
from energia.zones import Zone
from energia_plugins.price_feed_http.asking import ask
from energia_plugins.price_feed_http.settings import HttpFeed

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
        return max((one.end or one.start for one in self.points), default=None)


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
        async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as client:
            found = await self._ask(client, asked)
        known = max(filter(None, (found.horizon, asked.horizon)), default=None)
        expected, again = self._expected(asked.now, known)
        if not found.is_whole:
            if found.horizon is None or found.horizon == asked.horizon:
                raise FeedFailed("the days that were asked for have no prices: set `since` later")
            again = asked.now
        points = tuple(found.points) or None
        return Delivery(points, expected, again, found.memo)

    async def _ask(self, client: aiohttp.ClientSession, asked: FeedRequest) -> _Fetched:
        settings, found = self._settings, _Fetched()
        today = asked.now.astimezone(self._zone.tzinfo).date()
        headers = settings.stated_headers()
        for index, (first, past) in enumerate(self._spans(asked, today)):
            if index == settings.requests:
                found.is_whole = False
                break
            url = settings.address(self._midnight(first), self._midnight(past))
            key = sha256(url.encode()).hexdigest()[:16]
            memo = asked.memo.get(key, {})
            answer = await ask(client, url, headers, memo, settings.body_bytes)
            if not answer.is_published and first <= today:
                raise FeedFailed(f"there is nothing for {first}")
            found.memo[key] = dict(answer.memo)
            if answer.document is not None:
                found.points += settings.shape.points(answer.document)
        return found

    def _spans(self, asked: FeedRequest, today: date) -> Iterator[tuple[date, date]]:
        """Yield the days to ask for, request by request: the first, and the one past the last."""
        settings = self._settings
        first, end = today - settings.days_back * _DAY, today + settings.days_ahead * _DAY
        if asked.horizon is not None:
            known = asked.horizon.astimezone(self._zone.tzinfo).date()
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

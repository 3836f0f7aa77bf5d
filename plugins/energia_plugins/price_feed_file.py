"""Price feeds from files, read again when they change: `[plugins.price-feed-file]`."""

import asyncio
import csv
import io
from pathlib import Path
from typing import Annotated, Any

import attrs
from msgspec import Meta

from energia import (
    Currency,
    Delivery,
    EnergiaError,
    FeedFailed,
    FeedRequest,
    Id,
    NewPriceSeries,
    PriceFeed,
    PriceUnit,
    hookimpl,
    parse,
)
from energia_plugins.price_feed_http.shape import Shape


@attrs.frozen(kw_only=True)
class FileFeed:
    """`[plugins.price-feed-file.feeds.<name>]`. Times are in seconds.

    Attributes:
        series: The series that it fills; by default the name of the feed.
        currency: Of the prices.
        unit: What a price is for.
        path: The file; `.csv` is a table with a header, anything else JSON.
        delimiter: Between the cells of a table.
        shape: Where prices are in the file; in a table, paths are the names of columns.
        period: How often to look whether the file has changed.
        file_bytes: How long it may be.

    """

    series: Id | None = None
    currency: Currency
    unit: PriceUnit = "MWh"
    path: Annotated[str, Meta(min_length=1)]
    delimiter: Annotated[str, Meta(min_length=1, max_length=1)] = ","
    shape: Shape = attrs.Factory(Shape)
    period: Annotated[float, Meta(gt=0)] = 30.0
    file_bytes: Annotated[int, Meta(ge=1)] = 64 * 1024**2


@attrs.frozen
class Settings:
    """`[plugins.price-feed-file]`: a table for each feed, by its name."""

    feeds: dict[Id, FileFeed] = attrs.field(factory=dict)


class Feed:
    """Reads one file."""

    def __init__(self, name: str, settings: FileFeed) -> None:
        """Prepare a feed; nothing is read yet."""
        self.name = name
        self.period = settings.period
        self._settings = settings

    @property
    def series(self) -> NewPriceSeries:
        """The series that it fills."""
        settings = self._settings
        return NewPriceSeries(
            id=settings.series or self.name,
            currency=settings.currency,
            unit=settings.unit,
            interval=settings.shape.interval,
            timezone=settings.shape.timezone,
        )

    async def fetch(self, asked: FeedRequest) -> Delivery:
        """Return all prices of the file, if it has changed; raises `FeedFailed`."""
        return await asyncio.to_thread(self._read, asked)

    def _read(self, request: FeedRequest) -> Delivery:
        path, limit = Path(self._settings.path), self._settings.file_bytes
        try:
            state = path.stat()
            memo = {"size": str(state.st_size), "changed": str(state.st_mtime_ns)}
            if dict(request.memo) == memo:
                return Delivery(None, memo=memo)
            if state.st_size > limit:
                raise FeedFailed(f"the file is over file_bytes ({limit})")
            content = path.read_bytes()
        except OSError as error:
            raise FeedFailed(f"the file cannot be read: {error.strerror}") from error
        return Delivery(self._settings.shape.points(self._document(content)) or None, memo=memo)

    def _document(self, content: bytes) -> Any:
        """Return what the file has as JSON has it."""
        try:
            if not self._settings.path.lower().endswith(".csv"):
                return parse(content)
            table = io.StringIO(content.decode("utf-8-sig"), newline="")
            return list(csv.DictReader(table, delimiter=self._settings.delimiter, strict=True))
        except (EnergiaError, UnicodeDecodeError, csv.Error) as error:
            raise FeedFailed(f"the file cannot be read: {error}") from error


class FileFeeds:
    """The plugin: a feed for each table of its settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @hookimpl
    def register_price_feeds(self) -> list[PriceFeed]:
        """Offer the feeds."""
        return [Feed(name, feed) for name, feed in self._settings.feeds.items()]

"""Reads prices from JSON of any shape, by paths that a configuration states."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar, Final

import attrs
import numpy as np
from msgspec import Meta

from energia import Fault, FeedFailed, PricePoint, Rules, SlotLength, Unfit, ZoneOrOffset, enforce
from energia.convert.scalars import decimal
from energia.time import Zone, instant_of, utc

#: A path into JSON: members and indexes, with dots between; empty is the value itself.
Path = Annotated[str, Meta(max_length=200)]
#: More prices are no answer to a question.
_MOST: Final = 100_000
_NAMES: Final = ("iso", "epoch", "epoch_ms", "consecutive")
#: Stands for what is nowhere in a document.
_ABSENT: Final = object()
_DAY_FORMAT: Final = "%Y-%m-%d"


def _times_are_known(times: str) -> Iterator[Fault]:
    if times.partition(" ")[0] not in _NAMES and "%" not in times:
        message = f"times are one of {', '.join(_NAMES)}, or a format such as %d/%m/%Y %H:%M"
        yield Fault("unknown_value", message, "/times")


def _consecutive_needs_interval(times: str, interval: timedelta | None) -> Iterator[Fault]:
    if times.startswith("consecutive") and interval is None:
        yield Fault("missing_field", "consecutive times need an interval", "/interval")


@attrs.frozen(kw_only=True)
class Shape:
    """Where prices are in a document.

    Attributes:
        items: The path to the list of prices; empty, if the document is the list, or has columns.
        start: The path to the start of a price, in its item; or to a whole column of starts.
        end: The path to its end; without, it lasts for `interval`.
        price: The path to the price, or to a column of prices.
        where: Only items whose members have these texts, such as `{"geo_id": "8741"}`.
        times: `iso` (with an offset, or naive), `epoch`, `epoch_ms`, a format such as
            `%d/%m/%Y %H:%M`; or `consecutive <format of the date>`: prices follow one another from
            the midnight of the date of their item.
        timezone: The zone of naive times and dates.
        interval: How long a price lasts.
        decimal_comma: Whether texts of prices have a comma for a point.

    """

    __rules__: ClassVar[Rules] = (_times_are_known, _consecutive_needs_interval)

    items: Path = ""
    start: Path = "start"
    end: Path | None = None
    price: Path = "price"
    where: dict[str, str] = attrs.field(factory=dict)
    times: Annotated[str, Meta(max_length=60)] = "iso"
    timezone: ZoneOrOffset = "UTC"
    interval: SlotLength | None = None
    decimal_comma: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse times that cannot be read."""
        enforce(self)

    def points(self, document: object) -> tuple[PricePoint, ...]:
        """Return the prices of a document, as JSON has it; raises `FeedFailed`."""
        items = at(document, self.items)
        rows = self._columns(items) if isinstance(items, Mapping) else items
        if not isinstance(rows, list):
            raise FeedFailed(f"there is no list at {self.items!r}")
        if len(rows) > _MOST:
            raise FeedFailed(f"{len(rows)} prices are more than {_MOST}")
        points, reader = list[PricePoint](), _Times(self)
        for index, row in enumerate(rows):
            try:
                point = self._point(row, reader)
            except (Unfit, ValueError, LookupError, TypeError) as error:
                raise FeedFailed(f"price {index}: {error}") from error
            if point is not None:
                points.append(point)
        return tuple(points)

    def _columns(self, document: Mapping[str, Any]) -> list[dict[str, Any]] | None:
        """Return rows of a document whose paths lead to columns."""
        paths = [path for path in (self.start, self.end, self.price) if path is not None]
        columns = [at(document, path) for path in paths]
        if not all(isinstance(column, list) for column in columns):
            return None
        if len({len(column) for column in columns}) > 1:
            raise FeedFailed("the columns are of different lengths")
        return [dict(zip(paths, row, strict=True)) for row in zip(*columns, strict=True)]

    def _point(self, row: Any, times: "_Times") -> PricePoint | None:
        """Return the price of an item; None if it has none, or is another one."""
        if any(str(at(row, path)) != text for path, text in self.where.items()):
            return None
        start = times.start(at(row, self.start))
        value = at(row, self.price)
        if value is _ABSENT:
            raise LookupError(f"there is no {self.price!r}")
        if value is None or value == "":
            return None
        end = times.instant(at(row, self.end)) if self.end is not None else None
        if end is None and self.interval is not None:
            end = start + self.interval
        return PricePoint(start=start, end=end, price=self._price(value))

    def _price(self, value: object) -> Decimal:
        if isinstance(value, str) and self.decimal_comma:
            value = value.replace(".", "").replace(",", ".")
        return decimal(value.strip() if isinstance(value, str) else value)


class _Times:
    """Reads the times of the items of one document, in their order."""

    def __init__(self, shape: Shape) -> None:
        self._shape, self._zone = shape, Zone.named(shape.timezone)
        kind, _, format_ = shape.times.partition(" ")
        self._kind, self._date = kind, format_ or _DAY_FORMAT
        self._days: dict[str, int] = {}
        self._last: datetime | None = None

    def start(self, value: Any) -> datetime:
        """Return the start of the next item."""
        is_next = self._kind == "consecutive"
        self._last = self._next(str(value)) if is_next else self.instant(value)
        return self._last

    def instant(self, value: Any) -> datetime:
        """Return an instant."""
        if self._kind in ("epoch", "epoch_ms"):
            unit = 1000 if self._kind == "epoch_ms" else 1
            seconds = decimal(value) / unit
            if seconds % 1:
                raise ValueError(f"{value} is not on a whole second")
            return utc(int(seconds))
        if self._kind == "iso":
            return self._aware(_iso(str(value)))
        return self._aware(datetime.strptime(str(value), self._shape.times))

    def _next(self, day: str) -> datetime:
        """Return the start of the next slot of a day that an item names."""
        assert self._shape.interval is not None
        number = self._days.get(day, 0)
        self._days[day] = number + 1
        date = datetime.strptime(day, self._date).date()
        midnight = self._zone.datetime(self._zone.midnight(date))
        return midnight.astimezone(UTC) + number * self._shape.interval

    def _aware(self, moment: datetime) -> datetime:
        """Return a naive time in the zone; one that comes twice follows the item before."""
        if moment.tzinfo is not None:
            return moment
        naive = instant_of(moment.replace(tzinfo=UTC))
        earlier, later, absent = self._zone.instants(np.array([naive], np.int64))
        if absent[0]:
            raise ValueError(f"{moment} does not exist in {self._shape.timezone}")
        # In UTC: times of one zone are compared by their wall clock.
        first, second = (utc(int(seconds[0])) for seconds in (earlier, later))
        return second if self._last is not None and self._last >= first else first


def at(document: Any, path: str) -> Any:
    """Return what is at a path of a document; `_ABSENT` if there is no such place."""
    if not path:
        return document
    if isinstance(document, Mapping) and path in document:
        return document[path]
    for name in path.split("."):
        if isinstance(document, Mapping):
            document = document.get(name, _ABSENT)
        elif isinstance(document, list) and name.isdigit() and int(name) < len(document):
            document = document[int(name)]
        else:
            return _ABSENT
    return document


def _iso(text: str) -> datetime:
    """Return an ISO 8601 time of whole seconds."""
    moment = datetime.fromisoformat(text.strip())
    if moment.microsecond:
        raise ValueError(f"{text} is not on a whole second")
    return moment

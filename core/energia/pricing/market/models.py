"""Price series and their prices, as the API takes and gives them."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia.codes import Currency, ZoneOrOffset
from energia.convert import Id
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.structures import Rules, enforce
from energia.errors import Fault

#: The units that prices may be of; a megawatt-hour is a thousand kilowatt-hours.
PriceUnit = Literal["kWh", "MWh", "m3"]
#: The longest slot of a price: a leap year.
_LONGEST: Final = timedelta(days=366)
_SECOND: Final = timedelta(seconds=1)


def _length(interval: timedelta) -> None:
    if interval < _SECOND or interval > _LONGEST or interval % _SECOND:
        raise Unfit("wrong_interval", "a price is of whole seconds, up to 366 days")


def _whole(instant: datetime) -> None:
    if instant.microsecond:
        raise Unfit("off_grid", "the time is not on a whole second")


SlotLength = Annotated[timedelta, Meta(examples=["PT1H"]), Check(_length)]
Instant = Annotated[datetime, Check(_whole)]


@attrs.frozen(kw_only=True)
class FeedState:
    """How the feed that fills a series is doing.

    Attributes:
        name: The feed.
        succeeded_at: When it last gave what it has.
        age: Seconds since then.
        next_update: When more prices are expected.
        stale: Whether these should be known already.
        error: Why the last attempt failed; null if it did not.

    """

    name: str
    succeeded_at: datetime | None
    age: int | None
    next_update: datetime | None
    stale: bool
    error: str | None


@attrs.frozen(kw_only=True)
class NewPriceSeries:
    """What the prices of a series are.

    Attributes:
        id: The client's own.
        currency: ISO 4217.
        unit: What a price is for, unless prices say otherwise when they are sent.
        interval: How long a price lasts that does not tell its end.
        timezone: In which times are shown.
        horizon: As in answers; ignored in a request, like the next two.
        revised_at: As in answers.
        feed: As in answers.

    """

    id: Id | None = None
    currency: Currency
    unit: PriceUnit = "MWh"
    interval: SlotLength | None = None
    timezone: ZoneOrOffset = "UTC"
    horizon: datetime | None = None
    revised_at: datetime | None = None
    feed: FeedState | None = None


@attrs.frozen(kw_only=True)
class StoredSeries:
    """A price series.

    Attributes:
        id: The client's own.
        currency: ISO 4217.
        unit: What a price is for.
        interval: How long a price lasts that does not tell its end.
        timezone: In which times are shown.
        horizon: When the last price ends that is known.
        revised_at: When prices were last added or corrected.
        feed: The feed that fills it, if there is one.

    """

    __public_name__: ClassVar[str] = "PriceSeries"

    id: Id
    currency: str
    unit: PriceUnit
    interval: timedelta | None
    timezone: str
    horizon: datetime | None
    revised_at: datetime | None
    feed: FeedState | None


@attrs.frozen(kw_only=True)
class PricePoint:
    """The price of one slot.

    Attributes:
        start: When the slot starts.
        end: When it ends; without, after the series' interval.
        price: For one unit; it may be negative.

    """

    start: Instant
    end: Instant | None = None
    price: Decimal


def _columns_or_list(
    start: datetime | None,
    interval: timedelta | None,
    values: Sequence[object] | None,
    prices: Sequence[object] | None,
) -> Iterator[Fault]:
    if (values is None) == (prices is None):
        yield Fault("values_or_prices", "give either values, with a start, or prices", "/values")
    if values is not None and start is None:
        yield Fault("missing_field", "values need a start", "/start")
    if prices is not None:
        for name, value in (("start", start), ("interval", interval)):
            if value is not None:
                yield Fault("not_of_lists", "each of the prices has its own", f"/{name}")


@attrs.frozen(kw_only=True)
class PriceBatch:
    """Prices: of slots that follow one another, or one by one.

    Attributes:
        start: When the first slot of `values` starts.
        interval: The length of a slot of `values`; without, the series'.
        values: A price for each slot; null where there is none.
        prices: Prices one by one.
        unit: What a price is for; without, the series' unit (and kWh where the prices come with
            what they price).

    """

    __rules__: ClassVar[Rules] = (_columns_or_list,)

    start: Instant | None = None
    interval: SlotLength | None = None
    values: Annotated[tuple[Decimal | None, ...], Meta(min_length=1)] | None = None
    prices: Annotated[tuple[PricePoint, ...], Meta(min_length=1)] | None = None
    unit: PriceUnit | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what is neither, or both."""
        enforce(self)


@attrs.frozen
class StoredPrices:
    """The outcome of storing prices.

    Attributes:
        created: Slots that had no price before.
        corrected: Slots that have another price now, or another length.
        unchanged: Slots whose price is what it was.
        revision_at: When the revision was recorded; null if nothing changed.

    """

    __public_name__: ClassVar[str] = "PriceOutcome"

    created: int
    corrected: int
    unchanged: int
    revision_at: datetime | None


#: What comes with a request: prices of a series by its name.
InlinePrices = PriceBatch | Annotated[tuple[PricePoint, ...], Meta(min_length=1)]

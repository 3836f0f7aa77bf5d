"""`[plugins.price-feed-http.feeds.<name>]`."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar, Final

import attrs
from msgspec import Meta

from energia import Currency, Fault, Id, NewPriceSeries, PriceUnit, Rules, SecretStr, enforce
from energia.time import instant_of
from energia_plugins.price_feed_http.shape import Shape

_PLACE: Final = re.compile(r"\{(start|end|token)(?::([^{}]*))?\}")
Days = Annotated[int, Meta(ge=0, le=4000)]
Positive = Annotated[float, Meta(gt=0)]


def _places_are_known(url: str) -> Iterator[Fault]:
    if "{" in _PLACE.sub("", url) or "}" in _PLACE.sub("", url):
        message = "places are {start:<format>}, {end:<format>} and {token}"
        yield Fault("unknown_place", message, "/url")


@attrs.frozen(kw_only=True)
class HttpFeed:
    """A source of prices. Times are in seconds.

    Attributes:
        series: The series that it fills; by default the name of the feed.
        currency: Of the prices.
        unit: What a price is for.
        url: Where it is; `{start:%Y-%m-%d}` and `{end:...}` are the beginning and the end of what
            is asked for, in the zone of the shape, `{start:epoch}` seconds; `{token}` the token.
        token: A secret for the URL and the headers.
        headers: Headers; `{token}` is the token.
        shape: Where prices are in the answer.
        since: The first day to fetch, while nothing is stored.
        days_back: How many days before the horizon are fetched again: for corrections.
        days_ahead: How many days are asked for: 2 is until the end of tomorrow.
        days_per_request: How many days one request asks for at most.
        requests: How many requests are sent at once, one after another.
        publication: When the prices of the next day are published, in the zone of the shape.
        late_period: How often to ask when they should be known and are not.
        period: How often to ask without `publication`.
        timeout: For all requests of one fetch.
        body_bytes: How long an answer may be.

    """

    __rules__: ClassVar[Rules] = (_places_are_known,)

    series: Id | None = None
    currency: Currency
    unit: PriceUnit = "MWh"
    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://",
            extra={"words": "a URL that begins with http:// or https://"},
            max_length=2000,
        ),
    ] = attrs.field(repr=False)
    token: SecretStr = SecretStr("")
    headers: dict[str, SecretStr] = attrs.field(factory=dict)
    shape: Shape = attrs.Factory(Shape)
    since: date | None = None
    days_back: Days = 1
    days_ahead: Annotated[int, Meta(ge=1, le=30)] = 2
    days_per_request: Annotated[int, Meta(ge=1, le=400)] = 31
    requests: Annotated[int, Meta(ge=1, le=100)] = 12
    publication: (
        Annotated[
            str,
            Meta(
                pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
                extra={"words": "a time of day from 00:00 to 23:59"},
            ),
        ]
        | None
    ) = None
    late_period: Positive = 600.0
    period: Positive = 3600.0
    timeout: Positive = 60.0
    body_bytes: Annotated[int, Meta(ge=1)] = 4 * 1024**2

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)

    def head(self, name: str) -> NewPriceSeries:
        """Return the series that the feed called *name* fills."""
        return NewPriceSeries(
            id=self.series or name,
            currency=self.currency,
            unit=self.unit,
            interval=self.shape.interval,
            timezone=self.shape.timezone,
        )

    def address(self, start: datetime, end: datetime) -> str:
        """Return the URL that asks for the time from *start* to *end*."""
        moments = {"start": start, "end": end}

        def placed(match: re.Match[str]) -> str:
            if match[1] == "token":
                return self.token.get_secret_value()
            moment, format_ = moments[match[1]], match[2] or "%Y-%m-%d"
            if format_ in ("epoch", "epoch_ms"):
                return str(instant_of(moment) * (1000 if format_ == "epoch_ms" else 1))
            return moment.strftime(format_)

        return _PLACE.sub(placed, self.url)

    def stated_headers(self) -> Mapping[str, str]:
        """Return the headers, with the token in its places."""
        token = self.token.get_secret_value()
        return {
            name: value.get_secret_value().replace("{token}", token)
            for name, value in self.headers.items()
        }


@attrs.frozen
class Settings:
    """`[plugins.price-feed-http]`: a table for each feed, by its name."""

    feeds: dict[Id, HttpFeed] = attrs.field(factory=dict)

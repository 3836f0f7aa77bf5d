"""`[plugins.meter-http]`: where readings are, and the format in which they come."""

import re
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, ClassVar, Final

import attrs
from msgspec import Meta

from energia import Fault, Id, Rules, SecretStr, ZoneOrOffset, enforce
from energia.time import Zone, instant_of

Positive = Annotated[float, Meta(gt=0)]
_PLACE: Final = re.compile(r"\{(start|end|token)(?::([^{}]*))?\}")


def _places_are_known(url: str) -> Iterator[Fault]:
    rest = _PLACE.sub("", url)
    if "{" in rest or "}" in rest:
        message = "places are {start:<format>}, {end:<format>} and {token}"
        yield Fault("unknown_place", message, "/url")


@attrs.frozen(kw_only=True)
class Fetch:
    """Readings of a web service. Times are in seconds.

    Attributes:
        url: Where they are; `{start:%Y-%m-%d}` and `{end:...}` are the ends of the time that is
            asked for, in `timezone`, `{start:epoch}` seconds; `{token}` the token.
        token: A secret for the URL and the headers.
        headers: Headers; `{token}` is the token.
        username: With it the service is told a name and a password, as browsers do.
        password: The password.
        format: The format of the answer: a name of `GET /v1/formats`.
        options: The options of the format, and `meter`, `channel` and `mapping`.
        days_back: How many days are fetched each time: what is published late, or corrected.
        timezone: The zone of the ends in the URL.
        next: The path in the answer to the address of its next page.
        pages: How many pages one fetch has at most.
        period: How often it is fetched.
        timeout: For one request.
        body_bytes: How long an answer may be.

    """

    __rules__: ClassVar[Rules] = (_places_are_known,)

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
    username: SecretStr = SecretStr("")
    password: SecretStr = SecretStr("")
    format: Annotated[str, Meta(min_length=1, max_length=64)]
    options: dict[str, str] = attrs.field(factory=dict)
    days_back: Annotated[float, Meta(gt=0, le=4000)] = 10.0
    timezone: ZoneOrOffset = "UTC"
    next: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    pages: Annotated[int, Meta(ge=1, le=1000)] = 100
    period: Annotated[float, Meta(ge=10)] = 21_600.0
    timeout: Positive = 60.0
    body_bytes: Annotated[int, Meta(ge=1)] = 16 * 1024**2

    def __attrs_post_init__(self) -> None:
        """Refuse a URL with unknown places."""
        enforce(self)

    def address(self, start: datetime, end: datetime) -> str:
        """Return the URL that asks for the time from *start* to *end*."""
        zone, moments = Zone.named(self.timezone), {"start": start, "end": end}

        def placed(match: re.Match[str]) -> str:
            if match[1] == "token":
                return self.token.get_secret_value()
            instant, format_ = instant_of(moments[match[1]]), match[2] or "%Y-%m-%d"
            if format_ in ("epoch", "epoch_ms"):
                return str(instant * (1000 if format_ == "epoch_ms" else 1))
            return zone.datetime(instant).strftime(format_)

        return _PLACE.sub(placed, self.url)

    def stated_headers(self) -> Mapping[str, str]:
        """Return the headers, with the token in its places, and with who asks."""
        token = self.token.get_secret_value()
        stated = {
            name: value.get_secret_value().replace("{token}", token)
            for name, value in self.headers.items()
        }
        if self.username:
            pair = f"{self.username.get_secret_value()}:{self.password.get_secret_value()}"
            stated["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
        return stated


@attrs.frozen(kw_only=True)
class Settings:
    """What is fetched.

    Attributes:
        organization: The key of the organization that the meters are of.
        fetches: What is fetched, by names of your own; each is a source, `http-<name>`.

    """

    organization: Annotated[int, Meta(ge=1)] = 1
    fetches: dict[Id, Fetch] = attrs.field(factory=dict)

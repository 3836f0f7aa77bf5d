"""Webhooks, and what was sent to them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal

import attrs
from msgspec import Meta
from yarl import URL

from energia.convert import parse, structure
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit

Status = Literal["waiting", "delivered", "given_up"]
#: What a webhook may be told of.
EventType = Literal[
    "readings.imported",
    "gap.opened",
    "price.stale",
    "contract.ending",
    "bill.issued",
    "bill.affected",
]


def _has_host(url: str) -> None:
    """Refuse what cannot be asked, before it is tried for days."""
    try:
        host = URL(url).host
    except ValueError:
        host = None
    if not host:
        raise Unfit("wrong_url", "this is no URL of http or https with a host")


@attrs.frozen
class NewWebhook:
    """A webhook as a client states it.

    Attributes:
        url: The receiver.
        events: What it is told of.
        description: What it is for, for people.
        active: Whether it is told of anything.

    """

    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s/]+\S*$",
            extra={"words": "a URL of http or https, such as https://erp.example/energia"},
            max_length=2000,
            examples=["https://erp.example/energia"],
        ),
        Check(_has_host),
    ]
    events: Annotated[tuple[EventType, ...], Meta(min_length=1, max_length=20)]
    description: Annotated[str, Meta(max_length=500)] | None = None
    active: bool = True


def _tuple(column: Sequence[Any]) -> tuple[Any, ...]:
    return tuple(column)


@attrs.frozen
class Webhook:
    """A webhook, without its secret.

    Attributes:
        id: Its id.
        url: The receiver.
        events: What it is told of.
        description: What it is for, for people.
        active: Whether it is told of anything.
        problem: Why it was switched off by itself.
        created: When it was made.
        succeeded: When its receiver last took something.
        failures: How often in a row its receiver has taken nothing.
        quiet_until: Until when its receiver is left alone.
        waiting: How many deliveries wait.

    """

    id: str
    url: str
    events: tuple[EventType, ...] = attrs.field(converter=_tuple)
    description: str | None
    active: bool
    problem: str | None
    created: datetime
    succeeded: datetime | None
    failures: int
    quiet_until: datetime | None
    waiting: int


@attrs.frozen
class WholeWebhook:
    """A webhook with its secret, which is shown this once.

    Attributes:
        secret: What signs all that is sent: `whsec_` and base64.
        webhook: All else that is known of it.

    """

    secret: str
    webhook: Webhook


@attrs.frozen
class Try:
    """What became of one try.

    Attributes:
        at: When it began.
        status: The status that was answered; null for no answer.
        error: Why it was not taken; null if it was.
        seconds: How long it took.

    """

    __public_name__: ClassVar[str] = "DeliveryTry"

    at: datetime
    status: int | None
    error: str | None
    seconds: float


def _outcomes(column: Sequence[object]) -> tuple[Try, ...]:
    return structure(column, tuple[Try, ...])


def _parsed(column: str) -> object:
    return parse(column.encode())


@attrs.frozen
class Delivery:
    """An event on its way to one receiver.

    Attributes:
        id: The id of the event, which is the header `webhook-id` at every try.
        type: What happened.
        status: Whether it waits for its next try, was delivered, or was given up.
        created: When it happened.
        tries: How often it was tried.
        next_try: When it is tried next.
        outcomes: What became of the last fifty tries, the last one last.
        body: What is sent.

    """

    __public_name__: ClassVar[str] = "WebhookDelivery"

    id: str
    type: str
    status: Status
    created: datetime
    tries: int
    next_try: datetime | None
    outcomes: tuple[Try, ...] = attrs.field(converter=_outcomes)
    body: object = attrs.field(converter=_parsed)

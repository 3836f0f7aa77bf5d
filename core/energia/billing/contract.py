"""Contracts, as the API takes and gives them."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Any, ClassVar

import attrs
from msgspec import Meta

from energia.convert import Id
from energia.convert.rules import Rules, enforce
from energia.errors import Fault
from energia.pricing.charges import Role

Ids = Annotated[tuple[Id, ...], Meta(min_length=1, max_length=100)]
#: What the charges of a tariff ask for by name: any JSON.
Parameters = Annotated[dict[str, Any], Meta(max_length=100)]


def lasts(start: date, end: date | None) -> Iterator[Fault]:
    """Yield the fault of a period without a day."""
    if end is not None and end <= start:
        yield Fault("empty_window", "the end must be after the start", "/end")


@attrs.frozen(kw_only=True)
class NewContract:
    """Which tariff a meter is on, from one day of its site's zone to another.

    Attributes:
        id: The client's own id; made by the server without one.
        meter: The meter.
        tariff: The tariff.
        start: The first day.
        end: The day after the last one; without it, the contract goes on.
        parameters: Values for the parameters that charges of the tariff ask for.
        channels: Which of the meter's channels are summed for a role, where it has several.

    """

    __rules__: ClassVar[Rules] = (lasts,)

    id: Id | None = None
    meter: Id
    tariff: Id
    start: date
    end: date | None = None
    parameters: Parameters = attrs.field(factory=dict)
    channels: dict[Role, Ids] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Refuse a contract that ends before it starts."""
        enforce(self)


@attrs.frozen(kw_only=True)
class Contract:
    """A contract that is stored."""

    id: Id
    meter: Id
    tariff: Id
    start: date
    end: date | None = None
    parameters: dict[str, Any]
    channels: dict[Role, tuple[str, ...]]


@attrs.frozen(kw_only=True)
class ContractState:
    """What the charges of a contract remember for the next bill.

    Attributes:
        contract: The contract.
        as_of: The end of the bill that they remember it from; null before the first.
        bill: That bill: the newest that is issued.
        state: What each charge remembers, by its code.

    """

    contract: str
    as_of: date | None
    bill: str | None
    state: dict[str, dict[str, Any]]

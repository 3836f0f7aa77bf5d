"""A run over many contracts, as the API takes and answers it."""

from collections.abc import Iterator
from datetime import date
from typing import Annotated, ClassVar

import attrs
from msgspec import Meta

from energia.convert import Id
from energia.convert.rules import Rules, enforce
from energia.errors import Fault


def _ends_later(start: date, end: date) -> Iterator[Fault]:
    if end <= start:
        yield Fault("empty_window", "the end must be after the start", "/end")


@attrs.frozen(kw_only=True)
class Run:
    """A period to bill.

    Attributes:
        start: The first day, of each site's zone.
        end: The day after the last one.
        contracts: Whose; without, every contract in force in part of the period, for that part.
        issue: Whether to issue the bills too.

    """

    __rules__: ClassVar[Rules] = (_ends_later,)

    start: date
    end: date
    contracts: Annotated[tuple[Id, ...], Meta(max_length=100_000)] | None = None
    issue: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse an empty period."""
        enforce(self)


@attrs.frozen(kw_only=True)
class Failure:
    """A contract that could not be billed.

    Attributes:
        contract: The contract.
        code: Why.
        message: Why, for a person.
        errors: All that is wrong.

    """

    contract: str
    code: str
    message: str
    errors: tuple[Fault, ...] = ()


@attrs.define(kw_only=True)
class RunOutcome:
    """What became of a run.

    Attributes:
        created: Drafts that were made.
        updated: Drafts that are different now.
        unchanged: Bills that were issued already, and drafts that are as they were.
        issued: How many of all these were issued by this run.
        failures: How many contracts could not be billed.
        failed: The first of them, and why.

    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    issued: int = 0
    failures: int = 0
    failed: list[Failure] = attrs.Factory(list)

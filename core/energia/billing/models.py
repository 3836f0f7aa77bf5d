"""Contracts, their bills and runs over many of them, as the API takes and gives them."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, Literal

import attrs
from msgspec import Meta

from energia.convert import Id
from energia.convert.structures import Rules, enforce
from energia.costing.subject import ChannelIds, DatedChannel
from energia.errors import Fault
from energia.metering.usage import Coverage
from energia.pricing.charges import Role
from energia.pricing.engine import CostLine
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Parameters
from energia.pricing.usage import Missing


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
        channels: Which of the meter's channels are summed for a role, where it has several; each
            by its id, or with the days on which it counts.

    """

    __rules__: ClassVar[Rules] = (lasts,)

    id: Id | None = None
    meter: Id
    tariff: Id
    start: date
    end: date | None = None
    parameters: Parameters = attrs.field(factory=dict)
    channels: dict[Role, ChannelIds] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Refuse a contract that ends before it starts."""
        enforce(self)


@attrs.frozen(kw_only=True)
class Contract:
    """A contract that is stored.

    Attributes:
        id: The client's own id, or one that the server made.
        meter: The meter.
        tariff: The tariff.
        start: The first day.
        end: The day after the last one; without it, the contract goes on.
        parameters: Values for the parameters that charges of the tariff ask for.
        channels: Which of the meter's channels are summed for a role.

    """

    id: Id
    meter: Id
    tariff: Id
    start: date
    end: date | None = None
    parameters: dict[str, Any]
    channels: dict[Role, tuple[str | DatedChannel, ...]]


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


# Bills, as the API takes and gives them.

#: What charges remember, by their codes.
States = Annotated[dict[str, dict[str, Any]], Meta(max_length=200)]
Status = Literal["draft", "issued", "corrected"]


def _contract_or_corrects(contract: str | None, corrects: str | None) -> Iterator[Fault]:
    if (contract is None) == (corrects is None):
        yield Fault("contract_or_corrects", "give either contract or corrects", "/contract")


def _needs_window(contract: str | None, start: date | None, end: date | None) -> Iterator[Fault]:
    if contract is not None:
        for name, day in (("start", start), ("end", end)):
            if day is None:
                yield Fault("missing_field", "a bill of a contract needs a period", f"/{name}")


def _needs_no_window(
    corrects: str | None, start: date | None, end: date | None, state: object
) -> Iterator[Fault]:
    if corrects is not None:
        for name, value in (("start", start), ("end", end), ("state", state)):
            if value is not None:
                yield Fault("not_of_corrections", "a correction has that of its bill", f"/{name}")


def _ends_later(start: date | None, end: date | None) -> Iterator[Fault]:
    return lasts(start, end) if start is not None else iter(())


@attrs.frozen(kw_only=True)
class NewBill:
    """What is billed: a contract and a period, or an issued bill that is corrected.

    Attributes:
        id: The client's own id of the draft; made by the server without one.
        contract: The contract.
        start: The first day, of the site's zone.
        end: The day after the last one.
        corrects: An issued bill, to be made again from what is stored now.
        state: What the charges remember from before the contract's first bill, by their codes.
        missing: Whether missing readings are refused, or how they are filled in; without it, a
            correction treats them as its bill did, and others are refused.

    """

    __rules__: ClassVar[Rules] = (
        _contract_or_corrects,
        _needs_window,
        _needs_no_window,
        _ends_later,
    )

    id: Id | None = None
    contract: Id | None = None
    start: date | None = None
    end: date | None = None
    corrects: Id | None = None
    state: States | None = None
    missing: Missing | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)


@attrs.frozen(kw_only=True)
class ChannelRead:
    """A channel that was read.

    Attributes:
        role: What the tariff charges it as.
        channel: The id of the channel.
        revision_at: When the newest revision that was seen was recorded; null without readings.

    """

    __public_name__: ClassVar[str] = "ChannelRevision"

    role: str
    channel: str
    revision_at: datetime | None


@attrs.frozen(kw_only=True)
class SeriesRead:
    """A price series that was read.

    Attributes:
        series: The id of the series.
        revision_at: When the newest revision of a price was recorded that was seen.

    """

    __public_name__: ClassVar[str] = "PriceSeriesRevision"

    series: str
    revision_at: datetime | None


@attrs.frozen(kw_only=True)
class BillInputs:
    """What a bill was made from.

    Attributes:
        tariff: The tariff.
        version: When the version became valid that was in force (at first).
        versions: Where several were in force: when each of them became valid.
        energia: The version of the service.
        plugins: The plugins that offer the charges, with their versions.
        readings: The channels that were read.
        prices: The price series that were read.
        missing: How missing readings were treated.

    """

    tariff: str
    version: date
    versions: tuple[date, ...] | None = None
    energia: str
    plugins: dict[str, str | None]
    readings: tuple[ChannelRead, ...]
    prices: tuple[SeriesRead, ...] = ()
    missing: Missing


@attrs.frozen(kw_only=True)
class Trouble:
    """Why a bill cannot be made.

    Attributes:
        code: A stable name of the reason.
        message: What is wrong, for a person.
        errors: All that is wrong, each with its place.

    """

    __public_name__: ClassVar[str] = "BillProblem"

    code: str
    message: str
    errors: tuple[Fault, ...] = ()


@attrs.frozen(kw_only=True)
class Impact:
    """What an issued bill would be if it were made now, once those before it are corrected.

    Attributes:
        reasons: What has changed since: `readings`, `prices`, `tariff`, `contract`, `parameters`,
            `prior_state`; or `days`: it counted days of the tariff's zone, not of the site's.
        total: The total now.
        difference: That less the total of the bill.
        problem: Why it could not be made now.

    """

    __public_name__: ClassVar[str] = "BillImpact"

    reasons: tuple[
        Literal["readings", "prices", "tariff", "contract", "parameters", "prior_state", "days"],
        ...,
    ]
    total: str | None = None
    difference: str | None = None
    problem: Trouble | None = None


@attrs.frozen(kw_only=True)
class Bill:
    """A contract's period, priced; it never changes once it is issued.

    Attributes:
        id: The client's own, or made by the server.
        contract: The contract.
        meter: Its meter.
        tariff: Its tariff.
        start: The first day, of the site's zone.
        end: The day after the last one.
        timezone: The site's zone.
        status: `corrected` is an issued bill that another one has taken the place of.
        corrects: The bill in whose place this one is, or will be once it is issued.
        corrected_by: The bill that is in the place of this one.
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        difference: A correction's total less that of the bill that it corrects.
        lines: What the charges charge.
        coverage: What the readings are.
        assumptions: What was taken for granted.
        parameters: The contract's parameters.
        prior_state: What the charges remembered from the bill before, by their codes.
        state: What they remember for the next.
        inputs: What the bill was made from.
        created_at: When the draft was made.
        priced_at: When it was priced last.
        issued_at: When it was issued.
        readings_deleted: Whether readings that it was made from were deleted, as a law asks.
        impact: With `affected=true`: what has changed since.

    """

    id: str
    contract: str
    meter: str
    tariff: str
    start: date
    end: date
    timezone: str
    status: Status
    corrects: str | None = None
    corrected_by: str | None = None
    currency: str
    total: str
    difference: str | None = None
    lines: tuple[CostLine, ...]
    coverage: Coverage
    assumptions: tuple[Assumption, ...]
    parameters: Mapping[str, Any]
    prior_state: Mapping[str, Mapping[str, Any]]
    state: Mapping[str, Mapping[str, Any]]
    inputs: BillInputs
    created_at: datetime
    priced_at: datetime
    issued_at: datetime | None = None
    readings_deleted: bool = False
    impact: Impact | None = None


# A run over many contracts, as the API takes and answers it.


def _run_ends_later(start: date, end: date) -> Iterator[Fault]:
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

    __public_name__: ClassVar[str] = "BillRun"

    __rules__: ClassVar[Rules] = (_run_ends_later,)

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

    __public_name__: ClassVar[str] = "BillFailure"

    contract: str
    code: str
    message: str
    errors: tuple[Fault, ...] = ()


@attrs.define(kw_only=True)
class RunOutcome:
    """The outcome of a run.

    Attributes:
        created: Drafts that were made.
        updated: Drafts that are different now.
        unchanged: Bills that were issued already, and drafts that are as they were.
        issued: How many of all these were issued by this run.
        failures: How many contracts could not be billed.
        failed: The first of them, and why.

    """

    __public_name__: ClassVar[str] = "BillRunOutcome"

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    issued: int = 0
    failures: int = 0
    failed: list[Failure] = attrs.Factory(list)


# What observers of bills are told.


@attrs.frozen(kw_only=True)
class BillIssued:
    """A bill was issued.

    Attributes:
        bill: The id of the bill.
        contract: The id of its contract.
        meter: The id of its meter.
        tariff: The id of its tariff.
        start: The first day of its period, of the site's zone.
        end: The day after the last one.
        currency: ISO 4217.
        total: What is to be paid.
        corrects: The bill that this one takes the place of.
        issued_at: When it was issued.

    """

    bill: str
    contract: str
    meter: str
    tariff: str
    start: date
    end: date
    currency: str
    total: str
    corrects: str | None
    issued_at: datetime

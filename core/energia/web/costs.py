"""Costs as the API takes and gives them."""

from datetime import date, datetime
from typing import Annotated, Any

import attrs
from msgspec import Meta

from energia.billing.models import States
from energia.convert import Id
from energia.metering.usage import Coverage
from energia.pricing.compare import Ranked
from energia.pricing.engine import CostLine
from energia.pricing.slots import Assumption
from energia.pricing.tariffs import Tariff
from energia.web.subject import Subject


@attrs.frozen(kw_only=True)
class CostRequest(Subject):
    """Usage to price, and the tariff: the id of a stored one, or a document.

    Attributes:
        tariff: The tariff.
        state: What the charges remember from before, by their codes.

    """

    tariff: Id | Tariff
    state: States = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ComparisonRequest(Subject):
    """Usage to price under several tariffs: ids of stored ones, or documents."""

    tariffs: Annotated[tuple[Id | Tariff, ...], Meta(min_length=1, max_length=100)]


@attrs.frozen(kw_only=True)
class Inputs:
    """What a cost was computed from.

    Attributes:
        tariff: The id of the tariff, if it has one.
        version: When the version became valid that was in force (at first).
        versions: Where several were in force: when each of them became valid.
        plugins: The plugins that offer its charges, with their versions.
        readings_revision_at: When the newest revision of the stored readings was recorded.
        prices_revision_at: The same of the stored price series, by name.

    """

    tariff: str | None = None
    version: date
    versions: tuple[date, ...] | None = None
    plugins: dict[str, str | None]
    readings_revision_at: datetime | None = None
    prices_revision_at: dict[str, datetime] | None = None


@attrs.frozen
class CostGroup:
    """One bill period of a cost.

    Attributes:
        start: When it starts.
        end: When it ends.
        version: When the version of the tariff became valid that was in force (at first).
        total: The sum of its lines' amounts.
        lines: What the charges charge.
        assumptions: What was taken for granted.
        versions: Where several were in force: when each of them became valid.

    """

    start: datetime
    end: datetime
    version: date
    total: str
    lines: tuple[CostLine, ...]
    assumptions: tuple[Assumption, ...]
    versions: tuple[date, ...] | None = None


@attrs.frozen(kw_only=True)
class CostAnswer:
    """What usage costs; the lines' amounts sum to the total.

    Attributes:
        currency: ISO 4217.
        total: The sum of the lines' amounts.
        start: When the window starts.
        end: When it ends.
        lines: What the charges charge; with `group`, the lines of each code are added up.
        coverage: What the readings are.
        assumptions: What was taken for granted.
        state: What each charge remembers for the next bill, by its code.
        inputs: What the cost was computed from.
        groups: With `group`: each bill period.

    """

    currency: str
    total: str
    start: datetime
    end: datetime
    lines: tuple[CostLine, ...]
    coverage: Coverage
    assumptions: tuple[Assumption, ...]
    state: dict[str, dict[str, Any]]
    inputs: Inputs
    groups: tuple[CostGroup, ...] | None = None


@attrs.frozen
class Comparison:
    """What the usage costs under each tariff, the cheapest first."""

    currency: str
    start: datetime
    end: datetime
    ranking: tuple[Ranked, ...]
    coverage: Coverage

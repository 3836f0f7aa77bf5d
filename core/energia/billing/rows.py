"""A bill as a row of the database, and back."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any, ClassVar, Final, Protocol, Self

import attrs

import energia
from energia.billing.contracts import ZonedContract, channels_of_json
from energia.billing.models import Bill, BillInputs, ChannelRead, SeriesRead, Status
from energia.billing.periods import VOID, BillCost, BillPeriod
from energia.convert import Converter, plain_text, unstructure
from energia.costing.inputs import RoleChannel
from energia.costing.subject import DatedChannel
from energia.errors import Invalid
from energia.metering.models import Channel
from energia.plugins import Plugins
from energia.pricing.cost import CostLine, CostPart
from energia.pricing.exact import difference, exact_text, fraction
from energia.pricing.market import store as market
from energia.pricing.market.store import PriceSpan
from energia.pricing.segments import several
from energia.pricing.usage import Missing
from energia.time import EPOCH, Zone, instant_of


@attrs.frozen(kw_only=True)
class NewRow:
    """A bill that was priced, under its id.

    Attributes:
        id: The bill.
        corrects: The bill that it corrects.
        priced: What it costs.

    """

    id: str
    corrects: str | None
    priced: BillCost


@attrs.frozen
class Row:
    """A bill that is stored, in the order of the columns of `bill_get`."""

    id: str
    contract: str
    meter: str
    tariff: str
    start: date
    end: date
    status: Status
    corrects: str | None
    corrected_by: str | None
    corrected_total: str | None
    document: dict[str, Any]
    basis: dict[str, Any]
    parameters: dict[str, Any]
    prior_state: dict[str, Any]
    state: dict[str, Any]
    version: date
    channels: list[int]
    revisions: list[datetime | None]
    created_at: datetime
    priced_at: datetime
    issued_at: datetime | None
    price_series: list[str] | None
    price_revisions: list[datetime | None] | None
    tariff_superseded: int | None
    contract_superseded: int | None
    deleted_before: datetime | None = None

    #: What two pricings of one draft must agree on to be the same bill.
    _SHOWN: ClassVar = ("total", "lines", "assumptions", "coverage")

    @property
    def versions(self) -> tuple[date, ...]:
        """When the versions of the tariff became valid that were in force, in order."""
        several = self.document["inputs"].get("versions")
        return tuple(map(date.fromisoformat, several)) if several else (self.version,)

    @property
    def missing(self) -> Missing:
        """How missing readings were treated."""
        missing: Missing = self.document["inputs"]["missing"]
        return missing

    @property
    def is_void(self) -> bool:
        """Whether it charges nothing, as its contract was not in force in the period."""
        return any(item["code"] == VOID.code for item in self.document["assumptions"])

    @property
    def readings_deleted(self) -> bool:
        """Whether readings that it was made from were deleted, as a law asks."""
        if self.deleted_before is None:
            return False
        zone = Zone.named(self.document["timezone"])
        return zone.midnight(self.start) < instant_of(self.deleted_before)

    def correction(self, zoned: ZonedContract) -> BillPeriod:
        """Return the bill's period, to be priced anew by its contract as it is now.

        The terms are the bill's own. Missing readings are treated as the bill did. Where its
        contract still has the same meter and names the same channels, roles for which it names none
        are read from those that the bill read: a meter that got another one since is not ambiguous.
        """
        contract, read = zoned.contract, dict[str, list[str]]()
        named, billed = (
            {role: tuple(channels) for role, channels in by_role.items()}
            for by_role in (contract.channels, channels_of_json(self.basis["channels"]))
        )
        if (contract.meter, named) == (self.meter, billed):
            for reading in self.document["inputs"]["readings"]:
                read.setdefault(reading["role"], []).append(reading["channel"])
        days, state = (self.start, self.end), self.prior_state
        period = BillPeriod(contract, zoned.timezone, *days, state, self.missing)
        return attrs.evolve(period, corrects=True, channels=read)

    def role_channel(self, role: str, channel: Channel) -> RoleChannel:
        """Return a channel that was billed for a role, with the days on which it counted."""
        for entry in channels_of_json(self.basis["channels"]).get(role, ()):
            if isinstance(entry, DatedChannel) and entry.channel == channel.id:
                return RoleChannel(role, channel, entry.start, entry.end)
        return RoleChannel(role, channel)

    def days_in(self, timezone: str) -> Zone:
        """Return the zone whose days the bill counts: the site's.

        Bills that were made before that was so count days of the zone of their tariff, *timezone*.
        """
        return Zone.named(self.basis.get("days", timezone))

    def price_spans(self, window: tuple[int, int]) -> list[PriceSpan]:
        """Return the price series that the bill read in *window*, each as it was known then."""
        names, revisions = self.price_series or (), self.price_revisions or ()
        return [
            PriceSpan(name, *window, revision_at)
            for name, revision_at in zip(names, revisions, strict=True)
        ]

    def shows(self, document: Mapping[str, Any]) -> bool:
        """Tell whether *document* says the same of what is to be paid."""
        return all(self.document[name] == document[name] for name in self._SHOWN)


def columns(rows: Sequence[NewRow], plugins: Plugins, converter: Converter) -> dict[str, object]:
    """Return the parameters of `bill_put`, but for the time: an array for each column."""
    dumped = [_texts(row, plugins, converter) for row in rows]
    contracts = [row.priced.period.contract for row in rows]
    return {
        "id": [row.id for row in rows],
        "contract": [contract.id for contract in contracts],
        "start": [row.priced.period.start for row in rows],
        "end": [row.priced.period.end for row in rows],
        "corrects": [row.corrects for row in rows],
        "meter": [contract.meter for contract in contracts],
        "tariff": [contract.tariff for contract in contracts],
        "version": [row.priced.versions[0].valid_from for row in rows],
        "last_version": [_last_version(row.priced) for row in rows],
        **{name: [texts[name] for texts in dumped] for name in dumped[0]},
    }


def _texts(row: NewRow, plugins: Plugins, converter: Converter) -> dict[str, str]:
    priced = row.priced
    values = {
        "parameters": priced.period.contract.parameters,
        "prior_state": priced.period.prior_state,
        "state": priced.cost.state,
    }
    inputs = priced.inputs
    keys = ",".join(str(each.channel.key) for each in inputs.plan.channels)
    revisions = ",".join(_time(reading.revision_at) for reading in inputs.readings)
    series, pins = market.pins(inputs.prices)
    return {
        **{name: _json(value, converter) for name, value in values.items()},
        "document": plain_text(document(priced, plugins)).decode(),
        "basis": plain_text(_basis(priced, converter)).decode(),
        "channels": f"{{{keys}}}",
        "revisions": f"{{{revisions}}}",
        "price_series": f"{{{','.join(map(_quoted, series))}}}",
        "price_revisions": f"{{{','.join(map(_time, pins))}}}",
    }


def _json(value: Mapping[str, object], converter: Converter) -> str:
    return converter.dumps(value).decode() if value else "{}"  # most remember nothing


def document(priced: BillCost, plugins: Plugins) -> dict[str, object]:
    """Return what the API shows of a bill, but for what has columns of its own, as JSON has it."""
    cost, inputs = priced.cost, priced.inputs
    readings = tuple(
        ChannelRead(role=each.role, channel=each.channel.id, revision_at=reading.revision_at)
        for each, reading in zip(inputs.plan.channels, inputs.readings, strict=True)
    )
    prices = tuple(
        SeriesRead(series=name, revision_at=series.revision_at)
        for name, series in inputs.prices.items()
    )
    shared = _shared_inputs(
        priced.period.contract.tariff,
        tuple(version.valid_from for version in priced.versions),
        tuple(charge.kind for version in priced.versions for charge in version.charges),
        priced.period.missing,
        plugins,
        energia.__version__,
    )
    return {
        "timezone": priced.period.timezone,
        "currency": cost.currency,
        "total": cost.total,
        "lines": [line_of_json(line) for line in cost.lines],
        "coverage": unstructure(priced.coverage),
        "assumptions": unstructure(cost.assumptions),
        "inputs": {**shared, "readings": unstructure(readings), "prices": unstructure(prices)},
    }


@lru_cache(maxsize=64)
def _shared_inputs(  # noqa: PLR0913, PLR0917 - what it is kept by
    tariff: str,
    versions: tuple[date, ...],
    kinds: tuple[str, ...],
    missing: Missing,
    plugins: Plugins,
    energia_version: str,
) -> Mapping[str, object]:
    """Return the `BillInputs` of bills of one tariff, as JSON has them, but for what was read."""
    providers = [plugins.charge_provider(kind) for kind in kinds]
    inputs = BillInputs(
        tariff=tariff,
        version=versions[0],
        versions=several(versions),
        energia=energia_version,
        plugins={provider.name: provider.version for provider in providers},
        readings=(),
        missing=missing,
    )
    shared: Mapping[str, object] = unstructure(inputs)
    return shared


#: The names of the fields of a line, and what returns the values of all of them.
_NAMES: Final = tuple(field.name for field in attrs.fields(CostLine))
_VALUES: Final = attrgetter(*_NAMES)


def line_of_json(line: CostLine) -> dict[str, object]:
    """Return a line as `unstructure` does, in half of the time."""
    pairs = zip(_NAMES, _VALUES(line), strict=True)
    found = {name: value for name, value in pairs if value is not None}
    if line.version is not None:
        found["version"] = line.version.isoformat()
    return found


def _basis(priced: BillCost, converter: Converter) -> dict[str, Any]:
    """Return what an explanation needs, besides what the API shows, as JSON has it."""
    measured, channels = [_measured(p) for p in priced.cost.parts], priced.period.contract.channels
    return {
        **({"parts": measured} if len(measured) > 1 else {"measured": measured[0]}),
        "details": [
            {
                "charge": detail.charge,
                "replaced_by": list(detail.replaced_by),
                "rate_steps": list(detail.rate_steps),
                "steps": [
                    {
                        "description": step.description,
                        "expression": step.expression,
                        "value": exact_text(fraction(step.value)),
                    }
                    for step in detail.steps
                ],
                "part": detail.part,
                "rule": detail.rule,
            }
            for detail in priced.cost.details
        ],
        "channels": converter.unstructure(channels) if channels else {},
        "days": priced.inputs.plan.tariff.zone.name,
    }


def _measured(part: CostPart) -> dict[str, dict[str, dict[str, int]]]:
    return {
        charge: {name: dict(values) for name, values in of_charge.items()}
        for charge, of_charge in part.measured.items()
    }


def _last_version(priced: BillCost) -> date | None:
    """Return when the last of several versions became valid."""
    return priced.versions[-1].valid_from if len(priced.versions) > 1 else None


def bill(row: Row, converter: Converter) -> Bill:
    """Return a stored bill as the API shows it."""
    corrected = row.corrected_total
    shown = {
        **row.document,
        "id": row.id,
        "contract": row.contract,
        "meter": row.meter,
        "tariff": row.tariff,
        "start": row.start.isoformat(),
        "end": row.end.isoformat(),
        "status": row.status,
        "corrects": row.corrects,
        "corrected_by": row.corrected_by,
        "difference": None if corrected is None else difference(row.document["total"], corrected),
        "parameters": row.parameters,
        "prior_state": row.prior_state,
        "state": row.state,
        "readings_deleted": row.readings_deleted,
    }
    present = {name: value for name, value in shown.items() if value is not None}
    times = {
        name: None if moment is None else moment.isoformat()
        for name, moment in (
            ("created_at", row.created_at),
            ("priced_at", row.priced_at),
            ("issued_at", row.issued_at),
        )
    }
    return converter.structure(present | {k: v for k, v in times.items() if v}, Bill)


def _quoted(name: str) -> str:
    return f'"{name}"'


def _time(moment: datetime | None) -> str:
    return "NULL" if moment is None else f'"{moment.isoformat()}"'


# Where a bill stands in the list of bills, as text: it says so even when the bill is gone.

_MICROSECOND: Final = timedelta(microseconds=1)


class Listed(Protocol):
    """What the list of bills is sorted by."""

    @property
    def created_at(self) -> datetime:
        """When the bill was made."""
        ...

    @property
    def id(self) -> str:
        """The bill."""
        ...


@attrs.frozen
class ListPlace:
    """A place in the list of bills.

    Attributes:
        created_at: When the bill was made.
        id: The bill.

    """

    created_at: datetime
    id: str

    @classmethod
    def of(cls, bill: Listed) -> Self:
        """Return the place of a bill."""
        return cls(bill.created_at, bill.id)

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the place that *text* names; raises `Invalid`."""
        microseconds, _, id_ = text.partition("-")
        try:
            place = cls(EPOCH + int(microseconds) * _MICROSECOND, id_)
            if not id_ or str(place) != text:
                raise ValueError
            return place
        except (ValueError, OverflowError):
            message = "this is not the `next` of a page of bills"
            raise Invalid.of("wrong_cursor", message, "/query/cursor") from None

    def __str__(self) -> str:
        """Return its text: microseconds since 1970-01-01T00:00Z, and the id."""
        return f"{(self.created_at - EPOCH) // _MICROSECOND}-{self.id}"

"""Where the lines of a stored bill come from, by the readings that it was made from."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import attrs

from energia.billing.bills import Bills, outdated
from energia.billing.contracts import Contracts, zoned_contracts
from energia.billing.models import Bill, BillInputs
from energia.billing.periods import BillPeriod, without_charges
from energia.billing.rows import Row
from energia.billing.superseded import (
    Kind,
    Superseded,
    chained,
    superseded_since,
    tariffs_then,
)
from energia.convert import Converter
from energia.costing.inputs import Plan, RoleChannel, read_pinned
from energia.db.tenant import Queries
from energia.errors import Conflict, EnergiaError, Invalid
from energia.metering import registry
from energia.pricing.charges import code_of
from energia.pricing.engine import CostLine, CostPart, Detail
from energia.pricing.explain import Charged, ExplainedLine, explain, explain_kept
from energia.pricing.lines import Step
from energia.pricing.segments import segments
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, Version
from energia.time import Zone
from energia.work import off_loop


@attrs.frozen
class ExplainedVersion:
    """The charges of one version of the tariff.

    Attributes:
        valid_from: The first day of the version.
        charges: Its charges as the tariff states them, by their codes.

    """

    valid_from: date
    charges: Mapping[str, Mapping[str, Any]]


@attrs.frozen(kw_only=True)
class ExplainedCorrection:
    """A correction of a tariff or a contract that the bill is from before, or makes good.

    Attributes:
        of: What was corrected.
        id: Which.
        number: Counts its corrections.
        corrected_at: When.
        reason: Why.
        before: What it said: of a tariff the versions in force in the bill's period.
        after: What came in its place.

    """

    of: Kind
    id: str
    number: int
    corrected_at: datetime
    reason: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@attrs.frozen(kw_only=True)
class Explanation:
    """Where the lines of a bill come from.

    Attributes:
        bill: The bill.
        contract: Its contract.
        start: The first day of its period.
        end: The day after the last one.
        timezone: The zone of these days.
        currency: ISO 4217.
        total: What is to be paid.
        inputs: What the bill was made from: tariff, plugins, and the readings' revisions.
        parameters: The contract's parameters.
        prior_state: What the charges remembered from the bill before.
        state: What they remember for the next.
        assumptions: What was taken for granted.
        corrections: How its tariff and contract were corrected, since it was issued or since the
            bill was that it corrects: old and new.
        charges: The charges as the tariff has them, with the parameters in their places, by code;
            of several versions, as the last has them.
        versions: Where several versions were in force: the charges of each.
        readings_deleted: Whether readings were deleted, as a law asks: lines come from the measures
            that the bill keeps, then, and not from slots.
        lines: Where each line comes from.

    """

    bill: str
    contract: str
    start: date
    end: date
    timezone: str
    currency: str
    total: str
    inputs: BillInputs
    parameters: Mapping[str, Any]
    prior_state: Mapping[str, Mapping[str, Any]]
    state: Mapping[str, Mapping[str, Any]]
    assumptions: tuple[Assumption, ...]
    corrections: tuple[ExplainedCorrection, ...] = ()
    charges: Mapping[str, Mapping[str, Any]]
    versions: tuple[ExplainedVersion, ...] | None = None
    readings_deleted: bool = False
    lines: tuple[ExplainedLine, ...]


async def explained(bills: Bills, id_: str, line: int | None = None) -> Explanation:
    """Explain one line of a bill, or all of them.

    Raises:
        NotFound: The bill is unknown.
        Invalid: It has no such line.
        DraftOutdated: It is a draft, and not what would be billed now: its tariff may be another.
        Conflict: Its tariff does not fit the loaded plugins any more, or a channel is gone.

    """
    queries = bills.tenant
    row = await bills.row(queries, id_)
    if row.status == "draft":
        await _refuse_outdated(bills, row)
    bill = bills.bill(row)
    tariff = await _tariff(bills, row)
    versions = [_version(version, bills.converter) for version in tariff.versions]
    lines = await _lines(bills.tenant, row, bill, tariff)
    return Explanation(
        bill=row.id,
        contract=row.contract,
        start=row.start,
        end=row.end,
        timezone=bill.timezone,
        currency=bill.currency,
        total=bill.total,
        inputs=bill.inputs,
        parameters=row.parameters,
        prior_state=row.prior_state,
        state=row.state,
        assumptions=bill.assumptions,
        corrections=await _corrections(bills, row),
        charges={code: charge for version in versions for code, charge in version.charges.items()},
        versions=tuple(versions) if len(versions) > 1 else None,
        readings_deleted=row.readings_deleted,
        lines=lines if line is None else (_one(lines, line),),
    )


async def _lines(
    queries: Queries, row: Row, bill: Bill, tariff: Tariff
) -> tuple[ExplainedLine, ...]:
    """Return where each line comes from: by the readings, or by what is kept of deleted ones."""
    charged = _charged(row, bill.lines)
    if row.readings_deleted:
        return explain_kept(charged, tariff.versions, bill.currency)
    contract = (await zoned_contracts(queries, [row.contract]))[0].contract
    period = BillPeriod(contract, bill.timezone, row.start, row.end, row.prior_state)
    channels = await _channels(queries, row, bill.inputs)
    plan = Plan((tariff,), *period.window, channels)
    spans = row.price_spans(period.window)
    inputs = await read_pinned(queries, plan, row.revisions, spans)
    terms = inputs.terms(row.prior_state, bill.inputs.missing, {})

    def work() -> tuple[ExplainedLine, ...]:
        parts = segments(tariff, inputs.usage, plan.start, plan.end, terms)
        return explain(charged, parts, bill.currency)

    return await off_loop(work)


def _version(version: Version, converter: Converter) -> ExplainedVersion:
    charges = {code_of(charge): converter.unstructure(charge) for charge in version.charges}
    return ExplainedVersion(version.valid_from, charges)


def _one(lines: tuple[ExplainedLine, ...], index: int) -> ExplainedLine:
    if index >= len(lines):
        message = f"the bill has {len(lines)} lines, counted from 0"
        raise Invalid.of("out_of_range", message, "/query/line")
    return lines[index]


async def _refuse_outdated(bills: Bills, row: Row) -> None:
    now = await bills.cost_now(bills.tenant, row)
    versions = tuple(version.valid_from for version in now.versions)
    if versions != row.versions or not bills.shows(row, now):
        raise outdated(row)


async def _tariff(bills: Bills, row: Row) -> Tariff:
    """Return the tariff with just the versions that were in force, for as long as is needed.

    They cannot have changed since the bill was issued, but for the end of the last one; if the
    tariff was corrected since, what the bill is by was kept.
    """
    tariffs = Tariffs(bills.tenant, bills.converter)
    if row.tariff_superseded is None:
        then = await tariffs.get(row.tariff)
    else:
        key = (row.tariff, row.tariff_superseded)
        kept = (await tariffs_then(bills.tenant, tariffs, [key]))[key]
        if isinstance(kept, EnergiaError):
            raise kept
        then = kept
    tariff = then.at(row.days_in(then.timezone))
    ends = dict(zip(row.versions, [*row.versions[1:], None], strict=True))
    versions = tuple(
        attrs.evolve(version, valid_to=ends[version.valid_from])
        for version in sorted(tariff.versions, key=lambda version: version.valid_from)
        if version.valid_from in ends
    )
    tariff = attrs.evolve(tariff, versions=versions)
    if row.is_void:
        return without_charges(tariff)
    return tariff.filled(row.parameters)


async def _corrections(bills: Bills, row: Row) -> tuple[ExplainedCorrection, ...]:
    """Return the corrections since the bill, or since the one that it corrects."""
    queries = bills.tenant
    first = row if row.corrects is None else await bills.row(queries, row.corrects)
    explained = list[ExplainedCorrection]()
    if first.contract_superseded is not None:
        now = bills.read_back(await Contracts(queries, bills.converter).get(row.contract))
        since = await superseded_since(queries, "contract", row.contract, first.contract_superseded)
        explained += [_correction("contract", row.contract, *pair) for pair in chained(since, now)]
    if first.tariff_superseded is not None:
        document = await Tariffs(queries, bills.converter).document(first.tariff)
        since = await superseded_since(queries, "tariff", first.tariff, first.tariff_superseded)
        of_tariff = [
            _correction("tariff", first.tariff, *pair) for pair in chained(since, document)
        ]
        zone = Zone.named(first.document["timezone"])
        window = (zone.midnight(first.start), zone.midnight(first.end))
        days = first.days_in(since[0].before["timezone"])
        explained += _of_period(of_tariff, window, days)
    return tuple(explained)


def _correction(
    kind: Kind, id_: str, superseded: Superseded, after: Mapping[str, Any]
) -> ExplainedCorrection:
    return ExplainedCorrection(
        of=kind,
        id=id_,
        number=superseded.number,
        corrected_at=superseded.corrected_at,
        reason=superseded.reason,
        before=superseded.before,
        after=after,
    )


def _of_period(
    corrections: Sequence[ExplainedCorrection], window: tuple[int, int], days: Zone
) -> Iterator[ExplainedCorrection]:
    """Yield those that change what is in force in a window, with just those versions."""
    for correction in corrections:
        before, after = (
            _within(document, window, days) for document in (correction.before, correction.after)
        )
        if _charged_by(before) != _charged_by(after):
            yield attrs.evolve(correction, before=before, after=after)


def _within(document: Mapping[str, Any], window: tuple[int, int], days: Zone) -> dict[str, Any]:
    """Return a tariff document with the versions in force in a window, by *days* of a zone."""
    start, end = window
    versions = [
        version
        for version in document["versions"]
        if days.midnight(date.fromisoformat(version["valid_from"])) < end
        and (
            version.get("valid_to") is None
            or days.midnight(date.fromisoformat(version["valid_to"])) > start
        )
    ]
    return {**document, "versions": versions}


def _charged_by(document: Mapping[str, Any]) -> list[Any]:
    """Return what a document says that is charged: neither its name nor until when."""
    versions = [{**version, "valid_to": None} for version in document["versions"]]
    return [document["timezone"], *versions]


async def _channels(queries: Queries, row: Row, inputs: BillInputs) -> tuple[RoleChannel, ...]:
    """Return the channels that were billed, each with its role."""
    declared = (await registry.channels_of(queries, [row.meter]))[row.meter]
    by_key = {channel.key: channel for channel in declared}
    channels = []
    for read, key in zip(inputs.readings, row.channels, strict=True):
        if key not in by_key:
            raise Conflict(f"the channel {read.channel!r} that was billed is gone")
        channels.append(row.role_channel(read.role, by_key[key]))
    return tuple(channels)


def _charged(row: Row, lines: tuple[CostLine, ...]) -> Charged:
    """Return what the bill charges, as it was kept."""
    details = [
        Detail(
            detail["charge"],
            tuple(Step(**step) for step in detail["steps"]),
            tuple(detail.get("replaced_by", ())),
            detail.get("part", 0),
            tuple(detail.get("rate_steps", ())),
            detail.get("rule"),
        )
        for detail in row.basis["details"]
    ]
    measured = row.basis.get("parts") or [row.basis["measured"]]
    parts = [CostPart(*part) for part in zip(row.versions, measured, strict=True)]
    return Charged(lines=lines, details=details, parts=parts)

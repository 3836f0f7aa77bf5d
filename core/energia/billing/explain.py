"""Where the lines of a stored bill come from, by the readings that it was made from."""

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Any

import attrs

from energia.billing.bills import Bills, Office, is_still, outdated
from energia.billing.contracts import placed
from energia.billing.market import as_billed
from energia.billing.models import BillInputs
from energia.billing.pricing import Asked, by_role, window_of
from energia.billing.rows import Row
from energia.convert import Converter
from energia.db.tenant import Queries
from energia.errors import Conflict, Fault, Invalid
from energia.metering import query, registry
from energia.metering.query import Span
from energia.metering.series import Series
from energia.pricing.charges import code_of
from energia.pricing.engine import CostLine, CostPart, Detail
from energia.pricing.explain import Charged, ExplainedLine, explain
from energia.pricing.lines import Step
from energia.pricing.segments import segments
from energia.pricing.slots import Assumption
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.usage import Terms


@attrs.frozen
class ExplainedVersion:
    """The charges of one version of the tariff, by code."""

    valid_from: date
    charges: Mapping[str, Mapping[str, Any]]


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
        charges: The charges as the tariff has them, with the parameters in their places, by code;
            of several versions, as the last has them.
        versions: Where several versions were in force: the charges of each.
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
    charges: Mapping[str, Mapping[str, Any]]
    versions: tuple[ExplainedVersion, ...] | None = None
    lines: tuple[ExplainedLine, ...]


async def explained(office: Office, id_: str, line: int | None = None) -> Explanation:
    """Explain one line of a bill, or all of them.

    Raises:
        NotFound: There is no such bill.
        Invalid: It has no such line.
        DraftOutdated: It is a draft, and not what would be billed now: its tariff may be another.
        Conflict: Its tariff does not fit the loaded plugins any more, or a channel is gone.

    """
    row = await office.row(office.tenant, id_)
    if row.status == "draft":
        await _refuse_outdated(office, row)
    bill = office.bill(row)
    tariff = await _tariff(office, row)
    contract = (await placed(office.tenant, [row.contract]))[0].contract
    asked = Asked(contract, bill.timezone, row.start, row.end, row.prior_state)
    series = await _series(office.tenant, row, bill.inputs, asked)
    prices = await as_billed(office.tenant, row, asked)
    terms = Terms(row.prior_state, bill.inputs.missing, prices=prices)

    def work() -> tuple[ExplainedLine, ...]:
        cut = segments(tariff, series, *window_of(asked), terms)
        return explain(_charged(row, bill.lines), cut, bill.currency)

    versions = [_version(one, office.converter) for one in tariff.versions]
    lines = await asyncio.to_thread(work)
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
        charges={code: one for version in versions for code, one in version.charges.items()},
        versions=tuple(versions) if len(versions) > 1 else None,
        lines=lines if line is None else (_one(lines, line),),
    )


def _version(version: Version, converter: Converter) -> ExplainedVersion:
    charges = {code_of(one): converter.unstructure(one) for one in version.charges}
    return ExplainedVersion(version.valid_from, charges)


def _one(lines: tuple[ExplainedLine, ...], index: int) -> ExplainedLine:
    if index >= len(lines):
        message = f"the bill has {len(lines)} lines, counted from 0"
        raise Invalid(message, [Fault("out_of_range", message, "/query/line")])
    return lines[index]


async def _refuse_outdated(office: Office, row: Row) -> None:
    now = await Bills(office).again(office.tenant, row)
    versions = tuple(version.valid_from for version in now.versions)
    if versions != row.versions or not is_still(row, now, office):
        raise outdated(row)


async def _tariff(office: Office, row: Row) -> Tariff:
    """Return the tariff with just the versions that were in force, for as long as is needed.

    They cannot have changed since the bill was issued, but for the end of the last one.
    """
    tariff = await Tariffs(office.tenant, office.converter).get(row.tariff)
    ends = dict(zip(row.versions, [*row.versions[1:], None], strict=True))
    versions = tuple(
        attrs.evolve(one, valid_to=ends[one.valid_from])
        for one in sorted(tariff.versions, key=lambda one: one.valid_from)
        if one.valid_from in ends
    )
    return attrs.evolve(tariff, versions=versions).filled(row.parameters)


async def _series(
    queries: Queries, row: Row, inputs: BillInputs, asked: Asked
) -> dict[str, Series]:
    """Return the readings of each role as the bill saw them."""
    channels = (await registry.channels_of(queries, [row.meter]))[row.meter]
    by_key = {channel.key: channel for channel in channels}
    reads = []
    for read, key in zip(inputs.readings, row.channels, strict=True):
        if key not in by_key:
            raise Conflict(f"the channel {read.channel!r} that was billed is gone")
        reads.append((read.role, by_key[key]))
    spans = [Span(channel, *window_of(asked)) for _, channel in reads]
    return by_role(reads, await query.read_as_billed(queries, spans, row.revisions))


def _charged(row: Row, lines: tuple[CostLine, ...]) -> Charged:
    """Return what the bill charges, as it was kept."""
    details = [
        Detail(
            one["charge"],
            tuple(Step(**step) for step in one["steps"]),
            tuple(one.get("replaced_by", ())),
            one.get("part", 0),
            tuple(one.get("rate_steps", ())),
        )
        for one in row.basis["details"]
    ]
    measured = row.basis.get("parts") or [row.basis["measured"]]
    parts = [CostPart(*part) for part in zip(row.versions, measured, strict=True)]
    return Charged(lines=lines, details=details, parts=parts)

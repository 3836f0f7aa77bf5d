"""Contracts in the database."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

import attrs

from energia.billing.errors import ContractsOverlap
from energia.billing.models import Contract, ContractState, NewContract
from energia.billing.superseded import Correction, supersede
from energia.billing.zones import billed_until
from energia.convert import Converter
from energia.convert.faults import Faults, refusal
from energia.costing.inputs import channels_by_role
from energia.costing.subject import DatedChannel
from energia.db.queries import load, one_message
from energia.db.tenant import Queries, Tenant
from energia.errors import Conflict, Fault, ForeignKeyViolation, InUse, Invalid, NotFound
from energia.ids import new_id
from energia.metering import registry
from energia.pricing.segments import roles
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff

SQL: Final = load(__package__)


@attrs.frozen
class ZonedContract:
    """A contract, and the zone of its site."""

    contract: Contract
    timezone: str


@attrs.frozen
class _Term:
    """From when to when a contract is in force."""

    id: str
    start: date
    end: date | None

    @property
    def words(self) -> str:
        if self.end is None:
            return f"it is in force from {self.start} without an `end`"
        return f"it is in force from {self.start} to {self.end}"


@attrs.frozen
class PriorBill:
    """The newest issued bill before a day: which of those asked for, and what it remembers."""

    asked: int
    bill: str
    end: date
    state: dict[str, Any]


@attrs.frozen
class Contracts:
    """The contracts of an organization.

    Attributes:
        tenant: The database.
        converter: Knows the charges of the loaded plugins.

    """

    tenant: Tenant
    converter: Converter

    async def get(self, id_: str) -> Contract:
        """Return a contract; raises `NotFound`."""
        return (await zoned_contracts(self.tenant, [id_]))[0].contract

    async def page(
        self, after: str, limit: int, meter: str | None = None, tariff: str | None = None
    ) -> list[Contract]:
        """Return at most *limit* contracts whose ids come after *after*, by id."""
        arguments = {"after": after, "limit": limit, "meter": meter, "tariff": tariff}
        ids = await self.tenant.fetch(str, SQL["contract_list"], arguments)
        rows = await self.tenant.fetch(_zoned, SQL["contract_get"], {"ids": ids})
        return [row.contract for row in rows]

    async def put(
        self,
        new: NewContract,
        id_: str | None,
        *,
        replace: bool,
        correction: Correction | None = None,
    ) -> tuple[Contract, bool]:
        """Make a contract, or replace it, and tell whether it was made.

        With a *correction* it may be another one for bills that are issued.

        Raises:
            Invalid: It does not fit; there is no such meter or tariff.
            Conflict: There is another one with its id, and it is not to be replaced.
            ContractsOverlap: The meter has another contract in part of its time.
            InUse: A bill is issued that would be another contract's, and that is no correction;
                or it would be in another currency.

        """
        contract = Contract(
            id=id_ or new.id or new_id(),
            meter=new.meter,
            tariff=new.tariff,
            start=new.start,
            end=new.end,
            parameters=new.parameters,
            channels=new.channels,
        )
        async with self.tenant.transaction() as queries:
            # Holds the meter: of two new contracts of one meter, the second sees the first.
            currency = await self._check(queries, contract)
            old = await self._held(queries, contract.id)
            if old is not None:
                if not replace and old == contract:
                    return old, False
                if not replace:
                    raise _taken(contract)
                await _refuse_billed(queries, old, contract, correction)
                await _refuse_other_currency(queries, contract, currency)
                if correction is not None and await _is_billed_otherwise(queries, old, contract):
                    await supersede(queries, "contract", contract.id, correction)
            await _refuse_overlap(queries, contract)
            try:
                (created,) = await queries.fetch(bool, SQL["contract_put"], self._row(contract))
            except ForeignKeyViolation:  # deleted and made anew, while the old one was waited for
                message = f"the tariff {contract.tariff!r} was deleted meanwhile; send it again"
                raise Conflict(message) from None
            if old is None and not created:  # made just now, of another meter
                raise _taken(contract)
        return contract, created

    async def delete(self, id_: str) -> None:
        """Delete a contract; raises `NotFound`, or `InUse` if it has bills."""
        try:
            deleted = await self.tenant.execute(SQL["contract_delete"], id_)
        except ForeignKeyViolation:
            raise InUse(f"the contract {id_!r} has bills") from None
        if not deleted:
            raise NotFound(f"there is no contract {id_!r}")

    async def state(self, id_: str) -> ContractState:
        """Return what the charges remember for the next bill; raises `NotFound`."""
        await self.get(id_)
        bills = await prior_bills(self.tenant, [(id_, date.max)])
        if 0 not in bills:
            return ContractState(contract=id_, as_of=None, bill=None, state={})
        prior = bills[0]
        return ContractState(contract=id_, as_of=prior.end, bill=prior.bill, state=prior.state)

    async def _check(self, queries: Queries, new: Contract) -> str:
        """Refuse what does not fit, all of it; meter and tariff are held until the end.

        The currency of the tariff is returned.
        """
        faults = Faults()
        if not await queries.fetch(str, SQL["contract_meter"], new.meter):
            faults.append(Fault("unknown_meter", f"there is no meter {new.meter!r}", "/meter"))
        tariff = (await Tariffs(queries, self.converter).held([new.tariff])).get(new.tariff)
        if isinstance(tariff, Conflict):
            raise tariff
        if tariff is None:
            faults.append(Fault("unknown_tariff", f"there is no tariff {new.tariff!r}", "/tariff"))
        charged_roles = _roles(tariff, new, faults) if tariff else ()
        declared = (await registry.channels_of(queries, [new.meter]))[new.meter]
        try:
            needed = [*new.channels, *charged_roles] if declared else ()
            channels_by_role(declared, needed, new.channels)
        except Invalid as error:
            faults.add(error)
        if faults.kept or tariff is None:
            raise refusal(faults)
        return tariff.currency

    async def _held(self, queries: Queries, id_: str) -> Contract | None:
        rows = await hold_contracts(queries, [id_])
        return rows[0].contract if rows else None

    def _row(self, contract: Contract) -> dict[str, object]:
        row = attrs.asdict(contract, recurse=False)
        return row | {
            name: self.converter.dumps(row[name]).decode() for name in ("parameters", "channels")
        }


async def hold_contracts(queries: Queries, ids: list[str]) -> list[ZonedContract]:
    """Return those of some contracts that there are, by id.

    Nobody else writes them, or their bills, until the transaction ends.
    """
    return await queries.fetch(
        _zoned, one_message(SQL["contract_hold"], SQL["contract_get"]), {"ids": ids}
    )


async def zoned_contracts(queries: Queries, ids: list[str]) -> list[ZonedContract]:
    """Return some contracts by id; raises `NotFound`."""
    rows = await queries.fetch(_zoned, SQL["contract_get"], {"ids": ids})
    missing = set(ids) - {row.contract.id for row in rows}
    if missing:
        raise NotFound(f"there is no contract {min(missing)!r}")
    return rows


async def prior_bills(queries: Queries, pairs: list[tuple[str, date]]) -> dict[int, PriorBill]:
    """Return the newest issued bill that ends by a day, for each pair of a contract and a day.

    They are returned by the index of the pair; a pair without such a bill is left out.
    """
    days = [day if day != date.max else "infinity" for _, day in pairs]
    given = {"contracts": [contract for contract, _ in pairs], "days": days}
    bills = await queries.fetch(PriorBill, SQL["bill_prior"], given)
    return {prior.asked - 1: prior for prior in bills}


def _roles(tariff: Tariff, contract: Contract, faults: Faults) -> tuple[str, ...]:
    """Return the roles charged in the contract's time; faults of its parameters are noted."""
    for fault in tariff.knows(contract.parameters):
        faults.append(fault)
    versions = tuple(
        version
        for version in tariff.versions
        if (contract.end is None or version.valid_from < contract.end)
        and (version.valid_to is None or version.valid_to > contract.start)
    )
    try:
        filled_tariff = attrs.evolve(tariff, versions=versions).filled(contract.parameters)
    except Invalid as error:
        faults.add(error)
        return ()
    return roles(filled_tariff.versions)


def _taken(contract: Contract) -> Conflict:
    return Conflict(f"there is another contract {contract.id!r} already")


async def _refuse_billed(
    queries: Queries, old: Contract, new: Contract, correction: Correction | None
) -> None:
    """Refuse changes of what issued bills say of their contract, unless they are a correction."""
    billed = await billed_until(queries, [new.id])
    if billed is None or correction is not None:
        return
    changed = [
        name for name in ("meter", "tariff", "start") if getattr(old, name) != getattr(new, name)
    ]
    if new.end is not None and new.end < billed and new.end != old.end:
        changed.append("end")
    if changed:
        faults = [Fault(InUse.code, f"bills are issued until {billed}", f"/{n}") for n in changed]
        message = f"bills of the contract are issued until {billed}: only a `correction` changes it"
        raise InUse(message, faults)


async def _refuse_other_currency(queries: Queries, new: Contract, currency: str) -> None:
    """Refuse a tariff in another currency than issued bills: no difference could be told."""
    others = set(await queries.fetch(str, SQL["contract_currencies"], new.id)) - {currency}
    if others:
        message = f"bills are issued in {min(others)}: the tariff {new.tariff!r} is in {currency}"
        raise InUse.of(InUse.code, message, "/tariff")


async def _is_billed_otherwise(queries: Queries, old: Contract, new: Contract) -> bool:
    return old != new and await billed_until(queries, [new.id]) is not None


async def _refuse_overlap(queries: Queries, new: Contract) -> None:
    arguments = {"id": new.id, "meter": new.meter, "start": new.start, "end": new.end}
    for other in await queries.fetch(_Term, SQL["contract_others"], arguments):
        message = (
            f"the meter {new.meter!r} has the contract {other.id!r} in part of the period: "
            f"{other.words}"
        )
        raise ContractsOverlap.of(ContractsOverlap.code, message, "/start")


def _zoned(id_: str, meter: str, tariff: str, *columns: Any) -> ZonedContract:
    """Return the contract of a row of `contract_get`."""
    start, end, parameters, channels, timezone = columns
    contract = Contract(
        id=id_,
        meter=meter,
        tariff=tariff,
        start=start,
        end=end,
        parameters=parameters,
        channels=channels_of_json(channels),
    )
    return ZonedContract(contract, timezone)


def channels_of_json(
    channels: Mapping[str, Sequence[Any]],
) -> dict[str, tuple[str | DatedChannel, ...]]:
    """Return the channels of a contract as they are stored, by role."""
    return {role: tuple(map(_channel, entries)) for role, entries in channels.items()}


def _channel(entry: str | Mapping[str, str]) -> str | DatedChannel:
    if isinstance(entry, str):
        return entry
    days = {name: date.fromisoformat(day) for name, day in entry.items() if name != "channel"}
    return DatedChannel(channel=entry["channel"], **days)

"""Contracts: which tariff a meter is on, from when to when."""

from datetime import date
from typing import Annotated

from msgspec import Meta

from energia.billing.bills import Bills
from energia.billing.contracts import Contracts
from energia.billing.errors import ContractsOverlap, OutsideContract
from energia.billing.models import Contract, ContractState, NewContract
from energia.billing.superseded import Superseded, page_of
from energia.billing.to_date import CostToDate, cost_to_date
from energia.convert import Converter, Id
from energia.core import Core
from energia.db.holds import holding
from energia.db.pool import Tenant
from energia.errors import Conflict, IncompleteUsage, InUse, Invalid, NotFound, TooLarge
from energia.web.resources import (
    BILLERS,
    ContractId,
    CorrectionReason,
    Cursor,
    Limit,
    Page,
    correction_of,
    examples,
    number_of,
    page,
    place_of,
)
from energia.web.routes import Created, MergePatch, Routes

_EXAMPLES = examples("contracts")
_TO_DATE = (NotFound, Conflict, OutsideContract, IncompleteUsage)
Since = Annotated[
    date,
    Meta(
        description="The first day of the bill; without it the end of the newest issued bill, or "
        "the contract's start."
    ),
]
OfMeter = Annotated[Id, Meta(description="Only contracts of this meter.")]
OfTariff = Annotated[Id, Meta(description="Only contracts of this tariff.")]

routes = Routes(tag="Contracts", reads=BILLERS, writes=BILLERS)


@routes.get("/v1/contracts")
async def list_contracts(
    tenant: Tenant,
    converter: Converter,
    meter: OfMeter | None = None,
    tariff: OfTariff | None = None,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Contract]:
    """List the contracts by id."""
    contracts = await Contracts(tenant, converter).page(place_of(cursor), limit + 1, meter, tariff)
    return page(contracts, limit, lambda contract: contract.id)


@routes.post(
    "/v1/contracts",
    errors=(Conflict, ContractsOverlap),
    examples=_EXAMPLES,
    once="together",
)
async def post_contract(
    body: NewContract, tenant: Tenant, converter: Converter
) -> Contract | Created[Contract]:
    """Make a contract; 200 if it is there already.

    409 if there is another one with its id, or one of the meter at the same time.
    """
    record, created = await Contracts(tenant, converter).put(body, None, replace=False)
    return _created(record) if created else record


@routes.get("/v1/contracts/{contract}", errors=(NotFound,), holds=holding("contract"))
async def get_contract(contract: ContractId, tenant: Tenant, converter: Converter) -> Contract:
    """Return a contract."""
    return await Contracts(tenant, converter).get(contract)


@routes.put(
    "/v1/contracts/{contract}", errors=(Conflict, InUse, ContractsOverlap), examples=_EXAMPLES
)
async def put_contract(
    contract: ContractId,
    body: NewContract,
    core: Core,
    tenant: Tenant,
    converter: Converter,
    correction: CorrectionReason | None = None,
) -> Contract | Created[Contract]:
    """Make a contract or replace it.

    Once bills are issued, its meter, tariff and start stay, and it ends after them (409); other
    parameters or channels make these bills `affected`. With a `correction`, the reason why it was
    wrong, all of it may change, within the currency of the bills: what they are of is kept (`GET
    /v1/contracts/{contract}/corrections`), they are `affected`, and correcting them prices the part
    of their period in which the contract is in force now.
    """
    if body.id not in (None, contract):
        message = f"the path says {contract!r}"
        raise Invalid.of("wrong_id", message, "/id")
    record, created = await Contracts(tenant, converter).put(
        body, contract, replace=True, correction=correction_of(core, correction)
    )
    return _created(record) if created else record


@routes.patch(
    "/v1/contracts/{contract}",
    errors=(NotFound, Conflict, InUse, ContractsOverlap),
    examples={
        "It ends": {"end": "2027-01-01"},
        "Another parameter, the others stay": {"parameters": {"contracted_kw": 10}},
    },
)
async def update_contract(
    contract: ContractId,
    body: MergePatch[NewContract],
    core: Core,
    tenant: Tenant,
    converter: Converter,
    correction: CorrectionReason | None = None,
) -> Contract:
    """Change what is named of a contract, and leave the rest; see `PUT`.

    `parameters` and `channels` change by their names, too: null takes one away.
    """
    contracts = Contracts(tenant, converter)
    new, why = body.onto(await contracts.get(contract)), correction_of(core, correction)
    if new.id != contract:
        raise Invalid.of("wrong_id", f"the path says {contract!r}", "/id")
    return (await contracts.put(new, contract, replace=True, correction=why))[0]


@routes.delete("/v1/contracts/{contract}", errors=(NotFound, InUse))
async def delete_contract(contract: ContractId, tenant: Tenant, converter: Converter) -> None:
    """Delete a contract; 409 if it has bills."""
    await Contracts(tenant, converter).delete(contract)


@routes.get("/v1/contracts/{contract}/corrections", errors=(NotFound,))
async def list_contract_corrections(
    contract: ContractId,
    tenant: Tenant,
    converter: Converter,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Superseded]:
    """List how the contract was corrected after bills: what it said, why and when it changed.

    The oldest comes first; what came in its place is the next one, or the contract as it is.
    """
    await Contracts(tenant, converter).get(contract)
    corrections = await page_of(tenant, "contract", contract, number_of(cursor), limit + 1)
    return page(corrections, limit, lambda superseded: str(superseded.number))


@routes.get("/v1/contracts/{contract}/state", errors=(NotFound,))
async def get_contract_state(
    contract: ContractId, tenant: Tenant, converter: Converter
) -> ContractState:
    """Return what the charges remember for the next bill: prior peaks, credits and the like."""
    return await Contracts(tenant, converter).state(contract)


@routes.get(
    "/v1/contracts/{contract}/to-date",
    errors=(NotFound, Conflict, OutsideContract, IncompleteUsage, TooLarge),
)
async def get_cost_to_date(
    contract: ContractId,
    core: Core,
    tenant: Tenant,
    converter: Converter,
    start: Since | None = None,
) -> CostToDate:
    """Return what a contract costs so far: the bill that is growing, until the last readings.

    What was measured of whole days is kept, so that asking again reads new days only; corrected
    readings, another tariff or other parameters are noticed.
    """
    return await cost_to_date(Bills.of(core, tenant, converter), contract, start)


def _created(contract: Contract) -> Created[Contract]:
    return Created(f"/v1/contracts/{contract.id}", contract)

"""Bills: drafted, issued, corrected, for one contract or for many."""

from datetime import date
from http import HTTPStatus
from typing import Annotated

from msgspec import Meta

from energia.billing.affected import AffectedPlace
from energia.billing.affected import affected as affected_bills
from energia.billing.bills import Bills, Filter
from energia.billing.check import BillCheck, SupplierBill, check
from energia.billing.errors import (
    AlreadyBilled,
    AlreadyCorrected,
    DraftOutdated,
    IssuedAlready,
    NotIssued,
    OutsideContract,
    OverlapsDraft,
)
from energia.billing.explain import Explanation, explained
from energia.billing.models import Bill, NewBill, Run, RunOutcome, Status
from energia.billing.repricing import BillRepricing, Repricing
from energia.billing.rows import ListPlace
from energia.billing.run import BillRun, contracts_of, run
from energia.convert import Converter, Id
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import (
    AmbiguousChannel,
    Conflict,
    IncompletePrices,
    IncompleteUsage,
    NotFound,
    TooLarge,
)
from energia.jobs.models import Job
from energia.web.endpoints.jobs import begun
from energia.web.preferences import Prefer
from energia.web.resources import (
    BILLERS,
    BillId,
    Cursor,
    Limit,
    Page,
    cursor_of,
    examples,
    page,
    place_of,
)
from energia.web.routes import Created, Deferred, Routes

_PRICING = (OutsideContract, IncompleteUsage, IncompletePrices, AmbiguousChannel, TooLarge)

OfContract = Annotated[Id, Meta(description="Only bills of this contract.")]
From = Annotated[date, Meta(description="Only bills whose period begins on this day or later.")]
Until = Annotated[date, Meta(description="Only bills whose period begins before this day.")]
Affected = Annotated[
    bool, Meta(description="Only issued bills whose inputs have changed since, with `impact`.")
]

routes = Routes(tag="Bills", reads=BILLERS, writes=BILLERS)


@routes.get("/v1/bills", errors=(Conflict,))
async def list_bills(
    core: Core,
    tenant: Tenant,
    converter: Converter,
    contract: OfContract | None = None,
    status: Status | None = None,
    start: From | None = None,
    end: Until | None = None,
    affected: Affected = False,
    limit: Limit = 100,
    cursor: Cursor = "",
) -> Page[Bill]:
    """List the bills, the newest first.

    With `affected=true`, those issued bills whose readings, prices, tariff, parameters or prior
    state have changed since, by contract and the oldest first: the order in which to correct them.
    Each comes with what it would be once those before it are corrected. Such a page looks at so
    many bills at most: it may have few items, or none, and a `next` all the same.
    """
    bills = Bills.of(core, tenant, converter)
    wanted = Filter(contract, status, start, end)
    if affected:
        place = AffectedPlace.read(place_of(cursor)) if cursor else None
        changed, after = await affected_bills(bills, wanted, place, limit)
        return Page(tuple(changed), cursor_of(str(after)) if after else None)
    before = ListPlace.read(place_of(cursor)) if cursor else None
    items = [bills.bill(row) for row in await bills.page(wanted, before, limit + 1)]
    return page(items, limit, lambda bill: str(ListPlace.of(bill)))


@routes.post(
    "/v1/bills",
    errors=(
        *(NotFound, Conflict, AlreadyBilled, OverlapsDraft, NotIssued, AlreadyCorrected),
        *_PRICING,
    ),
    examples=examples("bills"),
)
async def post_bill(
    body: NewBill, core: Core, tenant: Tenant, converter: Converter
) -> Bill | Created[Bill]:
    """Draft a bill for a contract and a period, or the correction of an issued one.

    If there is a draft of the period, it is priced anew by what is stored now (200).
    """
    bill, created = await Bills.of(core, tenant, converter).draft(body)
    return Created(f"/v1/bills/{bill.id}", bill) if created else bill


@routes.post("/v1/bills/run", errors=(Conflict,), examples=examples("runs"))
async def run_bills(
    body: Run,
    prefer: Prefer,
    core: Core,
    tenant: Tenant,
    converter: Converter,
) -> RunOutcome | Deferred[Job]:
    """Draft, and if asked issue, the bills of a period for many contracts.

    It goes on after contracts that cannot be billed. A run that was cut short is finished by
    sending it again: what is issued stays as it is. With `Prefer: respond-async`, and over more
    than `jobs.contracts` contracts, it is a job (202), whose result is the outcome.
    """
    most = core.settings.jobs.contracts
    if prefer.respond_async or await contracts_of(tenant, body) > most:
        return await begun(core, tenant, BillRun.name, body)
    return await run(Bills.of(core, tenant, converter), body)


@routes.add(
    "POST",
    "/v1/bills/reprice",
    status=HTTPStatus.ACCEPTED,
    errors=(Conflict,),
    examples=examples("repricings"),
)
async def reprice_bills(body: Repricing, core: Core, tenant: Tenant) -> Deferred[Job]:
    """Draft, and if asked issue, the correction of every issued bill that would be another one now.

    They are those of `GET /v1/bills?affected=true`, of each contract the oldest first. It is a job
    (202), whose result is an outcome as that of a run.
    """
    return await begun(core, tenant, BillRepricing.name, body)


@routes.get("/v1/bills/{bill}", errors=(NotFound,))
async def get_bill(bill: BillId, core: Core, tenant: Tenant, converter: Converter) -> Bill:
    """Return a bill."""
    return await Bills.of(core, tenant, converter).get(bill)


@routes.post(
    "/v1/bills/{bill}/issue", errors=(NotFound, AlreadyCorrected, DraftOutdated, *_PRICING)
)
async def issue_bill(bill: BillId, core: Core, tenant: Tenant, converter: Converter) -> Bill:
    """Issue a draft: from here on the bill does not change.

    It is priced once more; 409 `draft_outdated` if that gives anything else than the draft shows.
    """
    return await Bills.of(core, tenant, converter).issue(bill)


@routes.delete("/v1/bills/{bill}", errors=(NotFound, IssuedAlready))
async def delete_bill(bill: BillId, core: Core, tenant: Tenant, converter: Converter) -> None:
    """Delete a draft; 409 if the bill is issued."""
    await Bills.of(core, tenant, converter).delete(bill)


# What stands behind a bill: where its lines come from, and what its supplier printed.

LineIndex = Annotated[
    int, Meta(ge=0, description="Which of the lines, counted from 0; all of them without.")
]


@routes.get("/v1/bills/{bill}/explain", errors=(NotFound, Conflict, DraftOutdated))
async def explain_bill(
    bill: BillId,
    core: Core,
    tenant: Tenant,
    converter: Converter,
    line: LineIndex | None = None,
) -> Explanation:
    """Explain a bill, line by line.

    Each line comes with the slots that the calendar put into its period and by which rule, what
    was measured, the arithmetic in exact numbers, and the rounding; the bill with the versions of
    tariff and plugins, and the revisions of the readings. A draft is explained as long as it is
    what would be billed now (409 `draft_outdated`).
    """
    return await explained(Bills.of(core, tenant, converter), bill, line)


@routes.post("/v1/bills/{bill}/check", errors=(NotFound,), examples=examples("checks"))
async def check_bill(
    bill: BillId, body: SupplierBill, core: Core, tenant: Tenant, converter: Converter
) -> BillCheck:
    """Compare a bill with the lines that a supplier printed.

    Lines are matched by code, else by description. The result is the worst of all.
    """
    return check(await Bills.of(core, tenant, converter).get(bill), body)

"""What stands behind a bill: where its lines come from, and what its supplier printed."""

from typing import Annotated

from msgspec import Meta

from energia.billing.bills import Bills
from energia.billing.check import BillCheck, SupplierBill, check
from energia.billing.errors import DraftOutdated
from energia.billing.explain import Explanation, explained
from energia.billing.office import Office
from energia.convert import Converter
from energia.core import Core
from energia.db.pool import Tenant
from energia.errors import Conflict, NotFound
from energia.web.examples import examples
from energia.web.ids import BillId
from energia.web.routes import Routes

LineIndex = Annotated[
    int, Meta(ge=0, description="Which of the lines, counted from 0; all of them without.")
]

routes = Routes(tag="Bills")


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
    return await explained(Office.of(core, tenant, converter), bill, line)


@routes.post("/v1/bills/{bill}/check", errors=(NotFound,), examples=examples("checks"))
async def check_bill(
    bill: BillId, body: SupplierBill, core: Core, tenant: Tenant, converter: Converter
) -> BillCheck:
    """Hold a bill beside the lines that a supplier printed.

    Lines are matched by code, else by description. The result is the worst of all.
    """
    return check(await Bills(Office.of(core, tenant, converter)).get(bill), body)

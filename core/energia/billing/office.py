"""What making bills needs of a service, and the statements that all who make bills share."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Self

import attrs

from energia.billing import rows
from energia.billing.events import BillIssued
from energia.billing.models import Bill
from energia.billing.pricing import Asked, Priced, price_all
from energia.billing.rows import NewRow, Row
from energia.clock import Clock
from energia.convert import Converter, parse
from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import EnergiaError, NotFound
from energia.plugins import Plugins
from energia.pricing.store import Tariffs
from energia.pricing.timing import timed

if TYPE_CHECKING:
    from energia.core import Core

SQL: Final = load(__package__)


@attrs.frozen
class Office:
    """What making bills needs of a service.

    Attributes:
        tenant: The database.
        converter: Knows the charges of the loaded plugins.
        plugins: Say who offers a charge, and hear of issued bills.
        clock: Dates bills.
        slots: How many slots one bill may have.
        failures: How many failures a run tells of.

    """

    tenant: Tenant
    converter: Converter
    plugins: Plugins
    clock: Clock
    slots: int
    failures: int

    @classmethod
    def of(cls, core: "Core", tenant: Tenant, converter: Converter) -> Self:
        """Return the office of a service."""
        limits = core.settings.limits
        return cls(tenant, converter, core.plugins, core.clock, limits.slots, limits.problems)

    async def price(self, queries: Queries, asked: Sequence[Asked]) -> list[Priced | EnergiaError]:
        """Return what each costs by what is stored now; their tariffs stay as they are."""
        tariffs = sorted({one.contract.tariff for one in asked})
        await queries.fetch(str, SQL["tariff_hold"], tariffs)
        with timed("bill", self.plugins.pricing_finished):
            return await price_all(queries, Tariffs(queries, self.converter), asked, self.slots)

    async def put(self, queries: Queries, made: Sequence[NewRow]) -> list[str]:
        """Store drafts; return the ids of those that could be."""
        if not made:
            return []
        columns = rows.columns(made, self.plugins, self.converter)
        return await queries.fetch(str, SQL["bill_put"], columns | {"now": self.clock.now()})

    async def issue(self, queries: Queries, ids: Sequence[str]) -> None:
        """Issue drafts in the place of the bills that they correct."""
        if not ids:
            return
        await queries.execute(SQL["bill_replace"], list(ids))
        await queries.execute(SQL["bill_issued"], {"ids": list(ids), "now": self.clock.now()})

    async def rows(self, queries: Queries, ids: Sequence[str]) -> list[Row]:
        """Return those of some bills that there are, in their order."""
        return await queries.fetch(Row, SQL["bill_get"], list(ids))

    async def row(self, queries: Queries, id_: str) -> Row:
        """Return a bill; raises `NotFound`."""
        found = await self.rows(queries, [id_])
        if not found:
            raise NotFound(f"there is no bill {id_!r}")
        return found[0]

    def bill(self, row: Row) -> Bill:
        """Return a bill as the API shows it."""
        return rows.bill(row, self.converter)

    def document(self, priced: Priced) -> Any:
        """Return what the API would show of a draft, as it would be read back."""
        return self.read_back(rows.document(priced, self.plugins, self.converter))

    def read_back(self, value: object) -> Any:
        """Return JSON as it is after it was stored."""
        return parse(self.converter.dumps(value))

    def tell(self, issued: Sequence[Row]) -> None:
        """Tell the plugins that bills were issued: after the commit."""
        for row in issued:
            self.plugins.bill_issued(
                BillIssued(
                    bill=row.id,
                    contract=row.contract,
                    meter=row.meter,
                    tariff=row.tariff,
                    start=row.start,
                    end=row.end,
                    currency=row.document["currency"],
                    total=row.document["total"],
                    corrects=row.corrects,
                    issued_at=_known(row.issued_at),
                )
            )


def _known(at: datetime | None) -> datetime:
    assert at is not None
    return at

"""The charge `export`: what a site is given for the energy that it exports.

Three schemes: net metering (exported kWh offset imported kWh, the rest is kept in a bank), net
billing (what is left after netting each interval or hour is sold) and buy-all-sell-all (all that is
generated is sold). What is kept from bill to bill is a ledger in the state of the charge.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import attrs
from msgspec import Meta

from energia import (
    BaseCharge,
    BillDays,
    BillSoFar,
    Charge,
    Days,
    EnergyByPeriod,
    Examples,
    Line,
    Measure,
    Measured,
    Role,
    Rules,
    Schedule,
    Selection,
    State,
    hookimpl,
)
from energia_plugins.tariff_export import fields
from energia_plugins.tariff_export.netting import BillMonth, Exported, Netting
from energia_plugins.tariff_export.settlement import settled

__all__ = ["Export"]


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Export]


# The fields of `export`, and how a bill is settled.


@attrs.frozen
class Export(BaseCharge):
    """Energy that is exported, credited or bought.

    Attributes:
        scheme: Exports offset imports of the bill (`net_metering`); what is left after netting each
            interval or hour is sold (`net_billing`); or everything is (`buy_all_sell_all`).
        of: The lines of energy charges that exports offset; of all charges before of `import` and
            of the kinds `energy.*` and `adjustment.*`, if no charges are named.
        schedule: When each period of the exports is; the periods of the energy charges without.
        netting: Over what `net_billing` nets; default `interval`.
        rate: The price of a kWh that is sold; or
        rates: the price in each period; or
        tiers: by how much is sold in the bill; or
        like_import: what the energy charges would charge for it.
        rollover: What of the rest the next bill has; default `kwh` for net metering, else `none`.
        apply: Whether money that is earned is used on this bill, or from the next on.
        limit: How much money is used: whatever it makes of the bill, as much as the energy charges
            of `of`, or as the bill before it; by default `energy` with rollover or net metering,
            else `none`.
        expires_after: For how many months after its own a credit is kept.
        true_up: When the bank is settled.
        across: Lets energy offset other periods too, in this order, by what a kWh of each is worth.
        becomes: Which period energy of a period moves to where the bill does not have its own.
        uncompensated: So many kWh of a bill's imports are never offset.
        credited: How much of each component an offset kWh is given; 1 where it is not named.

    """

    __rules__: ClassVar[Rules] = (
        fields.fits_the_scheme,
        fields.has_one_price,
        fields.has_a_schedule,
        fields.tiers_rise,
        fields.keeps_what_it_settles,
        fields.known_periods,
    )

    kind: ClassVar[str] = "export"
    remeasures: ClassVar[bool] = True
    examples: ClassVar[Examples] = (
        {"kind": "export", "scheme": "net_metering", "true_up": {"month": 3, "rate": "0.027"}},
        {"kind": "export", "scheme": "net_metering", "expires_after": 60, "uncompensated": "50"},
        {"kind": "export", "scheme": "net_billing", "rate": "0.05", "rollover": "money"},
        {"kind": "export", "scheme": "buy_all_sell_all", "rate": "0.08"},
    )
    examples_after: ClassVar[Examples] = (
        {"kind": "energy.flat", "code": "energy", "rate": "0.30"},
    )

    scheme: fields.Scheme
    channel: Role = "export"
    of: Selection = attrs.Factory(Selection)
    schedule: Schedule | None = None
    netting: Netting | None = None
    rate: Decimal | None = None
    rates: fields.Rates | None = None
    tiers: fields.Tiers | None = None
    like_import: bool = False
    rollover: fields.Rollover | None = None
    apply: Literal["this_bill", "next_bill"] = "this_bill"
    limit: fields.Limit | None = None
    expires_after: Annotated[int, Meta(ge=1, le=1200)] | None = None
    true_up: fields.TrueUp | None = None
    across: fields.Weights | None = None
    becomes: fields.Becomes | None = None
    uncompensated: Annotated[Decimal, Meta(ge=0)] | None = None
    credited: fields.Shares | None = None

    @property
    def keeps(self) -> fields.Rollover:
        """What of the rest the next bill has."""
        return self.rollover or ("kwh" if self.scheme == "net_metering" else "none")

    @property
    def limits(self) -> fields.Limit:
        """How much money is used."""
        alone = self.scheme != "net_metering" and self.keeps == "none"
        return self.limit or ("none" if alone else "energy")

    @property
    def nets(self) -> Netting | None:
        """Over what imports and exports are netted; None where they are not, or over the bill."""
        return self.netting or ("interval" if self.scheme == "net_billing" else None)

    def measures(self) -> dict[str, Measure]:
        """Measure the exports after netting, and the time."""
        metered: dict[str, Measure] = {}
        if self.scheme == "net_metering" and self.schedule:
            metered["imported"] = EnergyByPeriod(self.schedule)
        return {
            **metered,
            "exported": Exported(self.channel, self.nets, self.schedule),
            "months": BillMonth(),
            "days": Days(),
            "bill_days": BillDays(),
        }

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
        """Credit the energy, then the money, then keep the rest."""
        yield from settled(self, measured, bill)

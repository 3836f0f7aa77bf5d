"""The charge `export`: what a site is given for the energy that it exports.

Three schemes: net metering (exported kWh offset imported kWh, the rest is kept in a bank), net
billing (what is left after netting each interval or hour is sold) and buy-all-sell-all (all that is
generated is sold). What is kept from bill to bill is a ledger in the state of the charge.
"""

from energia import Charge, hookimpl
from energia_plugins.tariff_export.charge import Export

__all__ = ["Export"]


@hookimpl
def register_charges() -> list[type[Charge]]:
    """Offer the charge."""
    return [Export]

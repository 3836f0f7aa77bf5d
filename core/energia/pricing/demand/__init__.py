"""Demand: the highest power in a window, and what of it is billed."""

from energia.pricing.demand.billing import (
    BillingDemand,
    Demanded,
    Demands,
    Part,
    Ratchet,
    Statistic,
    Times,
    unit_fits,
)
from energia.pricing.demand.peak import BillMonth, Peak

__all__ = [
    "BillMonth",
    "BillingDemand",
    "Demanded",
    "Demands",
    "Part",
    "Peak",
    "Ratchet",
    "Statistic",
    "Times",
    "unit_fits",
]

"""Demand: the highest power in a window, and what of it is billed."""

from energia.pricing.demand.billing import (
    BillingDemand,
    Demanded,
    Demands,
    DemandUnit,
    Interval,
    Least,
    Part,
    Per,
    PowerFactor,
    Ratchet,
    Reset,
    Statistic,
    Times,
    unit_fits,
)
from energia.pricing.demand.charge import BaseDemand, components_of
from energia.pricing.demand.peak import AT, TOTAL, BillMonth, Coarse, Intervals, Peak

__all__ = [
    "AT",
    "TOTAL",
    "BaseDemand",
    "BillMonth",
    "BillingDemand",
    "Coarse",
    "DemandUnit",
    "Demanded",
    "Demands",
    "Interval",
    "Intervals",
    "Least",
    "Part",
    "Peak",
    "Per",
    "PowerFactor",
    "Ratchet",
    "Reset",
    "Statistic",
    "Times",
    "components_of",
    "unit_fits",
]

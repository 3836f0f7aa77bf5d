"""PySAM 8 (NREL's System Advisor Model): each case by its components, month by month."""

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

from energia.errors import EnergiaError
from tests.accuracy import pricing, sam, spot
from tests.accuracy.outcomes import Outcome, Source, compared

#: The quirks of the engine that the README of the data names, and what they change.
QUIRKS = {
    "c022": "SAM charges nothing above a finite last tier; here its price goes on, with a warning",
    "c031": "SAM charges nothing above a finite last tier; here its price goes on, with a warning",
}
#: The charges of each component that is compared.
_COMPONENTS = {
    "monthly_demand_flat_charge": ("demand_flat",),
    "monthly_demand_tou_charge": ("demand_tou",),
    "monthly_fixed_charge": ("fixed",),
}
_MINIMUMS = ("minimum", "minimum_bill", "minimum_year")


def source(folder: Path) -> Source:
    """Price all cases in the folder `cases`."""
    outcomes = [case(folder, path) for path in sorted((folder / "cases").glob("*.json"))]
    known = {name: why for name, why in QUIRKS.items() if name in {one.case for one in outcomes}}
    return Source(
        "PySAM 8.0.0", "energy, demand, fixed, minimum, bill of 12 months", outcomes, known
    )


def case(folder: Path, path: Path) -> Outcome:
    """Price one case."""
    given = pricing.read(path)
    try:
        return _compared(folder, given)
    except EnergiaError as error:
        faults = "; ".join(f"{one.pointer}: {one.message}" for one in error.faults[:2])
        return Outcome(given["id"], "refused", faults or str(error))


def _compared(folder: Path, given: Mapping[str, Any]) -> Outcome:
    inputs, minutes = given["pysam_overrides"], given["interval_minutes"]
    expected, name = given["expected"], given["id"]
    exports = given["generation"] is not None
    body = pricing.document(
        pricing.undated(given["urdb"]),
        demand_interval=minutes,
        exports="include" if exports else "leave_out",
    )
    if exports:
        body = sam.with_exports(body, inputs)
    if inputs.get("ur_enable_billing_demand"):
        body = sam.with_ratchet(body, inputs)
    body = _daily(body)
    dynamic = bool(inputs.get("ur_en_ts_buy_rate"))
    prices = spot.prices(inputs) if dynamic else {}
    if dynamic:
        body = spot.body(body)
    usage = _usage(folder, given)
    state = sam.peaks(inputs, "demand_flat")
    costs = pricing.monthly(body, usage, state=state, prices=prices)
    if exports:
        found = {"monthly_bill": pricing.totals(costs)}
        return compared(name, found, {"monthly_bill": expected["monthly_bill"]})
    components = {what: pricing.parts(costs, *codes) for what, codes in _COMPONENTS.items()}
    energy = pricing.parts(costs, "energy")
    if name in spot.CORRECT:
        return spot.corrected(name, energy)
    found = components | {
        "monthly_energy_charge_gross": energy,
        "monthly_minimum_topup": pricing.parts(costs, *_MINIMUMS),
    }
    names = list(found)
    if "monthly_energy_charge" in expected and not _rolls_over(expected):
        found["monthly_bill"] = pricing.totals(costs)
        names.append("monthly_bill")
    return compared(name, found, {what: expected[what] for what in names})


def _rolls_over(expected: Mapping[str, Any]) -> bool:
    """Tell whether SAM carried a negative charge into the next month (case c070)."""
    return list(expected["monthly_energy_charge"]) != list(expected["monthly_energy_charge_gross"])


def _daily(body: dict[str, Any]) -> dict[str, Any]:
    """Return the tariff with amounts for a day as SAM takes them: 365/12 of them each month."""
    (version,) = body["versions"]
    for charge in version["charges"]:
        if charge["kind"] in ("fixed", "minimum") and charge.get("per") == "day":
            amount = Fraction(charge["amount"]) * Fraction(365, 12)
            charge |= {"amount": _text(amount), "per": "bill"}
    return body


def _text(amount: Fraction) -> str:
    return f"{float(round(amount, 12)):.12f}"


def _usage(folder: Path, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return import and export of each slot."""
    step, start = given["interval_minutes"] * 60, pricing.instant(pricing.YEAR)
    load = pricing.watt_hours(folder / given["load"])
    if given["generation"] is None:
        return {"import": pricing.series(start, step, load)}
    generation = pricing.watt_hours(folder / given["generation"])
    option = given["pysam_overrides"]["ur_metering_option"]
    taken, given_back = sam.flows(load, generation, option)
    flows = {"import": taken, "export": given_back}
    return {role: pricing.series(start, step, values) for role, values in flows.items()}

"""The ratebook engine: exact decimals over windows that are no months, and its own vectors."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from energia.errors import EnergiaError
from energia.pricing.engine import price
from tests.accuracy import pricing
from tests.accuracy.outcomes import Outcome, Source, compared

_DAY = 86400
_HOUR = 3600


def bills(folder: Path) -> Source:
    """Price all tariffs of the data set over four windows each, without their holidays."""
    given = pricing.read(folder / "expected_bills_nonaligned_windows.json")["bills"]
    tariffs = folder / "ratebook-data" / "dataset" / "tariffs"
    outcomes = [_bill(folder, tariffs / bill["tariff"], bill) for bill in given]
    number = len({bill["tariff"] for bill in given})
    about = f"{number} tariffs, windows of 29 to 33 days: energy, fixed charges, total, exactly"
    return Source("ratebook 0.1.0 (ratebook)", about, outcomes)


def vectors(folder: Path) -> Source:
    """Price the vectors of its tests, and the real bill of PECO."""
    tests = folder / "ratebook" / "tests" / "vectors"
    cases = pricing.read(tests / "v0_bills.json")["cases"]
    cases += pricing.read(tests / "v0_holidays.json")["bill_cases"]
    outcomes = [_vector(case) for case in cases] + [_peco()]
    refused = {
        case["name"]: "the vector is one that ratebook refuses too: a charge for demand"
        for case in cases
        if not case["expected"]["ok"]
    }
    about = "made-up bills with holidays, and a real one of PECO to the cent"
    return Source("ratebook tests (ratebook)", about, outcomes, refused)


def _bill(folder: Path, path: Path, bill: Mapping[str, Any]) -> Outcome:
    name = f"{path.stem} {bill['start']}"
    source = pricing.read(path)
    source = {**source, "effective_range": None}
    source["schedule"] = {**source["schedule"], "holiday_policy": "unknown"}
    load = pricing.watt_hours((folder / bill["load"]).resolve())
    first, hours = bill["load_offset_hours"], bill["days"] * 24
    part = load[first : first + hours]
    expected = {"energy": [bill["energy"]], "fixed": [bill["fixed"]], "total": [bill["total"]]}
    return _priced(name, source, date.fromisoformat(bill["start"]), part, expected)


def _vector(case: Mapping[str, Any]) -> Outcome:
    expected, usage = case["expected"], case["usage"]
    hours = case["window"]["days"] * 24
    if "hourly_kwh" in usage:
        micro = [round(Fraction(value) * 10**6) for value in usage["hourly_kwh"]]
    else:  # all of it in one hour: tiers do not see the difference
        micro = [0] * hours
        micro[12] = round(Fraction(usage["total_kwh"]) * 10**6)
    wanted = {"total": [expected["total"] or "0"], "energy": [expected["energy_charge"]]}
    start = date.fromisoformat(case["window"]["start"])
    return _priced(case["name"], case["tariff"], start, micro, wanted)


def _peco() -> Outcome:
    """Compare with a bill that was really paid: 30 days from 2026-04-28, 1244 kWh, 276.35."""
    supply = sum(map(Decimal, ("0.10276", "0.10237", "0.00787")))
    fixed = sum(map(Decimal, ("11.29", "0.15", "-0.06")))
    rate = {"energyratestructure": [[{"rate": supply}]], "fixedchargefirstmeter": fixed}
    body = pricing.document(rate)
    total = _total(body, date(2026, 4, 28), [1244 * 10**6] + [0] * (30 * 24 - 1))
    near = abs(total - Fraction("276.35")) <= Fraction("0.01")
    detail = "" if near else f"{float(total):.4f}, not 276.35"
    return Outcome("PECO Rate R, a real bill", "equal" if near else "differs", detail)


def _priced(
    name: str,
    source: Mapping[str, Any],
    start: date,
    micro: Any,
    expected: Mapping[str, list[str]],
) -> Outcome:
    try:
        body = pricing.document(source, "ratebook", exports="leave_out")
    except EnergiaError as error:
        return Outcome(name, "refused", str(error))
    found = {
        what: [_total(body, start, micro, *codes)]
        for what, codes in (("total", ()), ("energy", ("energy",)), ("fixed", ("fixed",)))
    }
    return compared(name, found, expected, exact=True)


def _total(body: Mapping[str, Any], start: date, micro: Any, *begins: str) -> Fraction:
    """Return what the window costs, or the part of it of charges whose codes begin so."""
    at = pricing.instant(start.year, start.month, start.day)
    usage = {"import": pricing.series(at, _HOUR, micro)}
    days = timedelta(seconds=len(micro) * _HOUR) // timedelta(days=1)
    cost = price(pricing.tariff(body), usage, at, at + days * _DAY)
    if not begins:
        return Fraction(cost.total)
    return sum(_amounts(cost, begins), Fraction(0))


def _amounts(cost: Any, begins: tuple[str, ...]) -> Iterator[Fraction]:
    for line, detail in zip(cost.lines, cost.details, strict=True):
        if str(detail.charge).startswith(begins):
            yield Fraction(line.exact)

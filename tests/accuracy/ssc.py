"""NREL's own tests of SSC: the first year of each, without and with generation."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from energia.errors import EnergiaError
from tests.accuracy import pricing, sam
from tests.accuracy.outcomes import Outcome, Source, compared

_FOUR_PERIODS = 4
#: Usage is so many times that of the tests, whose numbers have more digits than a micro-kWh.
_SCALE = 1000


def source(folder: Path) -> Source:
    """Price every test of which there are inputs and a run."""
    runs = {run["test"]: run for run in pricing.read(folder / "pysam8_rerun_year1.json")}
    tests = pricing.read(folder / "utilityrate5_tests.json")
    outcomes = [_case(folder, one["inputs"], runs[one["test"]]) for one in tests]
    errors = [run for run in runs.values() if "error" in run]
    outcomes += [_case(folder, None, run) for run in errors if run["test"] not in _names(tests)]
    known = {run["test"]: f"SSC refuses it: {run['error'][:90]}" for run in errors}
    about = "bills of 12 months, with generation and without"
    return Source("NREL/ssc tests (nrel-ssc)", about, outcomes, known)


def _names(tests: Sequence[Mapping[str, Any]]) -> set[str]:
    return {one["test"] for one in tests}


def _case(folder: Path, inputs: Mapping[str, Any] | None, run: Mapping[str, Any]) -> Outcome:
    name = run["test"]
    if "error" in run or inputs is None:
        return Outcome(name, "refused", "SSC refuses it: nothing to compare")
    try:
        return _compared(folder, inputs, run)
    except EnergiaError as error:
        faults = "; ".join(f"{one.pointer}: {one.message}" for one in error.faults[:2])
        return Outcome(name, "refused", faults or str(error))


def _compared(folder: Path, inputs: Mapping[str, Any], run: Mapping[str, Any]) -> Outcome:
    minutes = run["interval_minutes"]
    load, generation = (
        pricing.kilowatts(folder / run[name], minutes, _SCALE)
        for name in ("load", "generation_year1")
    )
    if len(load) < len(generation):  # hours of load over quarters of generation
        load = tuple(value for value in load for _ in range(60 // minutes))
    rate = sam.rate(inputs, _SCALE)
    alone = pricing.document(rate, demand_interval=minutes, exports="leave_out")
    if inputs.get("ur_enable_billing_demand"):
        alone = sam.with_ratchet(alone, inputs, _SCALE)
    found = {"without": _bills(alone, inputs, {"import": load}, minutes)}
    expected = {"without": run["pysam8"]["monthly_bill_wo_sys"]}
    both = pricing.document(rate, demand_interval=minutes, exports="include")
    if inputs.get("ur_enable_billing_demand"):
        both = sam.with_ratchet(both, inputs, _SCALE)
    both = sam.with_exports(both, inputs, _SCALE)
    if len(rate["energyratestructure"]) == _FOUR_PERIODS:
        both = sam.seasonal(both)
    taken, given = sam.flows(load, generation, int(inputs["ur_metering_option"]))
    found["with"] = _bills(both, inputs, {"import": taken, "export": given}, minutes)
    expected["with"] = run["pysam8"]["monthly_bill_w_sys"]
    return compared(run["test"], found, expected)


def _bills(
    body: dict[str, Any],
    inputs: Mapping[str, Any],
    flows: Mapping[str, Sequence[int]],
    minutes: int,
) -> list[Fraction]:
    start = pricing.instant(pricing.YEAR)
    usage = {role: pricing.series(start, minutes * 60, values) for role, values in flows.items()}
    return pricing.totals(pricing.monthly(body, usage, state=_state(body, inputs)))


def _state(body: Mapping[str, Any], inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the peaks of the year before, for every charge that has a ratchet."""
    found: dict[str, Any] = {}
    if inputs.get("ur_enable_billing_demand"):
        for charge in body["versions"][0]["charges"]:
            if "ratchet" in (charge.get("demand") or charge):
                found |= sam.peaks(inputs, charge["code"], _SCALE)
    return found

"""What tariff documents are refused for: every fault at once, each with its JSON pointer."""

from typing import Any

import pytest

from energia.errors import Invalid, VersionsOverlap
from tests.core.pricing.documents import CONVERTER, document, read

FLAT = {"kind": "energy.flat", "rate": "0.15"}


def time_of_use(rules: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """Return a charge with the rates of the periods that the rules name."""
    rates = {rule["period"]: "1" for rule in rules}
    if "default" in more:
        rates[more["default"]] = "1"
    return {"kind": "energy.time_of_use", "schedule": {"rules": rules, **more}, "rates": rates}


def faults(value: object) -> dict[str | None, str]:
    """Return the codes of the faults of a document, by pointer."""
    with pytest.raises(Invalid) as refused:
        read(value)
    return {fault.pointer: fault.code for fault in refused.value.faults}


def of_versions(*versions: dict[str, Any]) -> dict[str, Any]:
    """Return a tariff with these versions."""
    return {**document([]), "versions": [{"charges": [FLAT], **version} for version in versions]}


def test_a_document_comes_back_as_it_was_sent() -> None:
    """What is read and written again is the same, with the defaults stated."""
    rule = {
        "period": "night",
        "days": ["all"],
        "from": "22:00",
        "to": "06:00",
        "season": {"from": "10-01", "to": "03-31"},
    }
    charge = time_of_use([rule], default="day", clock="+00:00")
    rounding = {
        "unit_price_decimals": 5,
        "amount_decimals": None,
        "mode": "half_even",
        "level": "total",
    }
    sent = document(
        [charge | {"code": "energy", "description": "Energy", "channel": "export"}],
        "Europe/London",
        valid_to="2030-01-01",
        holidays=["2026-04-03"],
        weekend_days=["sun"],
        rounding=rounding,
    )

    written = CONVERTER.unstructure(read(sent))

    # `unit_price_decimals` is None by default, so it is left out where it is None.
    assert written == sent


def test_every_fault_is_told_at_once() -> None:
    """One refusal names everything that a document contradicts itself in."""
    gap = time_of_use([{"period": "day", "days": ["weekday"], "from": "06:00", "to": "22:00"}])
    value = {
        "name": "x",
        "currency": "XQX",
        "timezone": "Mars/Olympus",
        "versions": [
            {"valid_from": "2026-01-01", "charges": [FLAT, FLAT]},
            {"valid_from": "2026-06-01", "valid_to": "2026-06-01", "charges": [gap]},
        ],
    }

    assert faults(value) == {
        "/currency": "unknown_currency",
        "/timezone": "unknown_timezone",
        "/versions/0/valid_to": "versions_overlap",
        "/versions/0/charges/0/code": "missing_code",
        "/versions/0/charges/1/code": "missing_code",
        "/versions/1/valid_to": "empty_version",
        "/versions/1/charges/0/schedule": "incomplete_schedule",
    }


def test_a_fault_hides_no_other() -> None:
    """What a charge or a version is refused for leaves the rest of the document to be checked."""
    gap = time_of_use([{"period": "day", "days": ["weekday"], "from": "06:00", "to": "22:00"}])
    charges = [{"kind": "solar"}, gap | {"rates": 5}, FLAT | {"rate": "x"}, FLAT | {"code": "a b"}]
    value = {
        "name": 7,
        "currency": "QQQ",
        "timezone": "X/Y",
        "versions": [
            {"valid_from": "2026-01-01", "charges": charges, "rounding": {"mode": "up"}},
            {"valid_from": "2026-06-01", "valid_to": "2026-06-01", "charges": [], "x": 1},
            {"valid_from": "never", "charges": [FLAT]},
            5,
        ],
    }

    assert faults(value) == {
        "/name": "wrong_type",
        "/currency": "unknown_currency",
        "/timezone": "unknown_timezone",
        "/versions/0/valid_to": "versions_overlap",
        "/versions/0/charges/0/kind": "unknown_kind",
        "/versions/0/charges/1/rates": "wrong_type",
        "/versions/0/charges/1/schedule": "incomplete_schedule",
        "/versions/0/charges/2/rate": "wrong_type",
        "/versions/0/charges/2/code": "missing_code",
        "/versions/0/charges/3/code": "bad_pattern",
        "/versions/0/rounding/mode": "unknown_value",
        "/versions/1/valid_to": "empty_version",
        "/versions/1/charges": "too_short",
        "/versions/1/x": "unknown_field",
        "/versions/2/valid_from": "wrong_type",
        "/versions/3": "wrong_type",
    }


def test_an_unknown_kind_is_named_with_those_that_are_known() -> None:
    """A charge that no plugin offers is refused with the nearest kind, and all that there are."""
    with pytest.raises(Invalid) as refused:
        read(document([FLAT, {"kind": "energy.flatt"}]))

    (fault,) = refused.value.faults
    said, _, known = fault.message.partition("; known are: ")
    assert (fault.code, fault.pointer) == ("unknown_kind", "/versions/0/charges/1/kind")
    assert said == "there is no kind 'energy.flatt' (did you mean 'energy.flat'?)"
    assert {"energy.flat", "fixed"} <= set(known.split(", "))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-inf", "1e400", "1,5", "", True, [], {}])
def test_a_rate_that_is_no_number_is_refused(number: object) -> None:
    """A rate is a finite decimal number, or its text."""
    found = faults(document([{"kind": "fixed", "per": "day", "amount": number}]))

    assert list(found) == ["/versions/0/charges/0/amount"]


@pytest.mark.parametrize(
    ("versions", "pointer"),
    [
        ([{"valid_from": "2026-01-01"}, {"valid_from": "2026-02-01"}], "/versions/0/valid_to"),
        (
            [
                {"valid_from": "2026-02-01"},
                {"valid_from": "2026-01-01", "valid_to": "2026-02-02"},
            ],
            "/versions/1/valid_to",
        ),
        (
            [
                {"valid_from": "2026-01-01", "valid_to": "2026-02-01"},
                {"valid_from": "2026-01-01", "valid_to": "2026-02-01"},
            ],
            "/versions/0/valid_to",
        ),
    ],
)
def test_overlapping_versions_are_refused(versions: list[dict[str, Any]], pointer: str) -> None:
    """Versions follow each other; only the last one may be open."""
    with pytest.raises(VersionsOverlap) as refused:
        read(of_versions(*versions))

    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@pytest.mark.parametrize(
    ("charges", "pointer", "code"),
    [
        ([], "/versions/0/charges", "too_short"),
        ([{**FLAT, "code": "a"}, {"kind": "fixed", "per": "day", "amount": 1, "code": "a"}],
         "/versions/0/charges/1/code", "duplicate_code"),
        ([{"kind": "fixed", "per": "day", "amount": 1, "code": "energy.flat"}, FLAT],
         "/versions/0/charges/1/code", "duplicate_code"),
        ([{**FLAT, "colour": "green"}], "/versions/0/charges/0/colour", "unknown_field"),
        ([{**FLAT, "channel": "UC-1"}], "/versions/0/charges/0/channel", "bad_pattern"),
        ([{"rate": 1}], "/versions/0/charges/0/kind", "missing_field"),
        (["energy.flat"], "/versions/0/charges/0", "wrong_type"),
    ],
)  # fmt: skip
def test_charges_that_do_not_fit_are_refused(charges: list[Any], pointer: str, code: str) -> None:
    """Each fault of the list of charges has its place."""
    assert faults(document(charges)) == {pointer: code}


SCHEDULE = "/versions/0/charges/0/schedule"


@pytest.mark.parametrize(
    ("rule", "pointer", "code"),
    [
        ({"from": "08:00", "to": "08:00"}, "/to", "empty_window"),
        ({"from": "24:00"}, "/from", "bad_pattern"),
        ({"to": "24:01"}, "/to", "bad_pattern"),
        ({"from": "8:00"}, "/from", "bad_pattern"),
        ({"days": []}, "/days", "too_short"),
        ({"days": ["funday"]}, "/days/0", "unknown_day_type"),
        ({"season": {"from": "02-30", "to": "03-01"}}, "/season/from", "no_such_day"),
        ({"season": {"from": "13-01", "to": "03-01"}}, "/season/from", "bad_pattern"),
        ({"season": {"from": "last_sun_october", "to": "03-01"}}, "/season/from", "bad_pattern"),
        ({"season": {"from": "06-01"}}, "/season/to", "to_or_until"),
        (
            {"season": {"from": "06-01", "to": "06-30", "until": "07-01"}},
            "/season/to",
            "to_or_until",
        ),
        ({"season": {"from": "06-01", "until": "06-01"}}, "/season/until", "empty_season"),
        ({"season": {"from": "10-28", "to": "last_sun_oct"}}, "/season/to", "ambiguous_season"),
    ],
)
def test_rules_that_do_not_fit_are_refused(rule: dict[str, Any], pointer: str, code: str) -> None:
    """Each fault of a rule has its place."""
    charge = time_of_use([{"period": "a", "days": ["all"], **rule}], default="b")

    assert faults(document([charge])) == {f"{SCHEDULE}/rules/0{pointer}": code}


def test_a_clock_is_local_or_an_offset() -> None:
    """A schedule does not run on the clock of another zone."""
    charge = time_of_use([], default="a", clock="Europe/London")

    assert faults(document([charge])) == {f"{SCHEDULE}/clock": "bad_pattern"}


def test_rates_and_periods_match() -> None:
    """A period without a rate and a rate without a period are both refused."""
    charge = time_of_use([{"period": "peak", "days": ["mon"]}], default="low")
    charge["rates"] = {"low": "1", "pike": "2"}

    assert faults(document([charge])) == {
        "/versions/0/charges/0/rates/peak": "missing_rate",
        "/versions/0/charges/0/rates/pike": "unknown_period",
    }

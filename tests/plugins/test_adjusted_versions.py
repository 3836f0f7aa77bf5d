"""Bills across two versions of a tariff, with charges that are for a whole bill."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff, tariff_converter
from tests.core.pricing.documents import exact_total, instant, series

CONVERTER = tariff_converter(Plugins.installed().charges())
FLAT: dict[str, Any] = {"kind": "energy.flat", "rate": "1"}
UNROUNDED = {"amount_decimals": None}
BANDS = [{"up_to": "30", "rate": "0"}, {"up_to": "60", "rate": "0.10"}, {"rate": "0.20"}]


def cost(charges: list[dict[str, Any]], kwh: int, *, cut: int | None) -> Cost:
    """Price June, with as much energy each day, by one version or by two that are alike."""
    dates = ["2026-01-01", *([] if cut is None else [f"2026-06-{cut:02}"])]
    ends: list[dict[str, Any]] = [{"valid_to": date} for date in dates[1:]]
    versions = [
        {"valid_from": date, "charges": charges, "rounding": UNROUNDED, **end}
        for date, end in zip(dates, [*ends, {}], strict=True)
    ]
    body = {"name": "T", "currency": "USD", "timezone": "UTC", "versions": versions}
    start, end = instant("2026-06-01T00:00:00Z"), instant("2026-07-01T00:00:00Z")
    usage = series(start, 86_400, [kwh * 1_000_000] * 30)
    return price(CONVERTER.structure(body, Tariff), {"import": usage}, start, end)


CUTS = st.integers(2, 30)
TIERS = [{"up_to": "40", "percent": "-50"}, {"percent": "10"}]


@given(st.integers(0, 5), CUTS)
def test_blocks_and_caps_count_by_days(kwh: int, cut: int) -> None:
    """Two versions that are alike cost what one does."""
    charges = [FLAT, {"kind": "percent", "tiers": TIERS, "cap": "7"}]

    assert exact_total(cost(charges, kwh, cut=cut)) == exact_total(cost(charges, kwh, cut=None))


@given(st.integers(0, 5), CUTS)
def test_a_whole_band_is_that_of_the_whole_bill(kwh: int, cut: int) -> None:
    """The energy of a part stands for that of all days."""
    icms = {"name": "icms", "bands": BANDS}
    charges = [FLAT, {"kind": "tax", "form": "inside_product", "taxes": [icms]}]

    assert exact_total(cost(charges, kwh, cut=cut)) == exact_total(cost(charges, kwh, cut=None))


@given(st.integers(0, 5), CUTS)
def test_a_table_is_charged_once(kwh: int, cut: int) -> None:
    """By the last version, for all energy of the bill."""
    rows = [{"up_to": "60", "amount": "3", "rate": "0.5"}, {"amount": "8"}]
    charges = [FLAT, {"kind": "table", "rows": rows}]
    found = cost(charges, kwh, cut=cut)

    assert exact_total(found) == exact_total(cost(charges, kwh, cut=None))
    assert [one.code for one in found.lines].count("table") == 1


@given(st.integers(1, 5), CUTS)
def test_a_table_of_the_lines_of_each_version_counts_by_days(kwh: int, cut: int) -> None:
    """Their amounts are each version's own."""
    rows = [{"up_to": "60", "amount": "3", "percent": "5"}, {"amount": "9"}]
    charges = [FLAT, {"kind": "table", "rows": rows, "by": "amount"}]
    found = cost(charges, kwh, cut=cut)

    assert exact_total(found) == exact_total(cost(charges, kwh, cut=None))
    assert [one.code for one in found.lines].count("table") == 2


def test_what_is_prorated_is_told() -> None:
    """Nobody is surprised by half a band."""
    charges = [FLAT, {"kind": "percent", "tiers": TIERS}]

    assert [one.code for one in cost(charges, 1, cut=11).assumptions] == ["prorated_by_days"]
    assert cost(charges, 1, cut=None).assumptions == ()

"""What holds wherever one version of a tariff follows another."""

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from energia.costing.compare import compare
from energia.pricing.engine import price
from energia.time import DAY, Zone
from tests.core.pricing.documents import document, exact_amounts, exact_total, read, series
from tests.core.pricing.test_engine_laws import ZONES, tariffs, values

cuts = st.lists(st.integers(1, 9), min_size=1, max_size=3, unique=True).map(sorted)
firsts = st.dates(date(2010, 1, 1), date(2021, 1, 1))


def cut_at(body: dict[str, Any], first: date, at: Sequence[int]) -> dict[str, Any]:
    """Return a tariff whose only version is cut into several that are alike."""
    (version,) = body["versions"]
    begins = ["1990-01-01", *((first + timedelta(days=day)).isoformat() for day in at)]
    ends = [{"valid_to": day} for day in begins[1:]] + [{}]
    versions = [version | {"valid_from": day} | end for day, end in zip(begins, ends, strict=True)]
    return body | {"versions": versions}


@given(st.data(), st.sampled_from(ZONES), firsts, cuts)
def test_cutting_a_version_changes_nothing(
    data: st.DataObject, zone: str, first: date, at: list[int]
) -> None:
    """Energy and what is charged by days cost the same, at whatever days a version is cut."""
    named = Zone.named(zone)
    start, end = named.midnight(first), named.midnight(first + timedelta(days=10))
    body = data.draw(tariffs(start, ("month_days", "annual_days"))) | {"timezone": zone}
    numbers = data.draw(st.lists(values, min_size=20, max_size=20))
    slots = (end - start) // 900
    usage = {"import": series(start, 900, (numbers * (slots // 20 + 1))[:slots])}

    whole, cut = (price(read(one), usage, start, end) for one in (body, cut_at(body, first, at)))

    assert exact_total(cut) == exact_total(whole)
    quantities = [Fraction(one.quantity or 0) for one in whole.lines if one.unit == "kWh"]
    assert sum(Fraction(one.quantity or 0) for one in cut.lines if one.unit == "kWh") == sum(
        quantities
    )


def test_a_tariff_and_its_cut_are_ranked_alike() -> None:
    """A comparison prices windows that cross versions, too: there is no difference."""
    body = document([{"kind": "energy.flat", "rate": "0.50"}])
    start = Zone.named("UTC").midnight(date(2021, 5, 30))
    usage = {"import": series(start, 3600, [1_000_000] * 96)}
    both = [read(body), read(cut_at(body, date(2021, 5, 30), [1, 3]))]

    ranking = compare(both, usage, (start, start + 4 * DAY))

    assert [(one.total, one.difference, len(one.lines)) for one in ranking] == [
        ("48.00", "0.00", 1),
        ("48.00", "0.00", 3),
    ]


@given(st.data(), st.sampled_from(ZONES), firsts, st.integers(1, 9))
def test_the_parts_add_up(data: st.DataObject, zone: str, first: date, at: int) -> None:
    """A window across two versions costs what its parts cost by themselves."""
    named = Zone.named(zone)
    start, end, cut = (named.midnight(first + timedelta(days=day)) for day in (0, 10, at))
    one, other = (data.draw(tariffs(start, ("month_days", "annual_days"))) for _ in range(2))
    begins = (first + timedelta(days=at)).isoformat()
    versions = [
        one["versions"][0] | {"valid_to": begins},
        other["versions"][0] | {"valid_from": begins},
    ]
    tariff = read(one | {"timezone": zone, "versions": versions})
    numbers = data.draw(st.lists(values, min_size=10, max_size=10))
    slots = (end - start) // 1800
    usage = {"import": series(start, 1800, (numbers * (slots // 10 + 1))[:slots])}

    whole = price(tariff, usage, start, end)

    parts = [price(tariff, usage, *part) for part in ((start, cut), (cut, end))]
    assert exact_total(whole) == sum(exact_total(part) for part in parts)
    assert exact_amounts(whole) == [text for part in parts for text in exact_amounts(part)]

"""Random tariffs cost what a second implementation says, and that one is what the docs say."""

import ast
import json
import re
import time
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from random import SystemRandom
from typing import Any

import attrs
import pytest

from tests.accuracy.by_hand import days
from tests.accuracy.by_hand.against import compared
from tests.accuracy.by_hand.bill import bills
from tests.accuracy.by_hand.drawn import ZONES, draw
from tests.accuracy.by_hand.model import Price, Site, rounded
from tests.accuracy.by_hand.run import Summary, try_one
from tests.accuracy.by_hand.smaller import smaller
from tests.accuracy.outcomes import Source
from tests.accuracy.report import page

HERE = Path(__file__).parent
DOCS = HERE.parents[2] / "docs/reference"
BLOCK = re.compile(r"```json (request|answer)\n(.*?)```", re.DOTALL)
SECONDS = {"PT15M": 900, "PT30M": 1800, "PT1H": 3600}
#: Pages whose kinds are worked out by hand; examples with a state begin in the middle of a year.
PAGES = ("energy.flat", "energy.time_of_use", "energy.tiered", "energy.dynamic", "fixed", "percent")
#: So long may fresh tariffs take, and so many there are at most.
BUDGET, MOST = 8, 40


def test_fresh_random_tariffs_cost_what_they_cost_by_hand() -> None:
    """Each run draws others; one that differs is made small, and its seed is printed."""
    until, random = time.monotonic() + BUDGET, SystemRandom()
    for _ in range(MOST):
        found = try_one(random.randrange(2**32))
        assert not found.difference, found.difference
        if time.monotonic() > until:
            break


def example(page_: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the first request of a page of the docs, and its answer."""
    blocks = BLOCK.findall((DOCS / page_).read_text(encoding="utf-8"))
    return json.loads(blocks[0][1], parse_float=str), json.loads(blocks[1][1], parse_float=str)


def site_of(request: dict[str, Any]) -> Site:
    """Return the readings and prices of a request of the docs."""
    usage = request["usage"]
    interval = SECONDS[usage["interval"]]
    begins = int(datetime.fromisoformat(usage["channels"]["import"]["start"]).timestamp())
    readings = {
        role: [int(Fraction(str(value)) * 10**6) for value in channel["values"]]
        for role, channel in usage["channels"].items()
    }
    prices = {name: prices_of(series) for name, series in request.get("prices", {}).items()}
    return Site(request["tariff"]["timezone"], interval, begins, readings, prices)


def prices_of(series: dict[str, Any]) -> list[Price]:
    """Return the prices of a request of the docs."""
    step = SECONDS[series["interval"]]
    begins = int(datetime.fromisoformat(series["start"]).timestamp())
    return [
        Price(begins + index * step, begins + (index + 1) * step, Fraction(value))
        for index, value in enumerate(series["values"])
    ]


def bound(text: str, zone: str) -> int:
    """Return a bound of a request of the docs: a date of the zone, or an instant."""
    when = datetime.fromisoformat(text)
    return int(when.timestamp()) if when.tzinfo else days.midnight(zone, when.date())


@pytest.mark.parametrize("name", [*(f"charges/{kind}.md" for kind in PAGES), "tariffs.md"])
def test_by_hand_the_examples_of_the_docs_are_right(name: str) -> None:
    """The second implementation is held to what people read, not to the engine."""
    request, answer = example(name)
    site, tariff = site_of(request), request["tariff"]
    for version in tariff["versions"]:
        version["charges"] = [{"code": one["kind"], **one} for one in version["charges"]]
    length = len(site.readings["import"]) * site.interval
    window = (
        bound(request["start"], site.zone) if "start" in request else site.start,
        bound(request["end"], site.zone) if "end" in request else site.start + length,
    )

    (bill,) = bills(tariff, site, window)

    assert bill.total == Fraction(answer["total"])
    first = tariff["versions"][0]["valid_from"]
    told = {
        (line["code"], line.get("version", first)): Fraction(line["amount"])
        for line in answer["lines"]
    }
    assert bill.amounts == told


def test_nothing_by_hand_imports_the_engine() -> None:
    """A second implementation that shares code with the first would share its faults."""
    importing = {
        path.name
        for path in HERE.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.ImportFrom) and str(node.module).startswith("energia"))
        or (isinstance(node, ast.Import) and node.names[0].name.startswith("energia"))
    }

    assert importing == {"against.py"}


def test_a_seed_draws_the_same_tariff() -> None:
    """What fails can be drawn again."""
    assert draw(7) == draw(7)


def test_zones_kinds_and_scopes_are_all_drawn() -> None:
    """No zone, kind or scope is left out by accident."""
    drawn = [draw(seed) for seed in range(60)]

    marks = set().union(*(one.marks for one in drawn))
    assert {one.site.zone for one in drawn} == set(ZONES)
    assert {"energy.dynamic", "demand", "export", "percent", "minimum", "tax", "fixed"} <= marks
    assert {"ratchet", "several versions", "several bills", "change of the clock"} <= marks
    scopes = ("pooled_prorated", "per_period", "pooled_chronological", "whole_band")
    assert {f"tiers {scope}" for scope in scopes} <= marks


def test_a_cent_is_a_difference() -> None:
    """The comparison finds what it is for."""
    drawn = draw(1)
    (first, *_) = bills(drawn.tariff, drawn.site, drawn.bounds)
    other = attrs.evolve(first, total=first.total + Fraction(1, 100))
    cost = attrs.make_class("Cost", ["lines", "total"])((), str(float(first.total)))

    assert any(one.startswith("total: ") for one in compared(cost, other))


def test_what_differs_is_made_small() -> None:
    """Charges, versions and bills that have nothing to do with it go."""
    drawn = next(one for one in map(draw, range(200)) if len(one.bounds) > 2 and "tax" in one.marks)

    least = smaller(drawn, lambda one: "tax" in one.marks)

    (version,) = least.tariff["versions"]
    assert [charge["kind"] for charge in version["charges"]] == ["tax"]
    assert len(least.bounds) == 2


@pytest.mark.parametrize(
    ("mode", "values"),
    [("half_up", (13, -13, 12)), ("half_even", (12, -12, 12)), ("down", (12, -12, 12))],
)
def test_halves_are_rounded_as_the_mode_says(mode: str, values: tuple[int, int, int]) -> None:
    """0.125, -0.125 and 0.1249 with two decimals."""
    exact = (Fraction("0.125"), Fraction("-0.125"), Fraction("0.1249"))

    assert [rounded(value, 2, mode) * 100 for value in exact] == list(values)


def test_days_of_an_odd_zone() -> None:
    """Samoa has no 30 December 2011, and São Paulo's 4 November 2018 begins at one o'clock."""
    friday = datetime(2011, 12, 29).date()
    start, end = (days.midnight("Pacific/Apia", friday + timedelta(days=day)) for day in (0, 2))

    assert days.days("Pacific/Apia", start, end) == [friday]
    sunday = days.midnight("America/Sao_Paulo", datetime(2018, 11, 4).date())
    assert sunday == int(datetime.fromisoformat("2018-11-04T01:00:00-02:00").timestamp())


def test_the_page_tells_of_random_tariffs() -> None:
    """How many there were of each zone and kind, and from which seed on."""
    text = page([Source("engine", "bills", [])], Summary((try_one(7),)))

    assert "| tariffs | 1 |" in text
    assert "seeds from 7" in text

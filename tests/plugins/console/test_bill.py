"""A bill as a person reads it: its lines, why each is what it is, its taxes, what was measured."""

import re
from copy import deepcopy
from typing import Any

import pytest

from energia.plugins import Plugins
from energia_plugins.console.bills.lines import lines_of
from energia_plugins.console.bills.why import Why
from energia_plugins.console.words import words
from tests.plugins.console import inn
from tests.plugins.console.service import Answer, Service

#: What the inn has not: other channels, a series of prices, charges of other codes.
_NOT_HERE = frozenset({"export", "reactive", "energy.dynamic", "brazil.scee"})
_NEEDS = ("'charges'", "'registers'", "'channel'", "'of'")
_SIGNS = str.maketrans("\N{MULTIPLICATION SIGN}\N{DIVISION SIGN}\N{MINUS SIGN}", "x/-")


def _said(page: Answer) -> str:
    """Return what a person reads, with the signs of a keyboard."""
    return page.text.translate(_SIGNS)


@pytest.fixture(name="inn_service")
async def _inn_service(open_service: Service) -> Service:
    """Give a service with the inn, whose bill is worked out by hand."""
    await inn.fill(open_service)
    return open_service


async def test_lines(inn_service: Service) -> None:
    """Lines stand in their groups, with the rate without taxes and the price with them."""
    page = await inn_service.get(f"/console/bills/{await inn.issue(inn_service)}")
    assert "Pousada · Principal" in _said(page)
    assert "Verde of the test · contract inn-2026" in _said(page)
    assert "48 of 48 intervals measured" in _said(page)
    energy, rest = _said(page).split(" Demand ", 1)
    assert "P Consumo, ponta, TUSD 100 kWh x 1.25 100 kWh 1 1.25 125.00" in energy
    assert "O Consumo, fora ponta 420 kWh x 0.25 420 kWh 0.2 0.25 105.00" in energy
    assert "Demanda 50 kW x 12.5 50 kW 10 12.5 625.00" in rest
    assert "Demanda, ultrapassagem 10 kW x 25 10 kW 20 25 250.00" in rest
    assert "Other Iluminação pública" in rest
    assert "Total 1,177.50" in rest


async def test_taxes_and_what_was_measured(inn_service: Service) -> None:
    """The tax within is told with its base and share; the highest power with its time."""
    page = await inn_service.get(f"/console/bills/{await inn.issue(inn_service)}")
    assert "Of every BRL 100.00 that are paid, BRL 20.00 are taxes." in _said(page)
    assert "without taxes BRL 942.00 ICMS BRL 235.50" in _said(page)
    assert "ICMS 1,177.50 20.00% 235.50" in _said(page)
    assert "Consumption 520 kWh Mean price BRL 2.264 per kWh" in _said(page)
    assert "Highest power 50 kW When 3 Mar, 19:00" in _said(page)
    assert "ICMS 0.00" not in _said(page)  # it is no line of its own


async def test_why_energy(inn_service: Service) -> None:
    """A line of energy is opened by a link: its slots as a picture, and five steps."""
    bill = await inn.issue(inn_service)
    page = await inn_service.get(f"/console/bills/{bill}?why=0")
    assert "Quantity. The sum of 6 intervals, all of them measured. 100 kWh" in _said(page)
    assert "Rule. peak: on working days, 18:00 to 21:00." in _said(page)
    assert "Rate. Of the tariff Verde of the test, before taxes. BRL 1 per kWh" in _said(page)
    assert "Taxes within. ICMS 20%. 1 / (1 - 0.20) = 1.25" in _said(page)
    assert "Amount. Nothing is left to round. 100 kWh x 1.25 = 125 → BRL 125.00" in _said(page)
    assert page.html.count('class="p6"') == 2  # the hour of 50 kWh, on a phone and wide
    assert page.html.count('class="p2"') == 10  # the five of 10 kWh
    assert 'style="' not in page.html


async def test_why_in_portuguese(inn_service: Service) -> None:
    """The steps are in the words of a Brazilian bill."""
    bill = await inn.issue(inn_service)
    page = await inn_service.get(f"/console/bills/{bill}?why=2", Accept_Language="pt-BR")
    assert "Como chegamos ao total" in _said(page)
    assert "F Consumo, fora ponta" in _said(page)
    assert "A soma de 42 intervalos, todos medidos. 420 kWh" in _said(page)
    assert "fora ponta: todas as horas que não são de outro posto." in _said(page)
    assert "0,2 / (1 - 0,20) = 0,25" in _said(page)
    assert "420 kWh x 0,25 = 105 → R$ 105,00" in _said(page)


async def test_why_demand(inn_service: Service) -> None:
    """Demand is explained by its highest hour and the contract; what exceeds it, by the limit."""
    bill = await inn.issue(inn_service)
    page = await inn_service.get(f"/console/bills/{bill}?why=3")
    assert "The highest power was measured on 3 Mar, 19:00. 50 kW" in _said(page)
    assert "Contracted: 40 kW." in _said(page)
    assert "50 kW, 3 Mar, 19:00; contracted: 40 kW" in _said(page)

    page = await inn_service.get(f"/console/bills/{bill}?why=4")
    assert "50 - 40, as it is above 40 x (1 + 5 %)" in _said(page)
    assert "Above 42 kW, what exceeds the contract costs 2 times BRL 10.00 per kW more." in _said(
        page
    )


async def test_why_a_fixed_amount(inn_service: Service) -> None:
    """An amount for the bill is explained without a picture."""
    bill = await inn.issue(inn_service)
    page = await inn_service.get(f"/console/bills/{bill}?why=5")
    assert "Rule. An amount for each bill." in _said(page)
    assert "<figure>" not in page.html


@pytest.mark.parametrize("why", ["99", "6"])
async def test_a_line_that_is_not_there(inn_service: Service, why: str) -> None:
    """A link to a line that the bill does not show opens nothing."""
    bill = await inn.issue(inn_service)
    page = await inn_service.get(f"/console/bills/{bill}?why={why}")
    assert page.status == 200
    assert "Close" not in _said(page)


async def test_estimated(open_service: Service) -> None:
    """What was estimated is told at the head, in the picture and at the quantity."""
    await inn.fill(open_service, quality="estimated")
    bill = await inn.issue(open_service)
    page = await open_service.get(f"/console/bills/{bill}?why=2")
    assert "47 of 48 intervals measured, 1 estimated" in _said(page)
    assert "1 was estimated: its day is hatched." in _said(page)
    assert "not all of them were measured" in _said(page)
    assert 'fill="url(#hatch-2-358)"' in page.html


async def test_without_leave_to_read(service: Service) -> None:
    """Who may bill and not read sees the bill without names of the site and without pictures."""
    token = await service.token()
    service.client.session.headers["Authorization"] = f"Bearer {token}"
    await inn.fill(service)
    bill = await inn.issue(service)
    del service.client.session.headers["Authorization"]
    await service.sign_in("billing")
    page = await service.get(f"/console/bills/{bill}?why=0")
    assert "1,177.50" in _said(page)
    assert "Pousada" not in _said(page)
    assert "<figure>" not in page.html
    assert "100 kWh x 1.25 = 125" in _said(page)


async def test_every_kind_of_charge_is_explained(inn_service: Service) -> None:
    """Each line of the examples of charges has its steps, which say times as people do."""
    tariff: dict[str, Any] = deepcopy(inn.TARIFF)
    kinds = Plugins.installed().charges()
    examples = (
        example
        for name in kinds.keys() - _NOT_HERE
        for example in kinds[name].examples
        if not any(needed in f"{example}" for needed in _NEEDS)
    )
    coded = [{**example, "code": f"c{index}"} for index, example in enumerate(examples)]
    tariff["versions"][0]["charges"] += coded
    await inn.send(inn_service, "PUT", "/v1/tariffs/verde", tariff)
    bill = await inn.draft(inn_service)
    billed = await inn.send(inn_service, "GET", f"/v1/bills/{bill}")
    explained = await inn.send(inn_service, "GET", f"/v1/bills/{bill}/explain")
    assert len(billed["lines"]) > 40
    for spoken in (words("en"), words("pt-BR")):
        lines = lines_of(spoken, billed, explained["lines"])
        why = Why(spoken, billed, explained, lines, "Verde")
        for line in lines:
            steps = why.steps(line.index)
            said = " ".join(text for step in steps for text in (*step.texts, *step.sums))
            assert steps[-1].title == spoken.text("Amount"), line
            assert all(step.texts or step.sums for step in steps), line
            assert re.search(r"\d{4}-\d\d-\d\dT", said) is None, line

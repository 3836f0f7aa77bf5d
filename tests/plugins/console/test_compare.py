"""The page that compares tariffs."""

import pytest
from playwright.async_api import Browser

from tests.plugins.console.browser import tab_of
from tests.plugins.console.customers import send
from tests.plugins.console.service import Service
from tests.plugins.console.two_months import (
    BY_TIME,
    DEMAND,
    FLAT,
    METER,
    agree,
    make_shop,
    make_tariffs,
    read_two_months,
    tariff,
)

_PATH = f"/console/compare?meter={METER}&first=2026-01&last=2026-02"


@pytest.fixture(name="shop")
async def _shop(open_service: Service) -> Service:
    """Give a service with two months of a shop whose tariff is flat, and another tariff."""
    await make_shop(open_service.client)
    await read_two_months(open_service.client)
    flat, by_time = tariff("All day", FLAT), tariff("Day and evening", BY_TIME)
    await make_tariffs(open_service.client, flat=flat, by_time=by_time)
    await agree(open_service.client, "flat")
    return open_service


async def test_which_is_the_cheapest_and_by_how_much(shop: Service) -> None:
    """637.20 less 634.25, in both months; 36 x 59 kWh; the contract's tariff is told as yours."""
    page = await shop.get(_PATH, Accept_Language="en")

    assert page.status == 200
    assert "GBP 2.95 less than yours, All day, in 2 months" in page.text
    assert "less in every month." in page.text
    assert "Main meter · January 2026 to February 2026 · 2,124 kWh · 100% read" in page.text
    assert "Day and evening 634.25 317.13 0.299 −2.95" in page.text  # noqa: RUF001
    assert "All day yours 637.20 318.60 0.300" in page.text


async def test_the_costs_of_each_month(shop: Service) -> None:
    """January has 31 days at 10.80 and 10.75, February 28."""
    page = await shop.get(_PATH, Accept_Language="en")

    assert "January 2026 334.80 333.25 February 2026 302.40 301.00 Sum 637.20 634.25" in page.text
    assert page.html.count('role="img"') == 4


async def test_when_another_one_would_be_the_cheapest(shop: Service) -> None:
    """0.25 + 0.35 s is 0.30 at a seventh of the energy in the peak; five of 36 kWh are there."""
    page = await shop.get(_PATH, Accept_Language="en")

    assert "When more than 14.3% of the energy is in the peak" in page.text
    assert "then All day is the cheapest. Today it is 13.9% ." in page.text
    assert "4 kWh a month more in the peak of Day and evening, on top of 148 kWh" in page.text


async def test_demand_stays_as_it_is_when_energy_moves(shop: Service) -> None:
    """A tariff with a price of demand is on a line, as the highest hours are left as they are."""
    by_demand = tariff("With demand", {**BY_TIME, "code": "energy"}, DEMAND)
    await make_tariffs(shop.client, with_demand=by_demand)
    page = await shop.get(f"{_PATH}&tariff=flat&tariff=with_demand", Accept_Language="en")

    assert "GBP 37.05 more in 2 months" in page.text
    assert "When less than 8.9% of the energy is in the peak" in page.text
    assert "Not told of" not in page.text


async def test_what_is_on_no_line_is_left_out(shop: Service) -> None:
    """A minimum that holds as read, and no more with energy in the peak, bends the line."""
    least = {"kind": "minimum", "amount": "333", "per": "bill"}
    await make_tariffs(shop.client, least=tariff("At least", BY_TIME, least))
    page = await shop.get(f"{_PATH}&tariff=flat&tariff=least", Accept_Language="en")

    assert "Not told of At least" in page.text


async def test_where_the_difference_comes_from(shop: Service) -> None:
    """The flat price is divided as the readings are: 5/36 of 637.20 is 88.50 in the peak."""
    page = await shop.get(_PATH, Accept_Language="en")

    assert (
        "Day and evening saves GBP 91.45 on energy off-peak, but costs GBP 88.50 more on energy "
        "in the peak." in page.text
    )
    assert "P Energy in the peak 88.50 +88.50" in page.text
    assert "O Energy off-peak 548.70 −91.45" in page.text  # noqa: RUF001


async def test_the_page_in_portuguese(shop: Service) -> None:
    """Numbers and words are those of a Brazilian bill."""
    page = await shop.get(_PATH, Accept_Language="pt-BR")

    assert "Qual tarifa é a mais barata?" in page.text
    assert "Teria custado £ 2,95 a menos que a sua, All day, em 2 meses" in page.text
    assert "Quando mais de 14,3 % do consumo cair na ponta" in page.text
    assert "P Consumo na ponta 88,50 +88,50" in page.text


async def test_without_a_window_it_is_what_was_read_last(shop: Service) -> None:
    """Both months, though nothing was read since."""
    page = await shop.get("/console/compare", Accept_Language="en")

    assert "January 2026 to February 2026" in page.text


async def test_without_a_meter_it_is_the_one_that_was_read_last(shop: Service) -> None:
    """Not the first of the alphabet, which nobody has read."""
    channel = {"id": "import", "quantity": "active_energy", "direction": "import"}
    channel |= {"unit": "kWh", "interval": "PT1H"}
    await send(shop.client, "PUT", "/v1/meters/a", {"site": "shop", "channels": [channel]})
    page = await shop.get("/console/compare", Accept_Language="en")

    assert "January 2026 to February 2026" in page.text


async def test_a_tariff_that_cannot_be_priced_is_left_out_and_says_why(shop: Service) -> None:
    """It charges reactive energy, which the meter does not measure; the others are compared."""
    reactive = {"kind": "energy.flat", "channel": "reactive_energy.import", "rate": "1"}
    await make_tariffs(shop.client, reactive=tariff("Reactive", reactive))
    page = await shop.get(_PATH, Accept_Language="en")

    assert "Left out: Reactive : it charges something that this meter does not measure." in (
        page.text
    )
    assert "GBP 2.95 less" in page.text


async def test_readings_that_are_missing_are_told(open_service: Service) -> None:
    """They are estimated; how many are measured stands at the head and among the premises."""
    await make_shop(open_service.client)
    await read_two_months(open_service.client, missing=48)
    await make_tariffs(open_service.client, a=tariff("A", FLAT), b=tariff("B", BY_TIME))
    page = await open_service.get(_PATH, Accept_Language="en")

    assert "96.6% read" in page.text
    assert "96.6% of the readings are measured; what is missing was estimated" in page.text


async def test_months_that_are_wrong_say_so_at_their_field(shop: Service) -> None:
    """422, nothing typed is lost, and nothing is priced."""
    page = await shop.get(
        f"/console/compare?meter={METER}&first=2026-03&last=2026-01", Accept_Language="en"
    )
    typed = await shop.get(f"/console/compare?meter={METER}&first=March", Accept_Language="en")

    assert (page.status, typed.status) == (422, 422)
    assert "This is before the first month." in page.text
    assert 'aria-describedby="last-hint last-fault"' in page.html
    assert "Say it as year and month: 2026-08." in typed.text
    assert 'value="March"' in typed.html
    assert "GBP 2.95 less" not in page.text


async def test_more_tariffs_than_can_be_told_apart(shop: Service) -> None:
    """Five shapes there are; who asks for six is told so."""
    more = {f"t{number}": tariff(f"Tariff {number}", FLAT) for number in range(6)}
    await make_tariffs(shop.client, **more)
    asked = "".join(f"&tariff=t{number}" for number in range(6))
    page = await shop.get(_PATH + asked, Accept_Language="en")

    assert page.status == 422
    assert "Choose 5 at most." in page.text


async def test_nothing_there_yet(open_service: Service) -> None:
    """No meter, then no readings, then no tariff: each is a sentence."""
    none = await open_service.get("/console/compare", Accept_Language="en")
    await make_shop(open_service.client)
    unread = await open_service.get("/console/compare", Accept_Language="en")
    await read_two_months(open_service.client)
    without = await open_service.get("/console/compare", Accept_Language="en")

    assert [page.status for page in (none, unread, without)] == [200, 200, 200]
    assert "There is no meter to compare for yet." in none.text
    assert "This meter has no readings yet." in unread.text
    assert "There is no tariff to compare yet." in without.text


async def test_what_is_asked_for_beyond_the_lists(shop: Service) -> None:
    """A meter, a contract's tariff and one that is named count behind a hundred others."""
    many = {
        f"a{number:03}": tariff(f"Other {number}", FLAT, currency="EUR") for number in range(100)
    }
    await make_tariffs(shop.client, **many)
    channel = {"id": "import", "quantity": "active_energy", "direction": "import"}
    for number in range(100):
        body = {"site": "shop", "channels": [{**channel, "unit": "kWh", "interval": "PT1H"}]}
        await send(shop.client, "PUT", f"/v1/meters/a{number:03}", body)
    page = await shop.get(f"{_PATH}&tariff=by_time", Accept_Language="en")
    missing = await shop.get("/console/compare?meter=none", Accept_Language="en")

    assert "GBP 2.95 less than yours, All day" in page.text
    assert missing.status == 404


async def test_who_may_not_see_contracts_compares_without(service: Service) -> None:
    """Nothing is told as theirs: which tariff the contract has is not for them."""
    bearer = await service.token("admin")
    service.client.session.headers["Authorization"] = f"Bearer {bearer}"
    await make_shop(service.client)
    await read_two_months(service.client)
    await make_tariffs(service.client, a=tariff("A", FLAT), b=tariff("B", BY_TIME))
    await agree(service.client, "a")
    del service.client.session.headers["Authorization"]
    await service.sign_in("readings:read")
    page = await service.get(_PATH, Accept_Language="en")

    assert page.status == 200
    assert "B . It would have cost GBP 2.95 less than A" in page.text
    assert "yours" not in page.text


async def test_what_the_contract_gives_goes_to_the_tariffs_that_ask(shop: Service) -> None:
    """Parameters of the contract go to the tariffs that ask for them, and to no other."""
    parameter = {"parameter": "price"}
    await make_tariffs(shop.client, asks=tariff("Agreed", {**FLAT, "rate": parameter}))
    await agree(shop.client, "asks", price="0.20")
    page = await shop.get(f"{_PATH}&tariff=flat&tariff=asks", Accept_Language="en")

    assert "Yours, Agreed . The second, All day, would have cost GBP 212.40 more" in page.text
    assert "Agreed yours 424.80" in page.text
    assert "What the contract agrees on holds for all of them." in page.text


@pytest.mark.needs("chromium")
async def test_the_page_in_a_browser(browser: Browser, shop: Service) -> None:
    """Nothing for axe to find, no sideways scrolling on a phone; the form asks for other months."""
    await make_tariffs(shop.client, long=tariff("A tariff of a long name", FLAT, DEMAND))
    async with tab_of(browser, shop, width=360, scheme="dark") as tab:
        assert await tab.open(_PATH) == 200
        await tab.page.locator("summary").evaluate_all("all => all.forEach(one => one.click())")
        assert await tab.overhang() == 0
        assert await tab.axe() == ""
        await tab.page.get_by_label("Last month").fill("2026-01")
        await tab.press("main form button")
        assert "January 2026 to January 2026" in await tab.page.locator("main").inner_text()


@pytest.mark.needs("chromium")
async def test_bars_are_on_the_line_of_their_row(browser: Browser, shop: Service) -> None:
    """What tells how much dearer or cheaper a part is stays in its row of the table."""
    async with tab_of(browser, shop) as tab:
        assert await tab.open(_PATH) == 200
        outside = await tab.page.locator(".drivers td svg").evaluate_all(
            """bars => bars.filter(bar => {
                const own = bar.getBoundingClientRect();
                const row = bar.closest('tr').getBoundingClientRect();
                return own.top < row.top || own.bottom > row.bottom;
            }).length"""
        )
        cells = await tab.page.locator(".drivers td").evaluate_all(
            "cells => [...new Set(cells.map(cell => getComputedStyle(cell).display))]"
        )

    assert outside == 0
    assert cells == ["table-cell"]

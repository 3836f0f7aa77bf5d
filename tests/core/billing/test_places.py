"""The time zone of a meter by which bills are issued stays: its days would be other days."""

from tests.core.billing.setting import CHANNEL, SITE, draft, issued, refusal, success
from tests.serving import Client

ELSEWHERE = {**SITE, "timezone": "America/Sao_Paulo"}


async def test_a_site_whose_meter_is_billed_stays_in_its_zone(household: Client) -> None:
    """The last hours of an issued day would else be billed again as the next day's."""
    await issued(household, "b", 1)

    answer = await refusal(household, "PUT", "/v1/sites/home", ELSEWHERE)

    assert answer == (409, "in_use", {"/timezone": "in_use"})
    assert (await success(household, "GET", "/v1/sites/home"))["timezone"] == SITE["timezone"]


async def test_a_billed_site_may_change_all_but_its_zone(household: Client) -> None:
    """A new name does not move days."""
    await issued(household, "b", 1)

    changed = await success(household, "PUT", "/v1/sites/home", {**SITE, "name": "Casa"})

    assert changed["name"] == "Casa"


async def test_a_site_with_drafts_only_may_move(household: Client) -> None:
    """A draft is priced anew when it is issued."""
    await draft(household, "b", 1)

    changed = await success(household, "PUT", "/v1/sites/home", ELSEWHERE)

    assert changed["timezone"] == "America/Sao_Paulo"


async def test_a_billed_meter_moves_to_sites_of_its_zone_only(household: Client) -> None:
    """Refused, it is where it was; elsewhere in the zone the days are the same."""
    await issued(household, "b", 1)
    await success(household, "PUT", "/v1/sites/far", ELSEWHERE)
    await success(household, "PUT", "/v1/sites/near", SITE)

    def at(site: str) -> dict[str, object]:
        return {"site": site, "channels": [CHANNEL]}

    answer = await refusal(household, "PUT", "/v1/meters/m", at("far"))
    before = await success(household, "GET", "/v1/meters/m")
    moved = await success(household, "PUT", "/v1/meters/m", at("near"))

    assert answer == (409, "in_use", {"/site": "in_use"})
    assert (before["site"], moved["site"]) == ("home", "near")

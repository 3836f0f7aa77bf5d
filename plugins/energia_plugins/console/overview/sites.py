"""Many sites at a glance: a line each, and the switch from one to another."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from energia_plugins.console.page import View

Json = Mapping[str, Any]
#: So many sites are listed in the switch; it has a field to search more.
LISTED: Final = 12
_NONE: Final = "\N{EN DASH}"


@attrs.frozen
class SiteLink:
    """A site in the switch.

    Attributes:
        url: Where its overview is.
        name: Its name.
        is_current: Whether it is the one that is shown.

    """

    url: str
    name: str
    is_current: bool


@attrs.frozen
class Switch:
    """The switch from one site to another.

    Attributes:
        name: What is shown now.
        links: The first sites.
        every: Where all of them are.
        is_long: Whether there are more.

    """

    name: str
    links: Sequence[SiteLink]
    every: str
    is_long: bool


async def switch_of(view: View, site: Json | None) -> Switch | None:
    """Return the switch of sites; None where there is nothing to choose."""
    page = await view.api.call("list_sites", limit=str(LISTED))
    sites = page["items"]
    if len(sites) < 2 and not page["next"]:
        return None
    current = None if site is None else site["id"]
    links = [
        SiteLink(view.url("/console", site=one["id"]), one["name"], one["id"] == current)
        for one in sites
    ]
    name = view.text("All sites") if site is None else site["name"]
    return Switch(name, links, view.url("/console", all="1"), page["next"] is not None)


@attrs.frozen
class SiteRow:
    """A site in the table, as texts.

    Attributes:
        url: Where its overview is.
        name: Its name.
        meters: How many meters there are.
        usage: What was used this month, in kWh.
        missing: Which share of its slots has no reading; empty for none.
        newest: When the newest reading ends.
        bill: The newest bill: its amount.
        bill_of: The month of that.
        bill_url: Where it is.
        concerns: How many things need attention; empty for none.

    """

    url: str
    name: str
    meters: str
    usage: str
    missing: str
    newest: str
    bill: str
    bill_of: str
    bill_url: str
    concerns: str


def rows_of(view: View, summaries: Sequence[Json], concerns: Sequence[Json]) -> list[SiteRow]:
    """Return the lines of the table."""
    counts: dict[str, int] = {}
    for one in concerns:
        if "site" in one:
            counts[one["site"]] = counts.get(one["site"], 0) + 1
    return [_row(view, one, counts.get(one["site"], 0)) for one in summaries]


def _row(view: View, summary: Json, concerns: int) -> SiteRow:
    words = view.words
    usage, bill = summary.get("usage"), summary.get("bill")
    newest = summary.get("newest")
    missing = usage["coverage"]["missing"] / usage["coverage"]["expected"] if usage else 0
    year = newest is not None and int(newest[:4]) != view.api.core.clock.now().year
    return SiteRow(
        url=view.url("/console", site=summary["site"]),
        name=summary["name"],
        meters=words.number(summary["meters"]),
        usage=words.number(usage["value"], 0) if usage else _NONE,
        missing=words.percent(f"{missing:.4f}", 1) if missing >= 0.0005 else "",
        newest=words.moment(newest, year=year) if newest else _NONE,
        bill=words.money(bill["total"], bill["currency"]) if bill else _NONE,
        bill_of=words.month(bill["start"]) if bill else "",
        bill_url=view.url(f"/console/bills/{bill['id']}") if bill else "",
        concerns=words.number(concerns) if concerns else "",
    )

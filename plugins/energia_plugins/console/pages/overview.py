"""The overview: what this month costs so far, what needs attention, the last bills."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import attrs
from aiohttp import web

from energia import SCOPES, Routes
from energia.web.panels import Subject as PanelSubject
from energia_plugins.console.overview import attention, sites
from energia_plugins.console.overview.bills import last_bills
from energia_plugins.console.overview.costs import Costs, costs_of
from energia_plugins.console.overview.figures import Figures
from energia_plugins.console.overview.subject import attempted, subject_of
from energia_plugins.console.overview.usage import used_of
from energia_plugins.console.page import View
from energia_plugins.console.panels import Shown, panels_of

Json = Mapping[str, Any]
#: How many sites a page of the table has.
_SITES: Final = "25"
#: Of so many affected bills it is told what they would be now.
_IMPACTS: Final = "5"

routes = Routes(reads=tuple(SCOPES), documented=False)


@routes.get("/console", produces=("text/html",))
async def show_overview(request: web.Request) -> web.Response:
    """Show the overview: of one site, or of all where there are several and none is chosen."""
    view = View.of(request)
    if not (view.api.may("list_sites") and view.api.may("list_meters")):
        return view.page("overview_closed.html", place="overview")
    chosen = request.query.get("site")
    if chosen is None:
        first = await view.api.call("list_sites", limit="2")
        if not first["items"]:
            return _first_steps(view)
        if len(first["items"]) > 1 or "all" in request.query or "name" in request.query:
            return await _all_sites(view)
        chosen = first["items"][0]["id"]
    return await _one_site(view, chosen)


def _first_steps(view: View) -> web.Response:
    """Show what to do where there is nothing yet."""
    return view.page("overview_first.html", place="overview", switch=None)


# Several sites.


async def _all_sites(view: View) -> web.Response:
    """Show all sites: a line each, and what needs attention anywhere."""
    query = view.request.query
    name = query.get("name", "").strip() or None
    asked = {"limit": _SITES, "cursor": query.get("cursor", "")}
    summaries, found, switch = await asyncio.gather(
        view.api.call("list_site_summaries", **asked, **({"name": name} if name else {})),
        view.api.call("list_concerns", limit="1000"),
        sites.switch_of(view, None),
    )
    concerns: Sequence[Json] = found["items"]
    return view.page(
        "overview_sites.html",
        place="overview",
        switch=switch,
        rows=sites.rows_of(view, summaries["items"], concerns),
        name=name or "",
        next=summaries["next"] and view.same(cursor=summaries["next"]),
        is_first="cursor" not in query,
        month=view.words.month(view.api.core.clock.now().date()),
        kinds=attention.by_kind(
            view, concerns, {one["site"]: one["name"] for one in summaries["items"]}
        ),
    )


# One site.


@attrs.frozen
class _Place:
    """A site, its meters, and the one whose figures are shown."""

    site: Json
    summary: Json
    meters: Sequence[Json]
    meter: Json | None
    more: bool

    @property
    def newest(self) -> datetime | None:
        """When the newest reading at the site ends."""
        end = self.summary.get("newest")
        return None if end is None else datetime.fromisoformat(end)


async def _one_site(view: View, chosen: str) -> web.Response:
    """Show a site: the month of one of its meters."""
    place = await _place(view, chosen)
    found, switch, shown = await asyncio.gather(
        view.api.call("list_concerns", site=chosen),
        sites.switch_of(view, place.site),
        _figures(view, place),
    )
    concerns, bills, panels = found["items"], None, list[Shown]()
    impacts: Mapping[str, Json] = {}
    if place.meter is not None:
        bills = await last_bills(view, place.meter["id"])
        impacts = await _impacts(view, concerns)
        panels = await panels_of(view, "overview", _panel_subject(place, shown))
    notices = attention.of_contract(view, shown) if shown else []
    several = len(place.meters) > 1
    notices += attention.of_concerns(view, concerns, impacts, place="meter" if several else "")
    return view.page(
        "overview.html",
        place="overview",
        switch=switch,
        at=place,
        figures=shown,
        notices=notices,
        bills=bills,
        panels=panels,
        about=_about(view, shown),
    )


async def _place(view: View, chosen: str) -> _Place:
    """Return a site, with the meter that the query names, else its first."""
    site, summary, page = await asyncio.gather(
        view.api.call("get_site", site=chosen),
        view.api.call("get_site_summary", site=chosen),
        view.api.call("list_meters", site=chosen, limit="50"),
    )
    wanted, meters = view.request.query.get("meter"), page["items"]
    meter = next((one for one in meters if one["id"] == wanted), meters[0] if meters else None)
    return _Place(site, summary, meters, meter, page["next"] is not None)


async def _figures(view: View, place: _Place) -> Figures | None:
    """Return the figures of the meter's month; None where it has no readings in slots."""
    if place.meter is None or not view.api.may("get_usage"):
        return None
    subject = await subject_of(view, place.site, place.meter, place.newest)
    if subject is None:
        return None
    used = await used_of(view, subject)
    costs = Costs() if subject.contract is None else await costs_of(view, subject)
    return Figures(view.words, subject, used, costs)


async def _impacts(view: View, concerns: Sequence[Json]) -> dict[str, Json]:
    """Return what the affected bills of the first contract would be now, by their ids."""
    affected = [one for one in concerns if one["kind"] == "bill.affected"]
    if not affected:
        return {}
    contract, start = affected[0]["contract"], min(one["day"] for one in affected)
    asked = view.api.call(
        "list_bills", contract=contract, start=start, affected="true", limit=_IMPACTS
    )
    page = await attempted(asked)
    return {} if page is None else {bill["id"]: bill for bill in page["items"]}


def _panel_subject(place: _Place, shown: Figures | None) -> PanelSubject:
    assert place.meter is not None
    contract = shown.subject.contract if shown else None
    month = shown.subject.month if shown else None
    return PanelSubject(
        site=place.site["id"],
        meter=place.meter["id"],
        contract=contract["id"] if contract else None,
        tariff=contract["tariff"] if contract else None,
        start=month.first if month else None,
        end=month.past if month else None,
    )


def _about(view: View, shown: Figures | None) -> str:
    """Return what stands beside the name of a site: its tariff, and what is contracted."""
    if shown is None or shown.subject.tariff is None:
        return ""
    parts = [shown.subject.tariff["name"]]
    if shown.demand is not None:
        limit = view.words.quantity(f"{shown.demand.limit:g}", "kW")
        parts.append(view.text("%(limit)s contracted", limit=limit))
    return " \N{MIDDLE DOT} ".join(parts)

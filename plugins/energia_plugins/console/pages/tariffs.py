"""Tariffs: what they charge and when, their versions, and who uses them. To read, not to change."""

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import attrs
from aiohttp import web

from energia import SCOPES, EnergiaError, NotFound, Routes
from energia.web.panels import Subject
from energia_plugins.console.comparison.costs import parameters_in, reason
from energia_plugins.console.page import View
from energia_plugins.console.panels import panels_of
from energia_plugins.console.tariff.reading import (
    Ahead,
    ahead,
    in_force,
    rates,
    timeline,
    times,
    versions_of,
)
from energia_plugins.console.tariff.week import finest, leaves_open

Json = Mapping[str, Any]
#: So many tariffs are on a page; of contracts and corrections so many are shown.
_LISTED: Final = "50"
#: For so many days prices are shown.
_AHEAD: Final = 3

routes = Routes(reads=tuple(SCOPES), documented=False)


@attrs.frozen
class Listed:
    """A tariff in the list.

    Attributes:
        document: The tariff.
        current: The version that is in force; None of one that cannot be read.
        versions: How many versions there are.
        contracts: How many contracts use it; None where that may not be seen.
        more: Whether there are more contracts than were counted.

    """

    document: Json
    current: Json | None
    versions: int
    contracts: int | None
    more: bool = False


@routes.get("/console/tariffs", produces=("text/html",))
async def show_tariffs(request: web.Request) -> web.Response:
    """Show the tariffs."""
    view = View.of(request)
    cursor = request.query.get("cursor", "")
    page = await view.api.call("list_tariffs", limit=_LISTED, cursor=cursor)
    used = await _used(view)
    today = view.api.core.clock.now().date()
    listed = [_listed(document, used, today) for document in page["items"]]
    return view.page("tariffs.html", place="tariffs", listed=listed, following=page["next"])


async def _used(view: View) -> tuple[dict[str, int], bool] | None:
    """Return how many contracts each tariff has, of the first 1,000; None if that is not shown."""
    if not view.api.may("list_contracts"):
        return None
    counts = dict[str, int]()
    answer = await view.api.call("list_contracts", limit="1000")
    for contract in answer["items"]:
        counts[contract["tariff"]] = counts.get(contract["tariff"], 0) + 1
    return counts, answer["next"] is not None


def _listed(document: Json, used: tuple[dict[str, int], bool] | None, today: date) -> Listed:
    counts, more = used or ({}, False)
    contracts = None if used is None else counts.get(str(document["id"]), 0)
    if "unreadable" in document:
        return Listed(document, None, 0, contracts, more)
    current = in_force(document, today)
    return Listed(document, current, len(document["versions"]), contracts, more)


@routes.get("/console/tariffs/{tariff}", produces=("text/html",))
async def show_tariff(request: web.Request) -> web.Response:
    """Show a tariff."""
    view, id_ = View.of(request), request.match_info["tariff"]
    tariff = await view.api.call("get_tariff", tariff=id_)
    contracts, corrections = await asyncio.gather(
        view.items("list_contracts", limit=_LISTED, tariff=id_),
        view.items("list_tariff_corrections", limit=_LISTED, tariff=id_),
    )
    now = view.api.core.clock.now()
    version = _version(request, tariff, now.date())
    contract = next((one for one in contracts or () if not one.get("end")), None)
    prices = await _prices(view, tariff, contract, now)
    return view.page(
        "tariff.html",
        place="tariffs",
        tariff=tariff,
        version=version,
        times=times(view, version, _year(version, now.date())),
        leaves_open=leaves_open(version),
        charges=rates(view, tariff, version),
        prices=prices,
        timeline=timeline(view, tariff, now.date()),
        contracts=contracts,
        corrections=corrections or [],
        asks=sorted(set(parameters_in(version))),
        panels=await panels_of(view, "tariff", Subject(tariff=id_)),
    )


def _version(request: web.Request, tariff: Json, today: date) -> Json:
    """Return the version that is asked for by its first day, or the one in force."""
    wanted = request.query.get("version")
    if wanted is None:
        return in_force(tariff, today)
    for version in versions_of(tariff):
        if version["valid_from"] == wanted:
            return version
    raise NotFound(f"the tariff has no version of {wanted[:20]!r}")


def _year(version: Json, today: date) -> int:
    """Return a year in which a version is in force: this one, if it is."""
    first = date.fromisoformat(str(version["valid_from"])).year
    last = version.get("valid_to")
    return max(first, min(today.year, int(last[:4]) if last else today.year))


async def _prices(
    view: View, tariff: Json, contract: Json | None, now: datetime
) -> Ahead | str | None:
    """Return the prices of the coming days, or why there are none."""
    zone = str(tariff["timezone"])
    today = (now.astimezone(ZoneInfo(zone)) if "/" in zone or zone == "UTC" else now).date()
    given = {"contract": str(contract["id"])} if contract else {}
    resolution = finest(in_force(tariff, today))
    if resolution is not None:
        given["resolution"] = resolution
    try:
        answer = await view.api.call(
            "get_tariff_prices",
            tariff=tariff["id"],
            start=today.isoformat(),
            end=(today + timedelta(days=_AHEAD)).isoformat(),
            **given,
        )
    except EnergiaError as error:
        return reason(view, error)
    return ahead(view, answer, now)

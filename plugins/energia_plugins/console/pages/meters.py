"""The meters: how fresh each is, and how much was read of its last days."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import attrs
from aiohttp import web
from msgspec import Meta

from energia import SCOPES, Routes
from energia.web.resources import Cursor
from energia_plugins.console.load.page import shown_unit
from energia_plugins.console.page import View

_DAYS: Final = 30
_LIMIT: Final = "50"
#: After so many hours without a reading a meter counts as silent.
_SILENT: Final = timedelta(hours=48)
#: The most sites that are offered as a choice.
_SITES: Final = "1000"

routes = Routes(reads=tuple(SCOPES), documented=False)

Text = Annotated[str, Meta(max_length=200)]


@attrs.frozen
class Row:
    """A channel of a meter, in the list.

    Attributes:
        meter: What the meter is called; empty where the row above is of the same one.
        url: Its page.
        site: What its site is called.
        unit: The unit of the channel.
        channel: The channel, where the meter has several.
        last: When the newest reading ends.
        is_silent: Whether that is long ago.
        coverage: The part of the last days that was read; None where that is not known.
        missing: How many slots of these days have no reading.

    """

    meter: str
    url: str
    site: str
    unit: str
    channel: str
    last: str
    is_silent: bool
    coverage: float | None
    missing: int


@routes.get("/console/meters", produces=("text/html",))
async def list_meters(
    request: web.Request,
    search: Text = "",
    site: Text = "",
    cursor: Cursor = "",
    language: str | None = None,
) -> web.Response:
    """List the meters that the reader may see."""
    view = View.of(request)
    asked = {"search": search.strip(), "site": site, "cursor": cursor}
    given = {name: text for name, text in asked.items() if text}
    found = await view.api.call("list_meters", limit=_LIMIT, **given)
    sites = (await view.api.call("list_sites", limit=_SITES))["items"]
    states = await _states(view, found["items"])
    rows = [row for meter in found["items"] for row in _rows(view, meter, sites, states)]
    return view.page(
        "meters.html",
        place="meters",
        rows=rows,
        sites=[("", view.text("All"))] + [(one["id"], one["name"]) for one in sites],
        search=search,
        site=site,
        days=_DAYS,
        silent=len({row.url.partition("?")[0] for row in rows if row.is_silent}),
        incomplete=len({row.url.partition("?")[0] for row in rows if row.missing}),
        next=None if found["next"] is None else view.same(cursor=found["next"]),
        first=view.same(cursor=None) if cursor else None,
    )


async def _states(
    view: View, meters: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, str], Mapping[str, Any]]:
    """Return what is stored of the channels of some meters."""
    if not meters:
        return {}
    ids = [meter["id"] for meter in meters]
    found = await view.api.call("list_channels", meters=ids, days=str(_DAYS))
    return {(one["meter"], one["channel"]): one for one in found["channels"]}


def _rows(
    view: View,
    meter: Mapping[str, Any],
    sites: Sequence[Mapping[str, Any]],
    states: Mapping[tuple[str, str], Mapping[str, Any]],
) -> Sequence[Row]:
    """Return a row for each channel of a meter; what it is called stands in the first."""
    site = next((one["name"] for one in sites if one["id"] == meter["site"]), meter["site"])
    rows = [_row(view, meter, states[meter["id"], each["id"]]) for each in meter["channels"]]
    first = attrs.evolve(rows[0], meter=meter.get("name") or meter["id"], site=site)
    return [first, *rows[1:]]


def _row(view: View, meter: Mapping[str, Any], state: Mapping[str, Any]) -> Row:
    words, now = view.words, view.api.core.clock.now()
    last = None if state["last"] is None else datetime.fromisoformat(state["last"])
    coverage = state["coverage"] if state["kind"] == "interval" and last is not None else None
    channel = state["channel"] if len(meter["channels"]) > 1 else ""
    return Row(
        meter="",
        url=view.url(f"/console/meters/{meter['id']}", channel=channel or None),
        site="",
        unit=shown_unit(state["unit"]),
        channel=channel,
        last="" if last is None else words.moment(last, year=last.year != now.year),
        is_silent=last is not None and now - last > _SILENT,
        coverage=None if coverage is None else _share(coverage),
        missing=0 if coverage is None else coverage["missing"],
    )


def _share(coverage: Mapping[str, int]) -> float:
    """Return the part of some slots that was read, in thousandths: all of them are 1 alone."""
    return (coverage["expected"] - coverage["missing"]) * 1_000 // coverage["expected"] / 1_000

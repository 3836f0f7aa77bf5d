"""The records: sites, and what is at them; a site is made, changed, deleted."""

from collections.abc import Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, Final
from zoneinfo import available_timezones

from aiohttp import web
from babel.core import get_global

from energia import SCOPES, Id, Routes
from energia.codes import countries as known_countries
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View
from energia_plugins.console.records.fields import (
    HOME,
    Attempt,
    Entry,
    change,
    deleted,
    everything,
    id_of,
    make,
    named,
    patch,
    plain,
)

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

_FIELDS: Final = ("/name", "/timezone", "/country", "/currency", "/subdivision")


@routes.get(HOME, produces=("text/html",))
async def show_records(
    request: web.Request, meters: str = "", contracts: str = "", language: str | None = None
) -> web.Response:
    """Show the sites, meters and contracts that there are."""
    view = View.of(request)
    return view.page(
        "records.html",
        place="records",
        sites=await everything(view, "list_sites"),
        meters=await _some(view, "list_meters", meters),
        contracts=await _some(view, "list_contracts", contracts),
        named=named,
        today=view.api.core.clock.now().date().isoformat(),
    )


async def _some(view: View, operation: str, cursor: str) -> dict[str, Any]:
    """Return a page of a list, or an empty one where the caller may not see it."""
    if not view.api.may(operation):
        return {"items": [], "next": None}
    found: dict[str, Any] = await view.api.call(operation, limit=100, cursor=cursor)
    return found


# Sites.


@cache
def _zones() -> tuple[str, ...]:
    """Return the time zones that territories have; files tell of them, so it is found out once."""
    return tuple(sorted(available_timezones() & get_global("zone_territories").keys()))


def _entries(view: View, *, new: bool) -> tuple[Entry, ...]:
    words, text = view.words, view.text
    territories = words.locale.territories
    countries = sorted(
        ((code, territories[code]) for code in known_countries() if code in territories),
        key=lambda one: plain(one[1]),
    )
    zone = text("What a day and a month is there, and when clocks change.")
    region = text("Such as BR-SP; where tariffs or holidays depend on it.")
    fields = (
        Entry("/name", text("Name"), required=True),
        Entry("/country", text("Country"), choices=(("", ""), *countries), required=True),
        Entry("/subdivision", text("State or region"), region),
        Entry(
            "/timezone",
            text("Time zone"),
            zone,
            choices=(("", ""), *((one, one) for one in _zones())),
            required=True,
        ),
        Entry("/currency", text("Currency"), text("Three letters, such as BRL."), required=True),
    )
    own = text("Letters, digits and hyphens; made of the name where it is empty.")
    return (*fields, Entry("/id", text("Short name"), own)) if new else fields


def _labels(entries: tuple[Entry, ...]) -> dict[str, str]:
    return {entry.name: entry.label for entry in entries}


@routes.get(f"{HOME}/new-site", produces=("text/html",))
async def show_new_site(request: web.Request, language: str | None = None) -> web.Response:
    """Ask for what a site is: what is alike at all others is proposed."""
    view = View.of(request)
    sites = await everything(view, "list_sites")
    known = {
        name: {str(site[name[1:]]) for site in sites}
        for name in ("/timezone", "/country", "/currency")
    }
    usual = {name: found.pop() for name, found in known.items() if len(found) == 1}
    if not sites and view.words.language == "pt-BR":
        usual = {"/timezone": "America/Sao_Paulo", "/country": "BR", "/currency": "BRL"}
    return _site_page(view, Attempt(Form(usual)))


def _site_page(
    view: View, attempt: Attempt, site: Mapping[str, Any] | None = None, **more: object
) -> web.Response:
    return view.page(
        "record_site.html",
        place="records",
        status=attempt.status,
        attempt=attempt,
        form=attempt.form,
        entries=_entries(view, new=site is None),
        site=site,
        named=named,
        **{"meters": (), "saved": False, **more},
    )


@routes.post(f"{HOME}/new-site")
async def make_site(request: web.Request) -> web.Response:
    """Make a site."""
    view, form = View.of(request), await Form.read(request)
    body = {**form.body(), "id": form.get("/id").strip() or id_of(form.get("/name")) or None}
    made = await make(view, "site", body, form)
    if isinstance(made, Attempt):
        return _site_page(view, made)
    return view.see(f"{HOME}/sites/{made}", saved="yes")


@routes.get(f"{HOME}/sites/{{site}}", produces=("text/html",))
async def show_site(
    request: web.Request, site: Id, saved: str = "", language: str | None = None
) -> web.Response:
    """Show a site, with the meters that are there."""
    view = View.of(request)
    seen = await view.api.seen("get_site", site=site)
    attempt = Attempt(Form.of(seen.value), tag=seen.tag)
    meters = await everything(view, "list_meters", site=site)
    return _site_page(view, attempt, seen.value, meters=meters, saved=bool(saved))


@routes.post(f"{HOME}/sites/{{site}}")
async def change_site(request: web.Request, site: Id) -> web.Response:
    """Change a site."""
    view, form = View.of(request), await Form.read(request)
    labels = _labels(_entries(view, new=False))
    attempt = await change(
        view, "site", site, patch(form, _FIELDS), form, labels=labels, shown=Form.of
    )
    if attempt is None:
        return view.see(f"{HOME}/sites/{site}", saved="yes")
    meters = await everything(view, "list_meters", site=site)
    now = await view.api.call("get_site", site=site)
    return _site_page(view, attempt, now, meters=meters)


@routes.get(f"{HOME}/sites/{{site}}/delete", produces=("text/html",))
async def ask_to_delete_site(
    request: web.Request, site: Id, language: str | None = None
) -> web.Response:
    """Ask whether a site is to go, or say why it cannot."""
    view = View.of(request)
    return await _question(view, site, Form())


async def _question(view: View, site: str, form: Form, status: int = HTTPStatus.OK) -> web.Response:
    seen = await view.api.seen("get_site", site=site)
    return view.page(
        "record_site_delete.html",
        place="records",
        status=status,
        form=form,
        site=seen.value,
        tag=seen.tag,
        named=named,
        meters=await everything(view, "list_meters", site=site),
    )


@routes.post(f"{HOME}/sites/{{site}}/delete")
async def delete_site(request: web.Request, site: Id) -> web.Response:
    """Delete a site that has no meters."""
    view, form = View.of(request), await Form.read(request)
    refusal = await deleted(view, "site", site, form)
    if refusal is None:
        return view.see(HOME)
    return await _question(view, site, refusal.form, refusal.status)

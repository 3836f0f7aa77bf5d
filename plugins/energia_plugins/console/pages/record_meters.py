"""A meter is made, changed and deleted: where it is, and what each of its channels measures."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final

import attrs
from aiohttp import web

from energia import SCOPES, EnergiaError, Id, Routes
from energia.errors import Conflict, Invalid
from energia_plugins.console.faults import refused
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View, marked
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
)
from energia_plugins.console.words import Words

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

_FIELDS: Final = ("/site", "/name", "/serial")
#: What a channel is unless a person says something else: what is taken from the grid.
_CHANNEL: Final = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "kind": "interval",
    "interval": "PT15M",
}
_QUANTITIES: Final = (
    ("active_energy", marked("Active energy")),
    ("reactive_energy", marked("Reactive energy")),
    ("apparent_energy", marked("Apparent energy")),
    ("gas_volume", marked("Gas")),
    ("water_volume", marked("Water")),
    ("heat", marked("Heat")),
)
_DIRECTIONS: Final = (
    ("import", marked("from the grid")),
    ("export", marked("to the grid")),
)
_UNITS: Final = ("kWh", "Wh", "MWh", "kvarh", "varh", "kVAh", "m3", "ft3", "ccf", "GJ", "therm")
_KINDS: Final = (
    ("interval", marked("a quantity for each interval")),
    ("register", marked("reads of a counter")),
    ("irregular", marked("quantities of days, months or bills")),
)
_INTERVALS: Final = ("PT1M", "PT5M", "PT10M", "PT15M", "PT30M", "PT1H")
#: The parts of a channel that are numbers.
_DECIMALS: Final = ("multiplier", "max_power")
#: For so many years back readings are counted before they are deleted.
_YEARS: Final = 10
#: So many bills are counted.
_BILLS: Final = 100


@attrs.frozen
class ChannelFields:
    """The fields of one channel.

    Attributes:
        number: Its place, counted from 0.
        main: What is asked of each channel.
        rare: What is asked of few.

    """

    number: int
    main: tuple[Entry, ...]
    rare: tuple[Entry, ...]


def _entries(view: View, sites: Sequence[Mapping[str, Any]], *, new: bool) -> tuple[Entry, ...]:
    text = view.text
    choices = tuple((str(site["id"]), named(site)) for site in sites)
    if new and len(choices) > 1:
        choices = (("", ""), *choices)
    called = text("What you call it: Main meter, Pool, Annex.")
    fields = (
        Entry("/site", text("Site"), choices=choices, required=True),
        Entry("/name", text("Name"), called, required=new),
        Entry("/serial", text("Serial number"), text("The number that is on it.")),
    )
    own = text(
        "The number of the customer or supply point, for example; files and bills name it so."
    )
    return (*fields, Entry("/id", text("Short name"), own)) if new else fields


def _channels(view: View, form: Form) -> list[ChannelFields]:
    return [_channel(view, number) for number in range(_count(form))]


def _count(form: Form) -> int:
    """Return how many channels a form has."""
    numbers = (name.split("/")[2] for name in form.values if name.startswith("/channels/"))
    return max((int(number) + 1 for number in numbers if number.isdecimal()), default=0)


def _channel(view: View, number: int) -> ChannelFields:
    text, words, at = view.text, view.words, f"/channels/{number}"
    units = tuple((unit, unit) for unit in _UNITS)
    intervals = (("", text("none")), *((each, length(words, each)) for each in _INTERVALS))
    return ChannelFields(
        number,
        (
            Entry(f"{at}/id", text("Short name"), required=True),
            Entry(f"{at}/quantity", text("Measures"), "", _told(words, _QUANTITIES)),
            Entry(f"{at}/direction", text("Direction"), "", _told(words, _DIRECTIONS)),
            Entry(f"{at}/unit", text("Unit"), "", units),
            Entry(f"{at}/interval", text("Interval"), "", intervals),
        ),
        (
            Entry(f"{at}/kind", text("What is sent"), "", _told(words, _KINDS)),
            Entry(
                f"{at}/max_power",
                text("Highest power, kW"),
                text("What is above is marked as questionable."),
            ),
            Entry(
                f"{at}/multiplier",
                text("Multiplier"),
                text("Of a counter: such as the ratio of a current transformer."),
            ),
            Entry(
                f"{at}/digits",
                text("Digits"),
                text("Of a counter: so many before it begins again with 0."),
            ),
            Entry(f"{at}/offset", text("Offset"), text("From midnight UTC, such as PT5M.")),
        ),
    )


def length(words: Words, duration: str) -> str:
    """Return the length of an interval for people: `PT15M` is 15 min."""
    number, unit = duration[2:-1], {"M": "min", "H": "h"}.get(duration[-1:])
    return words.quantity(number, unit) if unit and number.isdecimal() else duration


def _told(words: Words, choices: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((value, words.text(told)) for value, told in choices)


def _form_of(words: Words, meter: Mapping[str, Any]) -> Form:
    """Return the form of a meter, its numbers as they are typed in the language."""
    form = Form.of(meter)
    if words.language != "pt-BR":
        return form
    return Form(
        {
            name: text.replace(".", ",") if name.rpartition("/")[2] in _DECIMALS else text
            for name, text in form.values.items()
        }
    )


def channels_of(form: Form, words: Words) -> list[dict[str, Any]]:
    """Return the channels of a form as the API takes them."""
    found: list[dict[str, Any]] = []
    for channel in form.body().get("channels", []):
        given = dict(channel)
        for name in _DECIMALS:
            if name in given:
                given[name] = words.parsed(given[name])
        if str(given.get("digits", "")).isdecimal():
            given["digits"] = int(given["digits"])
        if given.get("kind") == "irregular":
            given.pop("interval", None)
        found.append(given)
    return found


def with_channel(form: Form) -> Form:
    """Return a form with one more channel."""
    number = _count(form)
    fresh = {f"/channels/{number}/{name}": text for name, text in _CHANNEL.items()}
    if number:
        fresh |= {f"/channels/{number}/id": "", f"/channels/{number}/direction": "export"}
    return Form({**form.values, **fresh})


def without_channel(form: Form, gone: int) -> Form:
    """Return a form without one of its channels; those behind it move up."""
    kept: dict[str, str] = {}
    for name, text in form.values.items():
        head, number, rest = name[:10], *(name[10:].partition("/")[::2])
        if head != "/channels/" or not number.isdecimal() or int(number) < gone:
            kept[name] = text
        elif int(number) > gone:
            kept[f"/channels/{int(number) - 1}/{rest}"] = text
    return Form(kept)


async def _page(
    view: View, attempt: Attempt, meter: Mapping[str, Any] | None = None, **more: object
) -> web.Response:
    sites = await everything(view, "list_sites")
    contracts = [] if meter is None else await everything(view, "list_contracts", meter=meter["id"])
    return view.page(
        "record_meter.html",
        place="records",
        status=attempt.status,
        attempt=attempt,
        form=attempt.form,
        entries=_entries(view, sites, new=meter is None),
        channels=_channels(view, attempt.form),
        meter=meter,
        named=named,
        contracts=contracts,
        today=view.api.core.clock.now().date().isoformat(),
        **{"saved": False, **more},
    )


@routes.get(f"{HOME}/new-meter", produces=("text/html",))
async def show_new_meter(
    request: web.Request, site: Id | None = None, language: str | None = None
) -> web.Response:
    """Ask for what a meter is; it has one channel so far, of what is taken from the grid."""
    view = View.of(request)
    return await _page(view, Attempt(with_channel(Form({"/site": site} if site else {}))))


@routes.post(f"{HOME}/new-meter")
async def make_meter(request: web.Request) -> web.Response:
    """Make a meter, or show its form with more channels or fewer."""
    view, form = View.of(request), await Form.read(request)
    if (changed := _rearranged(form)) is not None:
        return await _page(view, Attempt(changed))
    own = form.get("/id").strip() or id_of(form.get("/name"))
    body = {**form.body(), "channels": channels_of(form, view.words)}
    made = await make(view, "meter", {**body, **({"id": own} if own else {})}, form)
    if isinstance(made, Attempt):
        return await _page(view, made)
    return view.see(f"{HOME}/meters/{made}", saved="yes")


def _rearranged(form: Form) -> Form | None:
    """Return the form with another number of channels, if that is what it asks for."""
    what, _, number = form.get("do").partition("-")
    if what == "add":
        return with_channel(form)
    if what == "remove" and number.isdecimal():
        return without_channel(form, int(number))
    return None


@routes.get(f"{HOME}/meters/{{meter}}", produces=("text/html",))
async def show_meter_record(
    request: web.Request, meter: Id, saved: str = "", language: str | None = None
) -> web.Response:
    """Show what is recorded of a meter."""
    view = View.of(request)
    seen = await view.api.seen("get_meter", meter=meter)
    attempt = Attempt(_form_of(view.words, seen.value), tag=seen.tag)
    return await _page(view, attempt, seen.value, saved=bool(saved))


@routes.post(f"{HOME}/meters/{{meter}}")
async def change_meter(request: web.Request, meter: Id) -> web.Response:
    """Change a meter, or show its form with more channels or fewer."""
    view, form = View.of(request), await Form.read(request)
    now = await view.api.call("get_meter", meter=meter)
    if (changed := _rearranged(form)) is not None:
        return await _page(view, Attempt(changed, tag=form.get("tag")), now)
    sites = await everything(view, "list_sites")
    labels = {entry.name: entry.label for entry in _entries(view, sites, new=False)}
    labels |= {
        entry.name: f"{view.text('Channel')} {fields.number + 1}: {entry.label}"
        for fields in _channels(view, form)
        for entry in (*fields.main, *fields.rare)
    }
    body = {**patch(form, _FIELDS), "channels": channels_of(form, view.words)}
    attempt = await change(
        view,
        "meter",
        meter,
        body,
        form,
        labels=labels,
        shown=lambda found: _form_of(view.words, found),
    )
    if attempt is None:
        return view.see(f"{HOME}/meters/{meter}", saved="yes")
    return await _page(view, attempt, now)


# Deleting: what goes and what stays is asked of the API.


@attrs.frozen
class Holdings:
    """What there is of a meter.

    Attributes:
        years: How many readings there are, by year.
        contracts: Its contracts.
        bills: How many bills are issued; as many as are counted at most.

    """

    years: tuple[tuple[int, int], ...]
    contracts: int
    bills: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing refers to it."""
        return not (self.years or self.contracts or self.bills)

    def goes(self, words: Words) -> str:
        """Return what goes with it, in a sentence."""
        parts = []
        if self.years:
            total = sum(number for _, number in self.years)
            told = words.count("%(num)s reading", "%(num)s readings", total)
            first, last = self.years[0][0], self.years[-1][0]
            when = (
                str(first)
                if first == last
                else words.text("%(first)s to %(last)s", first=first, last=last)
            )
            parts.append(words.text("%(readings)s of %(years)s", readings=told, years=when))
        if self.contracts:
            parts.append(words.count("%(num)s contract", "%(num)s contracts", self.contracts))
        if not parts:
            return words.text("No reading and no contract goes with it.")
        return words.text("What goes: %(what)s.", what=words.text(" and ").join(parts))

    def stays(self, words: Words) -> str:
        """Return what stays, in a sentence; nothing where there is nothing."""
        if not self.bills:
            return ""
        if self.bills >= _BILLS:
            return words.text("What stays: all issued bills, with their lines.")
        return words.count(
            "What stays: the issued bill, with its lines.",
            "What stays: the %(num)s issued bills, with their lines.",
            self.bills,
        )


async def holdings(view: View, meter: Mapping[str, Any]) -> Holdings:
    """Return what there is of a meter, as far as the caller may see it."""
    years: dict[int, int] = {}
    if view.api.may("get_usage"):
        for channel in meter["channels"]:
            if channel["kind"] == "interval":
                for year, number in await _counted(view, str(meter["id"]), str(channel["id"])):
                    years[year] = years.get(year, 0) + number
    contracts = await everything(view, "list_contracts", meter=meter["id"])
    bills: list[Any] = []
    if view.api.may("list_bills"):
        found = await view.api.call("list_bills", meter=meter["id"], status="issued", limit=_BILLS)
        bills = found["items"]
    return Holdings(tuple(sorted(years.items())), len(contracts), len(bills))


async def _counted(view: View, meter: str, channel: str) -> list[tuple[int, int]]:
    """Return how many readings of a channel there are, by year."""
    today = view.api.core.clock.now().date()
    start, end = date(today.year - _YEARS, 1, 1), today + timedelta(days=1)
    found = await view.api.call(
        "get_usage",
        meter=meter,
        channel=channel,
        start=start.isoformat(),
        end=end.isoformat(),
        window="P1Y",
    )
    counted = (
        (int(row["start"][:4]), row["coverage"]["expected"] - row["coverage"]["missing"])
        for row in found["data"]
    )
    return [(year, number) for year, number in counted if number]


@routes.get(f"{HOME}/meters/{{meter}}/delete", produces=("text/html",))
async def ask_to_delete_meter(
    request: web.Request, meter: Id, language: str | None = None
) -> web.Response:
    """Ask whether a meter is to go, and say what goes with it and what stays."""
    return await _question(View.of(request), meter, Form())


async def _question(
    view: View, meter: str, form: Form, status: int = HTTPStatus.OK
) -> web.Response:
    seen = await view.api.seen("get_meter", meter=meter)
    held = await holdings(view, seen.value)
    return view.page(
        "record_meter_delete.html",
        place="records",
        status=status,
        form=form,
        meter=seen.value,
        tag=seen.tag,
        named=named,
        held=held,
        may=view.api.may("delete_meter" if held.is_empty else "erase_meter"),
    )


@routes.post(f"{HOME}/meters/{{meter}}/delete")
async def delete_meter(request: web.Request, meter: Id) -> web.Response:
    """Delete a meter: with all that is its own, where the form says why."""
    view, form = View.of(request), await Form.read(request)
    if "/reason" not in form.values:
        refusal = await deleted(view, "meter", meter, form)
    else:
        refusal = await _erased(view, meter, form)
    if refusal is None:
        return view.see(HOME)
    return await _question(view, meter, refusal.form, refusal.status)


async def _erased(view: View, meter: str, form: Form) -> Attempt | None:
    try:
        await view.api.call("erase_meter", meter=meter, reason=form.get("/reason").strip())
    except (Invalid, Conflict) as error:
        return Attempt(_at_reason(view.words, form, error), error.status)
    return None


def _at_reason(words: Words, form: Form, error: EnergiaError) -> Form:
    """Return the form with what is wrong at the reason, which the API has in its query."""
    told = refused(words, form, error)
    if any((fault.pointer or "") == "/query/reason" for fault in error.faults):
        return attrs.evolve(told, faults={"/reason": words.text("Please say why.")})
    return told

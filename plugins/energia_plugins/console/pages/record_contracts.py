"""A contract is made, changed, ended and deleted: its fields are those that its tariff asks for."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from http import HTTPStatus
from typing import Any, Final

import attrs
from aiohttp import web

from energia import SCOPES, Id, Routes
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
)
from energia_plugins.console.records.parameters import Asked, asked, asks
from energia_plugins.console.words import Words, capital

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

_ROLE: Final = "import"
#: So many bills are counted.
_BILLS: Final = 100


@attrs.frozen
class Terms:
    """What a contract may say: the meters and tariffs to choose from, and what the tariff asks.

    Attributes:
        meters: The meters.
        tariffs: The tariffs.
        asked: The parameters of the chosen tariff.
        roles: What it charges.

    """

    meters: Sequence[Mapping[str, Any]]
    tariffs: Sequence[Mapping[str, Any]]
    asked: tuple[Asked, ...]
    roles: tuple[str, ...]

    @classmethod
    async def of(cls, view: View, tariff: str) -> "Terms":
        """Return what a contract under a tariff may say."""
        meters = await everything(view, "list_meters")
        tariffs = await everything(view, "list_tariffs")
        chosen = next((one for one in tariffs if one["id"] == tariff), None)
        if chosen is None or "versions" not in chosen:
            return cls(meters, tariffs, (), ())
        kinds = (await view.api.call("list_charge_kinds"))["items"] if asks(chosen) else []
        return cls(meters, tariffs, asked(chosen, kinds), _roles(chosen))


def _roles(tariff: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what a tariff charges, as far as its charges say it themselves."""
    charges = (charge for version in tariff["versions"] for charge in version["charges"])
    found = (charge.get("channel", _ROLE) for charge in charges)
    return tuple(dict.fromkeys(role for role in found if isinstance(role, str)))


def _entries(view: View, terms: Terms, *, new: bool) -> tuple[Entry, ...]:
    text = view.text
    meters = tuple((str(one["id"]), _called(one)) for one in terms.meters)
    tariffs = tuple((str(one["id"]), str(one.get("name") or one["id"])) for one in terms.tariffs)
    ends = text("Empty: it goes on. To end the contract, write its last day here.")
    fields = (
        Entry("/meter", text("Meter"), choices=meters, required=True),
        Entry("/tariff", text("Tariff"), choices=tariffs, required=True),
        Entry("/start", text("First day"), required=True, type="date"),
        Entry("/end", text("Last day"), ends, type="date"),
    )
    own = text("Letters, digits and hyphens; made of the meter and the year where it is empty.")
    return (*fields, Entry("/id", text("Short name"), own)) if new else fields


def _called(record: Mapping[str, Any]) -> str:
    return f"{record['name']} ({record['id']})" if record.get("name") else str(record["id"])


def _parameters(view: View, terms: Terms) -> tuple[Entry, ...]:
    """Return a field for each parameter of the tariff."""
    found = []
    for one in terms.asked:
        choices: tuple[tuple[str, str], ...] | None = None
        if one.kind == "boolean":
            choices = (("true", view.text("yes")), ("false", view.text("no")))
        elif one.kind == "choice":
            choices = tuple((value, value) for value in one.choices)
        if choices is not None and not one.required:
            choices = (("", view.text("as the tariff has it")), *choices)
        type_ = "date" if one.kind == "date" else "text"
        hint = _hint(view, one)
        found.append(Entry(one.field, _label(one), hint, choices, one.required, type_))
    return tuple(found)


def _label(one: Asked) -> str:
    """Return what a parameter is called: its name as words, `contracted_kw` is Contracted kW."""
    words = one.name.replace("_", " ").replace(" kw", " kW").replace(" kva", " kVA")
    return capital(words)


def _hint(view: View, one: Asked) -> str:
    # What a kind of charge says of its fields is English.
    told = one.hint.replace("`", "") if view.words.language == "en" else ""
    parts = [f"{one.charge}.", told]
    if one.default is not None:
        default = one.typed(one.default, view.words)
        parts.append(view.text("Without it: %(value)s.", value=default))
    return " ".join(part for part in parts if part)


def _channels(view: View, terms: Terms, form: Form) -> tuple[Entry, ...]:
    """Return which channel counts for what is charged, where the meter has several."""
    meter = next((one for one in terms.meters if one["id"] == form.get("/meter")), None)
    if meter is None or len(meter["channels"]) < 2:
        return ()
    choices = tuple((str(one["id"]), f"{one['id']}, {one['unit']}") for one in meter["channels"])
    plain = (("", view.text("the one that fits")), *choices)
    return tuple(
        Entry(f"/channels/{role}/0", _channel_for(view, role), "", plain) for role in terms.roles
    )


#: What is charged, for people.
_ROLES: Final = {
    "import": marked("Channel for energy from the grid"),
    "export": marked("Channel for energy to the grid"),
    "reactive_energy.import": marked("Channel for reactive energy"),
}


def _channel_for(view: View, role: str) -> str:
    known = _ROLES.get(role)
    return view.text(known) if known else view.text("Channel for %(role)s", role=role)


# Between the form and the API: the last day is the day before the end.


def form_of(contract: Mapping[str, Any], terms: Terms, words: Words) -> Form:
    """Return the form of a contract."""
    values = dict(Form.of({**contract, "parameters": {}}).values)
    if contract.get("end"):
        last = date.fromisoformat(contract["end"]) - timedelta(days=1)
        values["/end"] = last.isoformat()
    fields = {one.name: one for one in terms.asked}
    for name, value in contract["parameters"].items():
        one = fields.get(name, Asked(name, "text", "", ""))
        values[one.field] = one.typed(value, words)
    return Form(values)


def body_of(form: Form, terms: Terms, words: Words) -> dict[str, Any]:
    """Return the merge patch that a form makes of a contract: what is empty is taken away."""
    end = _after(words.parsed_day(form.get("/end")))
    parameters = {
        one.name: one.value(text, words) if (text := form.get(one.field).strip()) else None
        for one in terms.asked
    }
    gone = {name: None for name in _names(form) if name not in parameters}
    channels = {
        role: [form.get(f"/channels/{role}/0")] if form.get(f"/channels/{role}/0") else None
        for role in terms.roles
        if _is_simple(form, role)
    }
    return {
        "meter": form.get("/meter"),
        "tariff": form.get("/tariff"),
        "start": words.parsed_day(form.get("/start")),
        "end": end,
        "parameters": {**gone, **parameters},
        "channels": channels,
    }


def _after(last: str) -> str | None:
    """Return the day after the last one, as the API has it."""
    try:
        return (date.fromisoformat(last) + timedelta(days=1)).isoformat() if last else None
    except ValueError:
        return last  # the API says what is wrong with it


def _names(form: Form) -> list[str]:
    """Return the parameters of a form: also those that another tariff has asked for."""
    found = (name.removeprefix("/parameters/") for name in form.values if "/parameters/" in name)
    return [name.replace("~1", "/").replace("~0", "~") for name in found]


def _is_simple(form: Form, role: str) -> bool:
    """Tell whether a form shows the channel of a role: one, on all days."""
    return f"/channels/{role}/0" in form.values and f"/channels/{role}/1" not in form.values


def _without_none(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _without_none(value) if isinstance(value, dict) else value
        for name, value in body.items()
        if value is not None
    }


async def _page(
    view: View,
    attempt: Attempt,
    terms: Terms,
    contract: Mapping[str, Any] | None = None,
    **more: object,
) -> web.Response:
    form = attempt.form
    is_billed = contract is not None and bool(await _bills(view, str(contract["id"]), 1))
    return view.page(
        "record_contract.html",
        place="records",
        status=attempt.status,
        attempt=attempt,
        form=form,
        entries=_entries(view, terms, new=contract is None),
        parameters=_parameters(view, terms),
        channels=_channels(view, terms, form),
        contract=contract,
        is_chosen=bool(form.get("/tariff")),
        is_billed=is_billed,
        has_tariffs=bool(terms.tariffs),
        **{"saved": False, **more},
    )


async def _bills(view: View, contract: str, most: int) -> list[Any]:
    """Return some issued bills of a contract."""
    if not view.api.may("list_bills"):
        return []
    found: dict[str, Any] = await view.api.call(
        "list_bills", contract=contract, status="issued", limit=most
    )
    return list(found["items"])


@routes.get(f"{HOME}/new-contract", produces=("text/html",))
async def show_new_contract(
    request: web.Request,
    meter: Id | None = None,
    tariff: Id | None = None,
    language: str | None = None,
) -> web.Response:
    """Ask for the meter and the tariff of a contract, and then for what the tariff asks."""
    view = View.of(request)
    terms = await Terms.of(view, tariff or "")
    values = {"/meter": meter, "/tariff": tariff}
    form = Form({name: value for name, value in values.items() if value})
    return await _page(view, Attempt(form), terms)


@routes.post(f"{HOME}/new-contract")
async def make_contract(request: web.Request) -> web.Response:
    """Make a contract; or show what its tariff asks for, where that is another one now."""
    view, form = View.of(request), await Form.read(request)
    terms = await Terms.of(view, form.get("/tariff"))
    if form.get("do") == "choose":
        return await _page(view, Attempt(form), terms)
    body = _without_none(body_of(form, terms, view.words))
    own = form.get("/id").strip() or id_of(form.get("/meter"), str(body["start"])[:4])
    made = await make(view, "contract", {**body, **({"id": own} if own else {})}, form)
    if isinstance(made, Attempt):
        return await _page(view, made, terms)
    return view.see(f"{HOME}/contracts/{made}", saved="yes")


@routes.get(f"{HOME}/contracts/{{contract}}", produces=("text/html",))
async def show_contract(
    request: web.Request, contract: Id, saved: str = "", language: str | None = None
) -> web.Response:
    """Show a contract."""
    view = View.of(request)
    seen = await view.api.seen("get_contract", contract=contract)
    terms = await Terms.of(view, seen.value["tariff"])
    attempt = Attempt(form_of(seen.value, terms, view.words), tag=seen.tag)
    return await _page(view, attempt, terms, seen.value, saved=bool(saved))


@routes.post(f"{HOME}/contracts/{{contract}}")
async def change_contract(request: web.Request, contract: Id) -> web.Response:
    """Change a contract, or end it."""
    view, form = View.of(request), await Form.read(request)
    now = await view.api.call("get_contract", contract=contract)
    terms = await Terms.of(view, form.get("/tariff"))
    if form.get("do") == "choose":
        return await _page(view, Attempt(form, tag=form.get("tag")), terms, now)
    entries = (*_entries(view, terms, new=False), *_parameters(view, terms))
    reason = form.get("correction").strip()
    attempt = await change(
        view,
        "contract",
        contract,
        body_of(form, terms, view.words),
        form,
        labels={entry.name: entry.label for entry in entries},
        shown=lambda found: form_of(found, terms, view.words),
        **({"correction": reason} if reason else {}),
    )
    if attempt is None:
        return view.see(f"{HOME}/contracts/{contract}", saved="yes")
    return await _page(view, attempt, terms, now)


@routes.get(f"{HOME}/contracts/{{contract}}/delete", produces=("text/html",))
async def ask_to_delete_contract(
    request: web.Request, contract: Id, language: str | None = None
) -> web.Response:
    """Ask whether a contract is to go, or say why it cannot."""
    return await _question(View.of(request), contract, Form())


async def _question(
    view: View, contract: str, form: Form, status: int = HTTPStatus.OK
) -> web.Response:
    seen = await view.api.seen("get_contract", contract=contract)
    bills = await _bills(view, contract, _BILLS)
    return view.page(
        "record_contract_delete.html",
        place="records",
        status=status,
        form=form,
        contract=seen.value,
        tag=seen.tag,
        bills=len(bills),
    )


@routes.post(f"{HOME}/contracts/{{contract}}/delete")
async def delete_contract(request: web.Request, contract: Id) -> web.Response:
    """Delete a contract that has no bills."""
    view, form = View.of(request), await Form.read(request)
    refusal = await deleted(view, "contract", contract, form)
    if refusal is None:
        return view.see(HOME)
    return await _question(view, contract, refusal.form, refusal.status)

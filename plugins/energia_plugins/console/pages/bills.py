"""Bills: the list, those to correct, drafting one or many, and how far a run is."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final, Literal

from aiohttp import web

from energia import SCOPES, NotFound, Routes
from energia.errors import Conflict, EnergiaError, Forbidden, Invalid
from energia.web.preferences import Prefer
from energia.web.routes import Query
from energia_plugins.console.bills.listing import Row, rows_of
from energia_plugins.console.faults import Meaning, of_error, refused, said
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View, marked
from energia_plugins.console.pages.bill import period_of, reasons_of
from energia_plugins.console.words import Words

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

_PAGE: Final = 50
#: More contracts than these are no choice in a form.
_CHOICE: Final = 500
Show = Literal["all", "draft", "issued", "corrected", "affected"]
#: What the list shows, each by a link.
SHOWN: Final[Mapping[Show, str]] = {
    "all": marked("All bills"),
    "draft": marked("Drafts"),
    "issued": marked("In force"),
    "corrected": marked("Corrected"),
    "affected": marked("To correct"),
}


@routes.get("/console/bills", produces=("text/html",))
async def show_bills(request: web.Request, query: Query, show: Show = "all") -> web.Response:
    """List bills, the newest first, by what is asked for."""
    view = View.of(request)
    form = Form({name: query.get(name, "") for name in ("contract", "meter", "start", "end")})
    wanted = _wanted(view.words, show, form, query.get("cursor", ""))
    try:
        page, contracts = await gather(view.api.call("list_bills", **wanted), _contracts(view))
    except Invalid as error:
        return await _refused(view, show, form, error)
    return _list(view, show, form, contracts, page)


def _wanted(words: Words, show: Show, form: Form, cursor: str) -> dict[str, str]:
    """Return what the API is asked for; the last day is given, and the day after it asked for."""
    status = show if show in ("draft", "issued", "corrected") else ""
    given = {
        "contract": form.get("contract"),
        "meter": form.get("meter"),
        "start": words.parsed_day(form.get("start")),
        "end": _day_after(words.parsed_day(form.get("end"))),
        "status": status,
        "affected": "true" if show == "affected" else "",
        "cursor": cursor,
        "limit": str(_PAGE),
    }
    return {name: text for name, text in given.items() if text}


async def _refused(view: View, show: Show, form: Form, error: Invalid) -> web.Response:
    """Return an empty list with what is wrong at the fields of the filter."""
    faults = {
        (fault.pointer or "").rpartition("/")[2]: said(view.words, fault.code, fault.message)
        for fault in error.faults
    } or {"": of_error(view.words, error)}
    contracts = await _contracts(view)
    page: dict[str, Any] = {"items": [], "next": None}
    return _list(view, show, Form(form.values, faults), contracts, page)


def _list(
    view: View,
    show: Show,
    form: Form,
    contracts: Sequence[Mapping[str, Any]] | None,
    page: Mapping[str, Any],
) -> web.Response:
    rows = rows_of(page["items"])
    return view.page(
        "bills.html",
        place="bills",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if form.faults else HTTPStatus.OK,
        form=form,
        show=show,
        shown=SHOWN,
        rows=rows,
        next=page.get("next"),
        answer=_answer(view, rows, show),
        choices=_choices(contracts),
        period=lambda bill: period_of(view, bill),
        reasons=lambda bill: reasons_of(view, bill["impact"]),
        told=lambda one: Meaning.of(view.words, one),
    )


def _answer(view: View, rows: Sequence[Row], show: Show) -> str:
    """Return in a sentence what the list says."""
    words = view.words
    if show == "affected":
        return _to_correct(view, rows)
    current = [row for row in rows if row.bill["status"] == "issued"]
    if not current:
        return ""
    if len({row.bill["contract"] for row in current}) > 1:
        drafts = sum(row.bill["status"] == "draft" for row in rows)
        told = words.count("One bill in force", "%(num)s bills in force", len(current))
        more = words.count("one draft", "%(num)s drafts", drafts) if drafts else ""
        return f"{told}, {more}." if more else f"{told}."
    newest = max(current, key=lambda row: str(row.bill["start"]))
    total = words.money(newest.bill["total"], newest.bill["currency"])
    said = {"period": period_of(view, newest.bill), "total": total}
    if newest.share is None:
        return view.text("The last bill, %(period)s: %(total)s.", **said)
    said["part"] = words.percent(abs(newest.share), 1)
    if newest.share < 0:
        return view.text(
            "The last bill, %(period)s: %(total)s, %(part)s less than the one before.", **said
        )
    return view.text(
        "The last bill, %(period)s: %(total)s, %(part)s more than the one before.", **said
    )


def _to_correct(view: View, rows: Sequence[Row]) -> str:
    """Return how many bills would be others now, and by how much in all."""
    if not rows:
        return ""
    told = view.words.count(
        "One issued bill would be another one now",
        "%(num)s issued bills would be others now",
        len(rows),
    )
    sums: dict[str, Decimal] = {}
    for row in rows:
        known = sums.get(row.bill["currency"], Decimal(0))
        sums[row.bill["currency"]] = known + Decimal(row.bill["impact"].get("difference") or 0)
    each = [view.words.money(total, currency) for currency, total in sums.items()]
    return view.text("%(bills)s: %(amounts)s in all.", bills=told, amounts=", ".join(each))


async def _contracts(view: View) -> Sequence[Mapping[str, Any]] | None:
    """Return the contracts to choose from; None where they are too many, or not to be seen."""
    if not view.api.may("list_contracts"):
        return None
    page = await view.api.call("list_contracts", limit=str(_CHOICE))
    items: Sequence[Mapping[str, Any]] | None = None if page.get("next") else page["items"]
    return items


def _choices(contracts: Sequence[Mapping[str, Any]] | None) -> list[tuple[str, str]] | None:
    """Return contracts as the options of a field."""
    if contracts is None:
        return None
    return [(contract["id"], contract["id"]) for contract in contracts]


def _day_after(day: str) -> str:
    """Return the day after a day; a text that is none as it is, for the API to refuse."""
    try:
        return (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    except ValueError:
        return day


# Drafting.


@routes.get("/console/bills/new", produces=("text/html",))
async def show_new_bill(
    request: web.Request, contract: str = "", language: str | None = None
) -> web.Response:
    """Ask which bill to draft, and offer to draft those of all contracts."""
    view = View.of(request)
    if not view.api.may("post_bill"):
        raise Forbidden("the token lacks the scope billing")
    first, last = _month_before(view.api.core.clock.now().date())
    days = {"/start": first.isoformat(), "/end": last.isoformat()}
    return await _new(view, Form({**days, "/contract": contract}), Form(days))


@routes.post("/console/bills/new")
async def draft_bill(request: web.Request) -> web.Response:
    """Draft a bill, and show it."""
    view = View.of(request)
    form = await Form.read(request)
    body = _body(view, form)
    try:
        draft = await view.api.call("post_bill", body=body)
    except (Invalid, Conflict) as error:
        return await _new(view, _marked_wrong(view, form, error), None)
    return view.see(f"/console/bills/{draft['id']}")


@routes.post("/console/bills/run")
async def run_bills(request: web.Request) -> web.Response:
    """Begin a run over all contracts, and show how far it is."""
    view = View.of(request)
    form = await Form.read(request)
    body = _body(view, form)
    body["issue"] = bool(body.get("issue"))
    try:
        job = await view.api.call("run_bills", body=body, prefer=Prefer(respond_async=True))
    except (Invalid, Conflict) as error:
        return await _new(view, None, _marked_wrong(view, form, error))
    return view.see(f"/console/bills/runs/{job['id']}")


@routes.post("/console/bills/correct")
async def correct_all(request: web.Request) -> web.Response:
    """Draft the corrections of all bills that would be others now."""
    view = View.of(request)
    form = await Form.read(request)
    body = {"issue": form.get("issue") == "true"}
    job = await view.api.call("reprice_bills", body=body)
    return view.see(f"/console/bills/runs/{job['id']}")


def _body(view: View, form: Form) -> dict[str, Any]:
    """Return what a form says of bills; the API asks for the day after the last."""
    body: dict[str, Any] = form.body()
    for name in ("start", "end"):
        if name in body:
            body[name] = view.words.parsed_day(body[name])
    if "end" in body:
        body["end"] = _day_after(body["end"])
    return body


def _marked_wrong(view: View, form: Form, error: EnergiaError) -> Form:
    """Return a form with what the API refuses at its fields, and the reason at its head."""
    if isinstance(error, Invalid):
        return refused(view.words, form, error)
    return Form(form.values, {"": of_error(view.words, error)})


async def _new(view: View, one: Form | None, many: Form | None) -> web.Response:
    first, last = _month_before(view.api.core.clock.now().date())
    days = Form({"/start": first.isoformat(), "/end": last.isoformat()})
    forms = one or days, many or days
    is_wrong = any(form.faults for form in forms)
    return view.page(
        "bills_new.html",
        place="bills",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK,
        one=forms[0],
        many=forms[1],
        choices=_choices(await _contracts(view)),
    )


def _month_before(day: date) -> tuple[date, date]:
    """Return the first and the last day of the month before."""
    last = day.replace(day=1) - timedelta(days=1)
    return last.replace(day=1), last


# Runs.


@routes.get("/console/bills/runs/{job}", produces=("text/html",))
async def show_run(request: web.Request, job: str, language: str | None = None) -> web.Response:
    """Show how far a run is, and what it has done."""
    view = View.of(request)
    found = await view.api.call("get_job", job=job)
    if not found["kind"].startswith("bills."):
        raise NotFound(f"the job {job!r} is no run of bills")
    return view.page(
        "bills_run.html",
        place="bills",
        job=found,
        told=lambda one: Meaning.of(view.words, one),
    )

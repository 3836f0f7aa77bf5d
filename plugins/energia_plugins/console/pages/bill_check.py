"""A supplier's bill held beside ours: typed line by line, or read from a PDF or a text."""

import base64
from asyncio import gather
from collections.abc import Mapping, Sequence
from decimal import Decimal
from http import HTTPStatus
from typing import Any, Final

import attrs
from aiohttp import web
from aiohttp.web_request import FileField

from energia import SCOPES, Routes
from energia.errors import Conflict, Fault, Invalid
from energia_plugins.console.bills.lines import Line, lines_of
from energia_plugins.console.bills.verdicts import RESULTS, Verdict, ours_of, verdicts
from energia_plugins.console.faults import refused
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View
from energia_plugins.console.pages.bill import title_of

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

#: So many rows are there for what is printed and is not of the tariff.
_MORE: Final = 3
#: By how much amounts may differ, until somebody says otherwise.
_TOLERANCE: Final = "0.02"
_NUMBERS: Final = ("quantity", "amount")
_READ: Final = "read_brazilian_bill"


@attrs.frozen
class Ours:
    """Our bill, which the supplier's is held beside.

    Attributes:
        view: What the page is made with.
        bill: The bill.
        lines: Its lines.

    """

    view: View
    bill: Mapping[str, Any]
    lines: Sequence[Line]

    @property
    def asked(self) -> list[Line]:
        """The lines that a supplier's bill would have: what is within the others is none."""
        return [line for line in self.lines if not line.is_within]

    def form(self) -> Form:
        """Return the form with the names of our lines, and nothing typed."""
        values = {"/total": "", "/tolerance": self.view.words.number(_TOLERANCE)}
        rows = [(line.code, line.name) for line in self.asked] + [("", "")] * _MORE
        for index, (code, name) in enumerate(rows):
            values |= _row(index, code, name)
        return Form(values)


@attrs.frozen
class Result:
    """What came of a comparison.

    Attributes:
        check: What the API answers.
        verdicts: How each line compares.

    """

    check: Mapping[str, Any]
    verdicts: Sequence[Verdict]


def _row(index: int, code: str, name: str, quantity: str = "", amount: str = "") -> dict[str, str]:
    fields = {"code": code, "description": name, "quantity": quantity, "amount": amount}
    return {f"/lines/{index}/{field}": text for field, text in fields.items()}


async def _ours(view: View, id_: str) -> Ours:
    bill, told = await gather(view.api.call("get_bill", bill=id_), _explained(view, id_))
    return Ours(view, bill, lines_of(view.words, bill, told))


async def _explained(view: View, id_: str) -> Sequence[Mapping[str, Any]] | None:
    try:
        found: Sequence[Mapping[str, Any]] = (await view.api.call("explain_bill", bill=id_))[
            "lines"
        ]
    except (Conflict, Invalid):
        return None
    return found


@routes.get("/console/bills/{bill}/check", produces=("text/html",))
async def show_check(request: web.Request, bill: str, language: str | None = None) -> web.Response:
    """Ask for what the supplier printed."""
    view = View.of(request)
    ours = await _ours(view, bill)
    return _page(ours, ours.form())


@routes.post("/console/bills/{bill}/check")
async def check(request: web.Request, bill: str) -> web.Response:
    """Compare what was typed with our lines."""
    view = View.of(request)
    form = await Form.read(request)
    return await _checked(await _ours(view, bill), form)


@routes.post("/console/bills/{bill}/read")
async def read(request: web.Request, bill: str) -> web.Response:
    """Read a printed bill, put its lines into the form, and compare them."""
    view = View.of(request)
    await Form.read(request)
    ours = await _ours(view, bill)
    text, data = await _printed(request)
    typed = Form({"/text": text, "/pdf": ""})
    body = {"text": text} if text.strip() else {}
    if data:
        body["pdf"] = base64.b64encode(data).decode()
    if not body:
        said = view.text("Choose a PDF, or paste the text of the bill.")
        return _page(ours, ours.form(), text=Form(typed.values, {"/text": said}))
    try:
        printed = await view.api.call(_READ, body=body)
    except Invalid as error:
        wrong = refused(view.words, typed, error)
        where = "/pdf" if data else "/text"  # the API reads what it has from either
        faults = {name or where: fault for name, fault in wrong.faults.items()}
        return _page(ours, ours.form(), text=Form(typed.values, faults))
    return await _checked(ours, _filled(ours, printed), printed=printed)


async def _printed(request: web.Request) -> tuple[str, bytes]:
    """Return the text and the PDF of a form, either may be empty.

    In a form with a file aiohttp takes the slash from the names of fields, as from paths of files.
    """
    posted = await request.post()
    text = posted.get("/text", posted.get("text", ""))
    file = posted.get("pdf")
    data = file.file.read() if isinstance(file, FileField) else b""
    return text if isinstance(text, str) else "", data


def _filled(ours: Ours, printed: Mapping[str, Any]) -> Form:
    """Return the form with what was read: beside our lines, then what is none of them."""
    words = ours.view.words
    by_code: dict[str | None, list[Mapping[str, Any]]] = {}
    for line in printed["lines"]:
        by_code.setdefault(ours_of(line.get("code"), ours.lines), []).append(line)
    rows = [(code, line) for code, found in by_code.items() if code for line in found]
    others = [("", line) for line in by_code.get(None, [])]
    values = {"/total": "", "/tolerance": words.number("0.03")}
    if printed.get("total") is not None:
        values["/total"] = words.number(printed["total"], 2)
    for index, (code, line) in enumerate([*rows, *others]):
        quantity = "" if line.get("quantity") is None else words.number(line["quantity"])
        amount = words.number(line["amount"], 2)
        values |= _row(index, code, line["description"], quantity, amount)
    missing = [line for line in ours.asked if line.code not in by_code]
    start = len(rows) + len(others)
    for index, line in enumerate(missing, start):
        values |= _row(index, line.code, line.name)
    return Form(values)


async def _checked(
    ours: Ours, form: Form, printed: Mapping[str, Any] | None = None
) -> web.Response:
    """Return the page with the verdicts, or with what is wrong at its fields."""
    view = ours.view
    body, places = _body(view, form)
    try:
        found = await view.api.call("check_bill", bill=ours.bill["id"], body=body)
    except Invalid as error:
        wrong = refused(view.words, form, _placed(error, places))
        return _page(ours, wrong, printed=printed)
    told = verdicts(view.words, found, ours.lines, ours.bill["currency"])
    return _page(ours, form, result=Result(found, told), printed=printed)


def _body(view: View, form: Form) -> tuple[dict[str, Any], list[int]]:
    """Return what is compared, and the rows of the form that its lines are from.

    A row without an amount and a quantity was not filled in.
    """
    lines: list[dict[str, str]] = []
    places: list[int] = []
    for index in range(rows_of(form)):
        row = {
            field: form.get(f"/lines/{index}/{field}").strip()
            for field in ("code", "description", *_NUMBERS)
        }
        if not (row["quantity"] or row["amount"]):
            continue
        numbers = {name: view.words.parsed(row[name]) for name in _NUMBERS if row[name]}
        named = {name: row[name] for name in ("code", "description") if row[name]}
        lines.append({**named, **numbers})
        places.append(index)
    head = {
        name: view.words.parsed(form.get(f"/{name}"))
        for name in ("total", "tolerance")
        if form.get(f"/{name}").strip()
    }
    return {"lines": lines, **head}, places


def rows_of(form: Form) -> int:
    """Return how many rows a form has."""
    count = 0
    while f"/lines/{count}/description" in form.values:
        count += 1
    return count


def _placed(error: Invalid, places: Sequence[int]) -> Invalid:
    """Return a refusal whose lines are those of the form."""
    return Invalid(error.detail, [_fault(fault, places) for fault in error.faults])


def _fault(fault: Fault, places: Sequence[int]) -> Fault:
    parts = (fault.pointer or "").split("/")
    if len(parts) > 2 and parts[1] == "lines" and int(parts[2]) < len(places):
        parts[2] = str(places[int(parts[2])])
    return attrs.evolve(fault, pointer="/".join(parts))


def _page(
    ours: Ours,
    form: Form,
    *,
    result: Result | None = None,
    printed: Mapping[str, Any] | None = None,
    text: Form | None = None,
) -> web.Response:
    view = ours.view
    is_wrong = form.faults or (text and text.faults)
    return view.page(
        "bill_check.html",
        place="bills",
        status=HTTPStatus.UNPROCESSABLE_ENTITY if is_wrong else HTTPStatus.OK,
        bill=ours.bill,
        title=title_of(view, ours.bill),
        form=form,
        text=text or Form(),
        rows=range(rows_of(form)),
        ours={line.code: line for line in ours.lines},
        found=None if result is None else result.check,
        told=() if result is None else result.verdicts,
        results=RESULTS,
        answer="" if result is None else _answer(ours, result),
        printed=printed,
        may_read=view.api.may(_READ),
    )


def _answer(ours: Ours, result: Result) -> str:
    """Return the verdict in a sentence."""
    words, currency = ours.view.words, ours.bill["currency"]
    differing = sum(not verdict.is_fine for verdict in result.verdicts)
    more = Decimal(result.check["total"]["difference"])
    size = words.money(abs(more), currency)
    if not differing and not more:
        return words.text("The supplier's bill is right, line by line.")
    if not more:
        said = words.text("The totals are the same")
    elif more > 0:
        said = words.text("The supplier charges %(size)s more", size=size)
    else:
        said = words.text("The supplier charges %(size)s less", size=size)
    if not differing:
        return words.text("%(said)s, and every line is near enough.", said=said)
    lines = words.count("one line", "%(num)s lines", differing)
    return words.text("%(said)s: to be asked about: %(lines)s.", said=said, lines=lines)

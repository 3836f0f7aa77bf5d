"""A bill: what is to be paid, how its lines come to that, and why each is what it is."""

from asyncio import gather
from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Final, Literal

import attrs
from aiohttp import web
from markupsafe import Markup
from msgspec import Meta

from energia import SCOPES, Routes
from energia.errors import Conflict, EnergiaError, Invalid
from energia.web.panels import Subject
from energia_plugins.console.bills.arithmetic import plain, quantity
from energia_plugins.console.bills.differences import Change, changes, energy_of
from energia_plugins.console.bills.lines import Line, lines_of, parts_of
from energia_plugins.console.bills.pictures import power_picture, slots_picture
from energia_plugins.console.bills.slots import Readings, cell_minutes
from energia_plugins.console.bills.taxes import Taxes
from energia_plugins.console.bills.why import Why
from energia_plugins.console.faults import Meaning, of_error
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View, marked
from energia_plugins.console.panels import panels_of

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

#: A question that the page asks before it does what cannot be undone.
Ask = Literal["issue", "delete"]
WhyLine = Annotated[int, Meta(ge=0)]
_MINUTES: Final = {"PT15M": 15, "PT30M": 30, "PT1H": 60}
#: So many decimals of a rate are shown below the name of a line.
_ROOM: Final = 5
#: What may have changed since a bill was issued.
_REASONS: Final = {
    "readings": marked("readings"),
    "prices": marked("prices of the market"),
    "tariff": marked("the tariff"),
    "contract": marked("the contract"),
    "parameters": marked("parameters of the contract"),
    "prior_state": marked("the bill before"),
    "days": marked("the days that are counted"),
}


@attrs.frozen
class Measured:
    """What was measured in the period of a bill.

    Attributes:
        total: The sum, exact.
        unit: Its unit.
        peak: The highest power, with when it was; None where nobody knows.

    """

    total: Decimal
    unit: str
    peak: Mapping[str, Any] | None

    @classmethod
    def of(cls, usage: Mapping[str, Any]) -> "Measured":
        """Return what the API answers for each day as one."""
        total = sum((Decimal(day["value"]) for day in usage["data"]), Decimal(0))
        peaks = [day["peak"] for day in usage["data"] if day["peak"]]
        peak = max(peaks, key=lambda one: Decimal(one["value"]), default=None)
        return cls(total, usage["unit"], peak)


@attrs.frozen
class Found:
    """A bill with all that its page shows.

    Attributes:
        bill: The bill.
        explanation: Where its lines come from; None for a draft that is not up to date.
        other: The bill that it corrects, or that corrects it.
        customer: The name of its site, where it is known.
        meter: The name of its meter.
        tariff: The name of its tariff.
        measured: What was measured.
        now: What an issued bill would be now, where that is another one.

    """

    bill: Mapping[str, Any]
    explanation: Mapping[str, Any] | None
    other: Mapping[str, Any] | None
    customer: str
    meter: str
    tariff: str
    measured: Measured | None
    now: Mapping[str, Any] | None

    @property
    def is_draft(self) -> bool:
        """Whether it is not issued."""
        return str(self.bill["status"]) == "draft"

    @property
    def is_outdated(self) -> bool:
        """Whether it is a draft of what would not be billed any more."""
        return self.is_draft and self.explanation is None

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return Decimal(self.bill["total"])

    @property
    def difference(self) -> Decimal:
        """What the bill that is in force is more than the one in whose place it is."""
        other = Decimal(0) if self.other is None else Decimal(self.other["total"])
        return self.total - other if self.bill.get("corrects") else other - self.total

    @property
    def now_difference(self) -> Decimal:
        """What an issued bill would be more now."""
        return Decimal((self.now or {}).get("difference") or 0)

    def changes(self) -> list[Change]:
        """Return what a correction changes, line by line."""
        if self.other is None or not self.bill.get("corrects"):
            return []
        return changes(self.other, self.bill)

    def energy_more(self) -> Decimal | None:
        """Return how much more a correction has of energy than what it corrects."""
        before = None if self.other is None else energy_of(self.other)
        after = energy_of(self.bill)
        return None if before is None or after is None else after - before


async def find(view: View, id_: str) -> Found:
    """Return a bill with all that its page shows and its reader may see."""
    bill = await view.api.call("get_bill", bill=id_)
    other = bill.get("corrects") or bill.get("corrected_by")
    explanation, around, now, also = await gather(
        _explanation(view, bill),
        _around(view, bill),
        _now(view, bill),
        _other(view, other),
    )
    measured = await _measured(view, bill)
    customer, meter, tariff = around
    return Found(bill, explanation, also, customer, meter, tariff, measured, now)


async def _explanation(view: View, bill: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return where lines come from; None where the API does not know any more."""
    try:
        found: Mapping[str, Any] = await view.api.call("explain_bill", bill=bill["id"])
    except (Conflict, Invalid):
        return None
    return found


async def _other(view: View, id_: str | None) -> Mapping[str, Any] | None:
    found: Mapping[str, Any] | None = None
    if id_ is not None:
        found = await view.api.call("get_bill", bill=id_)
    return found


async def _around(view: View, bill: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return what the site, the meter and the tariff of a bill are called."""
    customer, meter, tariff = "", bill["meter"], bill["tariff"]
    if view.api.may("get_meter"):
        found = await view.api.call("get_meter", meter=bill["meter"])
        meter = found.get("name") or meter
        if view.api.may("get_site"):
            site = await view.api.call("get_site", site=found["site"])
            customer = site.get("name") or found["site"]
    if view.api.may("get_tariff"):
        tariff = (await view.api.call("get_tariff", tariff=tariff)).get("name") or tariff
    return customer, meter, tariff


async def _measured(view: View, bill: Mapping[str, Any]) -> Measured | None:
    """Return what was measured, as it was known when the bill was priced."""
    wanted = _reading(view, bill, "get_usage")
    if wanted is None:
        return None
    try:
        return Measured.of(await view.api.call("get_usage", **wanted, window="P1D"))
    except EnergiaError:  # the channel is gone, or of another kind: the bill stays what it is
        return None


def _reading(
    view: View, bill: Mapping[str, Any], operation: str, role: str = "import"
) -> dict[str, Any] | None:
    """Return the window of the readings of a bill: of its first channel of a role."""
    read = [one for one in bill["inputs"]["readings"] if one["role"] == role]
    if not (read and view.api.may(operation)) or bill["readings_deleted"]:
        return None
    window = {name: bill[name] for name in ("meter", "start", "end")}
    return {**window, "channel": read[0]["channel"], "known_at": read[0]["revision_at"]}


async def _now(view: View, bill: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what an issued bill would be now; None where that is what it is."""
    if bill["status"] != "issued":
        return None
    after = date.fromisoformat(bill["start"]) + timedelta(days=1)
    window = {"contract": bill["contract"], "start": bill["start"], "end": after.isoformat()}
    page = await view.api.call("list_bills", affected="true", **window)
    found = [one for one in page["items"] if one["id"] == bill["id"]]
    return found[0]["impact"] if found else None


# The page.


@routes.get("/console/bills/{bill}", produces=("text/html",))
async def show_bill(
    request: web.Request,
    bill: str,
    why: WhyLine | None = None,
    ask: Ask | None = None,
    language: str | None = None,
) -> web.Response:
    """Show a bill; `why` opens a line, `ask` asks before it is issued or deleted."""
    view = View.of(request)
    return await _page(view, await find(view, bill), why=why, ask=ask)


async def _page(
    view: View,
    found: Found,
    *,
    why: int | None = None,
    ask: str | None = None,
    form: Form | None = None,
) -> web.Response:
    told = None if found.explanation is None else found.explanation["lines"]
    lines = lines_of(view.words, found.bill, told)
    opened = why if told is not None and why is not None and why < len(lines) else None
    taxes = Taxes.of(found.bill, lines, told) if told is not None else None
    picture = await _picture(view, found, lines, opened)
    return view.page(
        "bill.html",
        place="bills",
        status=HTTPStatus.OK if form is None else HTTPStatus.UNPROCESSABLE_ENTITY,
        found=found,
        bill=found.bill,
        title=title_of(view, found.bill),
        groups=parts_of(lines),
        has_bare=any(line.bare for line in lines),
        why=opened,
        steps=_steps(view, found, lines, opened),
        picture=picture,
        taxes=taxes if taxes and taxes.items and taxes.total > 0 else None,
        ask=ask,
        form=form or Form(),
        reasons=reasons_of(view, found.now),
        told=lambda one: Meaning.of(view.words, one),
        days=_days(found.bill),
        cell_minutes=_cell_minutes(picture),
        amount_of=lambda value, unit: "" if value is None else quantity(view.words, value, unit),
        panels=await panels_of(view, "bill", _about(found.bill)),
        short=lambda rate: _short(view, rate),
        rate_of=lambda rate: "" if rate is None else plain(view.words, rate),
    )


def _about(bill: Mapping[str, Any]) -> Subject:
    """Return what the page of a bill is about, for panels."""
    return Subject(
        meter=bill["meter"],
        contract=bill["contract"],
        bill=bill["id"],
        tariff=bill["tariff"],
        start=date.fromisoformat(bill["start"]),
        end=date.fromisoformat(bill["end"]),
    )


def _short(view: View, rate: str) -> str:
    """Return a rate with as many decimals as a phone has room for."""
    return view.words.number(rate, min(_ROOM, len(rate.partition(".")[2])))


def _days(bill: Mapping[str, Any]) -> int:
    return (date.fromisoformat(bill["end"]) - date.fromisoformat(bill["start"])).days


def _cell_minutes(picture: tuple[Markup, Readings] | None) -> int:
    """Return how long the cells of a picture are, in minutes."""
    return 0 if picture is None else cell_minutes(picture[1])


def reasons_of(view: View, now: Mapping[str, Any] | None) -> str:
    """Return in a sentence what has changed since a bill was issued."""
    names = [view.text(_REASONS[reason]) for reason in (now or {}).get("reasons", ())]
    return view.text("Changed since: %(what)s.", what=", ".join(names)) if names else ""


def title_of(view: View, bill: Mapping[str, Any]) -> str:
    """Return what a bill is called: by its month where it is of one."""
    period = period_of(view, bill)
    return view.text("Energy bill, %(period)s", period=period)


def period_of(view: View, bill: Mapping[str, Any]) -> str:
    """Return the period of a bill: a month by its name, else its first and last day."""
    start, end = (date.fromisoformat(bill[name]) for name in ("start", "end"))
    if start.day == end.day == 1 and (end - start).days <= 31:
        return view.words.month(start)
    first, last = view.words.day(start, year=True), view.words.last_day(end, year=True)
    return view.text("%(first)s to %(last)s", first=first, last=last)


def _steps(view: View, found: Found, lines: list[Line], opened: int | None) -> Any:
    if opened is None or found.explanation is None:
        return ()
    return Why(view.words, found.bill, found.explanation, lines, found.tariff).steps(opened)


async def _picture(
    view: View, found: Found, lines: list[Line], opened: int | None
) -> tuple[Markup, Readings] | None:
    """Return the picture of the line that is open, and the readings in it."""
    if opened is None or found.explanation is None:
        return None
    explained, line = found.explanation["lines"][opened], lines[opened]
    charge = found.explanation["charges"].get(explained["charge"], {})
    wanted = _reading(view, found.bill, "get_readings", charge.get("channel", "import"))
    if not explained["calendar"] or wanted is None or line.group not in ("energy", "demand"):
        return None
    try:
        document = await view.api.call("get_readings", **wanted)
    except EnergiaError:
        return None
    readings = Readings.read(document, found.bill["timezone"])
    readings = readings.within(explained["calendar"]["runs"])
    return (_drawn(view, line, readings, found.bill, charge), readings) if readings.slots else None


def _drawn(
    view: View, line: Line, readings: Readings, bill: Mapping[str, Any], charge: Mapping[str, Any]
) -> Markup:
    span = date.fromisoformat(bill["start"]), date.fromisoformat(bill["end"])
    if line.group == "energy":
        return slots_picture(view.words, line, readings, span)
    minutes = max(readings.minutes, _MINUTES.get(charge.get("interval", ""), 0))
    return power_picture(view.words, line, readings.power(minutes), span, charge)


# What is done with a bill.


@routes.post("/console/bills/{bill}/issue")
async def issue(request: web.Request, bill: str) -> web.Response:
    """Issue a draft."""
    view = View.of(request)
    await Form.read(request)
    try:
        await view.api.call("issue_bill", bill=bill)
    except (Invalid, Conflict) as error:
        return await _refused(view, bill, error)
    return view.see(f"/console/bills/{bill}")


@routes.post("/console/bills/{bill}/delete")
async def delete(request: web.Request, bill: str) -> web.Response:
    """Delete a draft."""
    view = View.of(request)
    await Form.read(request)
    try:
        await view.api.call("delete_bill", bill=bill)
    except Conflict as error:
        return await _refused(view, bill, error)
    return view.see("/console/bills")


@routes.post("/console/bills/{bill}/correct")
async def correct(request: web.Request, bill: str) -> web.Response:
    """Draft the correction of an issued bill."""
    view = View.of(request)
    await Form.read(request)
    try:
        draft = await view.api.call("post_bill", body={"corrects": bill})
    except (Invalid, Conflict) as error:
        return await _refused(view, bill, error)
    return view.see(f"/console/bills/{draft['id']}")


@routes.post("/console/bills/{bill}/price")
async def price_anew(request: web.Request, bill: str) -> web.Response:
    """Price a draft by what is stored now."""
    view = View.of(request)
    await Form.read(request)
    stored = await view.api.call("get_bill", bill=bill)
    wanted = {"contract": stored["contract"], "start": stored["start"], "end": stored["end"]}
    if stored.get("corrects"):
        wanted = {"corrects": stored["corrects"]}
    try:
        await view.api.call("post_bill", body={**wanted, "missing": stored["inputs"]["missing"]})
    except (Invalid, Conflict) as error:
        return await _refused(view, bill, error)
    return view.see(f"/console/bills/{bill}")


async def _refused(view: View, bill: str, error: EnergiaError) -> web.Response:
    """Return the bill with why the API did not do what was asked for."""
    form = Form({}, {"": of_error(view.words, error)})
    return await _page(view, await find(view, bill), form=form)

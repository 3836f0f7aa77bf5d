"""What needs attention, in words: what happened, its size, what to do."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import attrs

from energia_plugins.console.overview.figures import Figures
from energia_plugins.console.page import View
from energia_plugins.console.words import capital

Json = Mapping[str, Any]
#: So many of one kind are told one by one where many sites are looked at.
MOST: Final = 5


@attrs.frozen
class Link:
    """Where one goes on."""

    url: str
    text: str


@attrs.frozen
class Notice:
    """Something that needs attention.

    Attributes:
        title: What it is.
        text: What happened, and its size.
        link: What to do.

    """

    title: str
    text: str
    link: Link | None = None


def of_contract(view: View, figures: Figures) -> list[Notice]:
    """Return what the figures of a month say: that more was drawn than is contracted."""
    demand, peak, words = figures.demand, figures.used.now, view.words
    if not figures.is_over_contract or demand is None or peak.peak is None or peak.peak_at is None:
        return []
    over = figures.costs.now.overrun if figures.costs.now else Decimal(0)
    text = view.text(
        "%(peak)s on %(at)s. The limit with its tolerance is %(limit)s.",
        peak=words.quantity(peak.peak, "kW", 1),
        at=words.moment(peak.peak_at),
        limit=words.quantity(f"{demand.with_tolerance:g}", "kW", 1),
    )
    if over:
        amount = words.money(over, figures.subject.currency)
        text += " " + view.text("That costs %(amount)s this month.", amount=amount)
    meter, day = figures.subject.meter["id"], peak.peak_at.date()
    link = Link(view.url(f"/console/meters/{meter}", **_day(day)), view.text("See the day"))
    return [Notice(view.text("Demand above the contract"), text, link)]


def _day(day: date) -> dict[str, str]:
    return {"from": day.isoformat(), "to": date.fromordinal(day.toordinal() + 1).isoformat()}


def of_concerns(
    view: View, concerns: Iterable[Json], impacts: Mapping[str, Json], *, place: str = "meter"
) -> list[Notice]:
    """Return what the API says needs attention.

    Args:
        view: Who looks.
        concerns: What the API says.
        impacts: What affected bills would be now, by their ids, where that was asked.
        place: What is named of each: its `site`, or its `meter`.

    """
    return [_notice(view, concern, impacts, place) for concern in concerns]


def _notice(view: View, concern: Json, impacts: Mapping[str, Json], place: str) -> Notice:
    match concern["kind"]:
        case "readings.silent":
            return _silent(view, concern, place)
        case "readings.gap":
            return _gap(view, concern, place)
        case "price.stale":
            return _stale(view, concern)
        case "bill.affected":
            return _affected(view, concern, impacts, place)
        case _:
            return _ending(view, concern, place)


def _silent(view: View, concern: Json, place: str) -> Notice:
    who, since = _who(view, concern, place), concern.get("start")
    if since is None:
        text = view.text("%(who)s: there is a contract, and no reading yet.", who=who)
    else:
        at = view.words.moment(since, year=_is_old(view, since))
        text = view.text("%(who)s: the newest reading is of %(at)s.", who=who, at=at)
    return Notice(view.text("No readings come in"), text, _import(view))


def _gap(view: View, concern: Json, place: str) -> Notice:
    start, end = concern["start"], concern["end"]
    same = start[:10] == end[:10]
    given = {
        "who": _who(view, concern, place),
        "start": view.words.moment(start),
        "end": view.words.time(end) if same else view.words.moment(end),
    }
    if same:
        text = view.words.count(
            "%(who)s, %(start)s to %(end)s: %(num)s interval.",
            "%(who)s, %(start)s to %(end)s: %(num)s intervals.",
            concern["slots"],
            **given,
        )
    else:
        text = view.words.count(
            "%(who)s, between %(start)s and %(end)s: %(num)s interval.",
            "%(who)s, between %(start)s and %(end)s: %(num)s intervals.",
            concern["slots"],
            **given,
        )
    return Notice(view.text("Readings are missing"), text, _import(view))


def _stale(view: View, concern: Json) -> Notice:
    expected = concern.get("start")
    if expected is None:
        text = view.text("%(series)s: the feed fails.", series=concern["series"])
    else:
        at = view.words.moment(expected)
        text = view.text(
            "%(series)s: more were expected on %(at)s.", series=concern["series"], at=at
        )
    return Notice(view.text("Prices are late"), text, _link(view, "list_plugins", "service"))


def _affected(view: View, concern: Json, impacts: Mapping[str, Json], place: str) -> Notice:
    bill, month = concern["bill"], view.words.month(concern["day"], year=False)
    impact = impacts.get(bill, {}).get("impact") or {}
    difference = impact.get("difference")
    if difference is None:
        who = _who(view, concern, place)
        text = view.text("%(who)s: readings or prices of its days have changed since.", who=who)
    else:
        amount = view.words.money(abs(Decimal(difference)), impacts[bill]["currency"])
        less = Decimal(difference) < 0
        text = (
            view.text("It would be %(amount)s less now.", amount=amount)
            if less
            else view.text("It would be %(amount)s more now.", amount=amount)
        )
    title = view.text("The bill of %(month)s would be another one", month=month)
    return Notice(title, text, Link(view.url(f"/console/bills/{bill}"), view.text("See the bill")))


def _ending(view: View, concern: Json, place: str) -> Notice:
    today = view.api.core.clock.now().date()
    days = (date.fromisoformat(concern["day"]) - today).days
    title = view.words.count(
        "A contract ends in %(num)s day", "A contract ends in %(num)s days", days
    )
    last = view.words.last_day(concern["day"], year=True)
    who = _who(view, concern, place)
    text = view.text("%(who)s: its last day is %(day)s.", who=who, day=last)
    link = _link(view, "list_contracts", f"records/contracts/{concern['contract']}")
    return Notice(title, text, link)


def _who(view: View, concern: Json, place: str) -> str:
    """Return what a concern is about; of what is only one there, that it is the meter."""
    return str(concern.get(place) or concern.get("series") or view.text("The meter"))


def _is_old(view: View, instant: str) -> bool:
    return datetime.fromisoformat(instant).year != view.api.core.clock.now().year


def _import(view: View) -> Link | None:
    if not view.api.may("import_file"):
        return None
    return Link(view.url("/console/import"), view.text("Import readings"))


def _link(view: View, operation: str, page: str) -> Link | None:
    if not view.api.may(operation):
        return None
    return Link(view.url(f"/console/{page}"), view.text("Look into it"))


# Of many sites.


@attrs.frozen
class Kind:
    """All that needs attention for one reason.

    Attributes:
        title: What it is, and how many there are.
        notices: The first of them.
        more: How many are not told.

    """

    title: str
    notices: Sequence[Notice]
    more: int


def by_kind(view: View, concerns: Sequence[Json], names: Mapping[str, str]) -> list[Kind]:
    """Return what needs attention at many sites, by its kind; *names* are those of some sites."""
    found = []
    for kind in _KINDS:
        of_kind = [one for one in concerns if one["kind"] == kind]
        if of_kind:
            told = [_named(one, names) for one in of_kind[:MOST]]
            notices = of_concerns(view, told, {}, place="site")
            title = capital(_title(view, kind, len(of_kind)))
            found.append(Kind(title, notices, max(0, len(of_kind) - MOST)))
    return found


#: What there is, in the order in which it is told.
_KINDS: Final = (
    "readings.silent",
    "readings.gap",
    "price.stale",
    "bill.affected",
    "contract.ending",
)


def _title(view: View, kind: str, number: int) -> str:
    """Return how much there is of a kind."""
    count = view.words.count
    match kind:
        case "readings.silent":
            return count(
                "%(num)s channel gets no readings", "%(num)s channels get no readings", number
            )
        case "readings.gap":
            return count(
                "%(num)s channel has missing readings",
                "%(num)s channels have missing readings",
                number,
            )
        case "price.stale":
            return count("%(num)s price series is late", "%(num)s price series are late", number)
        case "bill.affected":
            return count(
                "%(num)s bill would be another one", "%(num)s bills would be other ones", number
            )
        case _:
            return count("%(num)s contract ends soon", "%(num)s contracts end soon", number)


def _named(concern: Json, names: Mapping[str, str]) -> Json:
    site = concern.get("site")
    return {**concern, "site": names.get(site, site)} if site else concern

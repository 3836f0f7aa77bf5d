"""How the service is: its components, its jobs, its price feeds, its plugins."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import attrs

from energia.health.monitor import Component
from energia.web.keys import MONITOR
from energia_plugins.console.faults import Meaning
from energia_plugins.console.page import View, marked
from energia_plugins.console.words import capital

Json = Mapping[str, Any]
_NONE: Final = "\N{EN DASH}"

# Components.

_COMPONENTS: Final[Mapping[str, str]] = {
    "bill-webhook": marked("delivery of bills"),
    "database": marked("database"),
    "disk": marked("disk"),
    "event-loop": marked("load of the process"),
    "migrations": marked("schema of the database"),
    "pool": marked("connections to the database"),
    "tariffs": marked("kinds of charges"),
    "brazil-tables": marked("tables of Brazilian tariffs"),
    "jobs": marked("jobs"),
    "webhooks": marked("webhooks"),
}
_STATUS: Final[Mapping[str, str]] = {
    "pass": marked("works"),
    "warn": marked("complains"),
    "fail": marked("fails"),
}


@attrs.frozen
class ComponentRow:
    """A component, as texts.

    Attributes:
        name: What it is.
        status: How it is.
        is_well: Whether it works.
        output: What is wrong, for who may know.
        checked: When it was last checked.

    """

    name: str
    status: str
    is_well: bool
    output: str
    checked: str


def components_of(view: View) -> list[ComponentRow]:
    """Return the components, those with a complaint first."""
    found = view.request.app[MONITOR].components()
    rows = [_component(view, one) for one in sorted(found, key=lambda one: one.name)]
    return sorted(rows, key=lambda row: row.is_well)


def _component(view: View, component: Component) -> ComponentRow:
    known = _COMPONENTS.get(component.name)
    name = component.name if known is None else view.text(known)
    may_know = view.api.caller.may("health")
    checked = _NONE
    if component.age is not None:
        at = view.api.core.clock.now() - timedelta(seconds=component.age)
        checked = f"{at:%H:%M:%S}"
    return ComponentRow(
        capital(name),
        view.text(_STATUS[component.status]),
        component.status == "pass",
        (component.output or "") if may_know else "",
        checked,
    )


def verdict(view: View, rows: Sequence[ComponentRow]) -> str:
    """Return how the service is, in a sentence."""
    ill = [row for row in rows if not row.is_well]
    if not ill:
        return view.words.count(
            "It works: %(num)s component, no complaint.",
            "It works: %(num)s components, no complaint.",
            len(rows),
        )
    names = ", ".join(row.name for row in ill)
    return view.words.count(
        "%(num)s component complains: %(names)s.",
        "%(num)s components complain: %(names)s.",
        len(ill),
        names=names,
    )


# Jobs.

_KINDS: Final[Mapping[str, str]] = {
    "bills.run": marked("bills of a period"),
    "bills.reprice": marked("corrections of bills"),
    "readings.import": marked("import of a file"),
    "readings.export": marked("export of readings"),
}
_JOB_STATUS: Final[Mapping[str, str]] = {
    "waiting": marked("waiting"),
    "running": marked("running"),
    "succeeded": marked("done"),
    "failed": marked("failed"),
    "cancelled": marked("cancelled"),
}


@attrs.frozen
class JobRow:
    """A job, as texts.

    Attributes:
        id: Its id.
        kind: What it does.
        status: How it stands.
        problem: Why it has failed; empty unless it has.
        done: How much is done.
        total: How much there is in all; None while that is not known, and once it has ended.
        progress: Both in words.
        begun: When it was asked for.
        by: Who asked for it.
        may_cancel: Whether it can be cancelled.
        may_resume: Whether it can go on.

    """

    id: str
    kind: str
    status: str
    problem: str
    done: int
    total: int | None
    progress: str
    begun: str
    by: str
    may_cancel: bool
    may_resume: bool


def jobs_of(view: View, jobs: Iterable[Json]) -> list[JobRow]:
    """Return jobs as a page shows them."""
    return [_job(view, job) for job in jobs]


def _job(view: View, job: Json) -> JobRow:
    words, status, kind = view.words, job["status"], _KINDS.get(job["kind"])
    done, total = job["progress"]["done"], job["progress"].get("total")
    is_open = status in ("waiting", "running")
    problem: Json = job.get("problem") or {}
    of = words.number(total) if total is not None else ""
    progress = words.number(done)
    if of:
        progress = view.text("%(done)s of %(total)s", done=progress, total=of)
    return JobRow(
        id=job["id"],
        kind=capital(job["kind"] if kind is None else view.text(kind)),
        status=view.text(_JOB_STATUS[status]),
        problem=Meaning.of(words, problem).text if problem else "",
        done=done,
        total=total if is_open else None,
        progress=progress,
        begun=words.moment(job["created_at"]),
        by=job["created_by"],
        may_cancel=is_open and view.api.may("cancel_job"),
        may_resume=status in ("failed", "cancelled") and view.api.may("resume_job"),
    )


# Price feeds.


@attrs.frozen
class SeriesRow:
    """A price series and its feed, as texts.

    Attributes:
        id: The series.
        feed: The feed; a dash without one.
        horizon: Until when prices are known.
        expected: When more are expected.
        status: How it is.
        is_well: Whether all prices are there that should be.
        error: Why the feed fails.

    """

    id: str
    feed: str
    horizon: str
    expected: str
    status: str
    is_well: bool
    error: str


def series_of(view: View, listed: Iterable[Json]) -> list[SeriesRow]:
    """Return price series, those that are late first."""
    rows = [_series(view, one) for one in listed]
    return sorted(rows, key=lambda row: (row.is_well, row.id))


def _series(view: View, one: Json) -> SeriesRow:
    feed: Json = one.get("feed") or {}
    stale = bool(feed.get("stale"))
    status = view.text("late") if stale else view.text("up to date")
    return SeriesRow(
        id=one["id"],
        feed=feed.get("name", _NONE),
        horizon=_moment(view, one.get("horizon")),
        expected=_moment(view, feed.get("next_update")),
        status=status if feed else view.text("by hand"),
        is_well=not stale,
        error=feed.get("error") or "",
    )


def _moment(view: View, instant: str | None) -> str:
    return _NONE if instant is None else view.words.moment(instant)


# Plugins.

_STATES: Final[Mapping[str, str]] = {
    "loaded": marked("loaded"),
    "disabled": marked("switched off"),
    "unavailable": marked("not installed in full"),
    "failed": marked("failed"),
}


@attrs.frozen
class PluginRow:
    """A plugin, as texts.

    Attributes:
        name: Its name.
        version: Its version.
        distribution: What it came with.
        state: How it stands.
        reason: Why it is not loaded.

    """

    name: str
    version: str
    distribution: str
    state: str
    reason: str


def plugins_of(view: View, listed: Iterable[Json]) -> list[PluginRow]:
    """Return the plugins, those that are not loaded first."""
    found = sorted(listed, key=lambda one: (one["state"] == "loaded", one["name"]))
    return [
        PluginRow(
            one["name"],
            one.get("version") or _NONE,
            one.get("distribution") or _NONE,
            view.text(_STATES[one["state"]]),
            one.get("reason") or "",
        )
        for one in found
    ]

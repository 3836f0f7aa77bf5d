"""Webhooks and the audit log as pages show them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from energia_plugins.console.callers import caller
from energia_plugins.console.page import View, marked
from energia_plugins.console.words import capital

Json = Mapping[str, Any]
_NONE: Final = "\N{EN DASH}"

_EVENTS: Final[Mapping[str, str]] = {
    "readings.imported": marked("readings came"),
    "gap.opened": marked("readings are missing"),
    "price.stale": marked("prices are late"),
    "contract.ending": marked("a contract ends"),
    "bill.issued": marked("a bill was issued"),
    "bill.affected": marked("a bill would be another one"),
    "webhook.test": marked("a test"),
}
_DELIVERIES: Final[Mapping[str, str]] = {
    "waiting": marked("waits for its next try"),
    "delivered": marked("delivered"),
    "given_up": marked("given up"),
}


@attrs.frozen
class WebhookRow:
    """A webhook, as texts.

    Attributes:
        id: Its id.
        url: Where it is sent to.
        description: What it is for.
        events: What it is told of.
        state: How it stands.
        is_well: Whether its receiver takes what is sent.
        succeeded: When its receiver last took something.
        deliveries: The last of what was sent.

    """

    id: str
    url: str
    description: str
    events: str
    state: str
    is_well: bool
    succeeded: str
    deliveries: Sequence["DeliveryRow"]


@attrs.frozen
class DeliveryRow:
    """Something that was sent, as texts."""

    at: str
    event: str
    status: str
    tries: str
    error: str


def webhook_of(view: View, webhook: Json, deliveries: Iterable[Json]) -> WebhookRow:
    """Return a webhook with the last of what was sent to it."""
    words = view.words
    events = ", ".join(_text(view, _EVENTS, event) for event in webhook["events"])
    succeeded = webhook.get("succeeded")
    return WebhookRow(
        id=webhook["id"],
        url=webhook["url"],
        description=webhook.get("description") or "",
        events=events,
        state=_state(view, webhook),
        is_well=webhook["active"] and not webhook["failures"] and not webhook.get("problem"),
        succeeded=words.moment(succeeded) if succeeded else _NONE,
        deliveries=[_delivery(view, one) for one in deliveries],
    )


def _state(view: View, webhook: Json) -> str:
    if problem := webhook.get("problem"):
        return view.text("Switched off: %(why)s", why=problem)
    if not webhook["active"]:
        return view.text("Switched off")
    if failures := webhook["failures"]:
        return view.words.count(
            "%(num)s try in vain", "%(num)s tries in vain, one after another", failures
        )
    return view.text("Works")


def _delivery(view: View, delivery: Json) -> DeliveryRow:
    outcomes = delivery["outcomes"]
    error = (outcomes[-1].get("error") or "") if outcomes else ""
    return DeliveryRow(
        view.words.moment(delivery["created"]),
        _text(view, _EVENTS, delivery["type"]),
        _text(view, _DELIVERIES, delivery["status"]),
        view.words.number(delivery["tries"]),
        error,
    )


def _text(view: View, known: Mapping[str, str], name: str) -> str:
    return view.text(known[name]) if name in known else name


# The audit log.

_RESOURCES: Final[Mapping[str, str]] = {
    "organization": marked("organization"),
    "token": marked("token"),
    "site": marked("site"),
    "meter": marked("meter"),
    "tariff": marked("tariff"),
    "contract": marked("contract"),
    "bill": marked("bill"),
    "holiday_list": marked("list of holidays"),
    "price_series": marked("price series"),
    "csv_mapping": marked("layout of files"),
    "deletion": marked("deletion of readings"),
    "webhook": marked("webhook"),
    "session": marked("sign-in"),
}
_ACTIONS: Final[Mapping[str, str]] = {
    "create": marked("made"),
    "update": marked("changed"),
    "delete": marked("deleted"),
    "issue": marked("issue"),
    "correct": marked("correction"),
}


@attrs.frozen
class EntryRow:
    """An entry of the audit log, as texts.

    Attributes:
        at: When.
        who: Who made the change.
        what: What was changed.
        id: Which one.
        action: What happened to it.
        changes: What was and is, of each field that differs.

    """

    at: str
    who: str
    what: str
    id: str
    action: str
    changes: Sequence[tuple[str, str, str]]


def entries_of(view: View, entries: Iterable[Json]) -> list[EntryRow]:
    """Return entries of the audit log."""
    return [
        EntryRow(
            view.words.moment(one["at"], year=True),
            caller(view.words, one),
            capital(_text(view, _RESOURCES, one["resource"])),
            one["resource_id"],
            _text(view, _ACTIONS, one["action"]),
            changes(one.get("before") or {}, one.get("after") or {}),
        )
        for one in entries
    ]


def changes(before: Json, after: Json) -> list[tuple[str, str, str]]:
    """Return the fields that differ, each with what it was and is."""
    names = dict.fromkeys([*before, *after])
    return [
        (name, _value(before.get(name)), _value(after.get(name)))
        for name in names
        if before.get(name) != after.get(name)
    ]


def _value(value: Any) -> str:
    if value is None:
        return _NONE
    text = value if isinstance(value, str) else str(value)
    return text if len(text) <= 200 else f"{text[:200]}…"


#: What the audit log can be filtered by, in words.
RESOURCES: Final = _RESOURCES

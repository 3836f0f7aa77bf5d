"""Tokens as a page shows them, and the form that makes one."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from energia_plugins.console.forms import Form
from energia_plugins.console.page import View, marked

Json = Mapping[str, Any]
_NONE: Final = "\N{EN DASH}"
#: What a token may do, in words; in the order of the form.
SCOPES: Final[Mapping[str, str]] = {
    "readings:read": marked("see sites, meters and readings"),
    "readings:write": marked("send readings, make sites and meters"),
    "readings:delete": marked("delete readings"),
    "tariffs:write": marked("make and change tariffs and prices"),
    "billing": marked("contracts and bills"),
    "metrics": marked("see metrics"),
    "health": marked("see why a component complains"),
    "preview": marked("make previews"),
    "admin": marked("everything, tokens included"),
}
#: For how long a token may be used, in days; none is for ever.
_LENGTHS: Final[Mapping[str, str]] = {
    "30": marked("30 days"),
    "90": marked("90 days"),
    "365": marked("one year"),
    "": marked("until it is revoked"),
}


@attrs.frozen
class TokenRow:
    """A token, as texts.

    Attributes:
        prefix: What may be read of it.
        name: Who uses it.
        scopes: What it may do.
        only: The only sites and meters that it sees; empty for all.
        expires: Until when it may be used.
        used: When it was last used.
        state: How it stands.
        is_live: Whether it can be revoked.

    """

    prefix: str
    name: str
    scopes: str
    only: str
    expires: str
    used: str
    state: str
    is_live: bool


def tokens_of(view: View, listed: Iterable[Json]) -> list[TokenRow]:
    """Return tokens, those that may be used first."""
    rows = [_row(view, one) for one in listed]
    return sorted(rows, key=lambda row: not row.is_live)


def _row(view: View, token: Json) -> TokenRow:
    expires, revoked = token.get("expires"), token.get("revoked")
    now = view.api.core.clock.now()
    is_over = expires is not None and datetime.fromisoformat(expires) <= now
    state = view.text("valid")
    if revoked is not None:
        state = view.text("revoked")
    elif is_over:
        state = view.text("expired")
    scopes = (view.text(SCOPES.get(scope, scope)) for scope in token["scopes"])
    only = [*(token.get("sites") or ()), *(token.get("meters") or ())]
    used = token.get("used")
    return TokenRow(
        prefix=token["prefix"],
        name=token["name"],
        scopes=", ".join(scopes),
        only=", ".join(only),
        expires=view.words.moment(expires, year=True) if expires else _NONE,
        used=view.words.moment(used, year=True) if used else _NONE,
        state=state,
        is_live=revoked is None and not is_over,
    )


def choices(view: View) -> list[tuple[str, str]]:
    """Return the scopes that the caller may give, each with its words."""
    return [
        (scope, view.text(text))
        for scope, text in SCOPES.items()
        if view.api.caller.may(scope)  # type: ignore[arg-type]
    ]


def lengths(view: View) -> list[tuple[str, str]]:
    """Return for how long a token may be used."""
    return [(days, view.text(text)) for days, text in _LENGTHS.items()]


def body_of(view: View, form: Form) -> dict[str, Any]:
    """Return the token that a form asks for."""
    scopes = [scope for scope in SCOPES if form.get(f"scope-{scope}")]
    body: dict[str, Any] = {"name": form.get("/name").strip(), "scopes": scopes}
    for name in ("sites", "meters"):
        ids = [part.strip() for part in form.get(f"/{name}").split(",") if part.strip()]
        if ids:
            body[name] = ids
    days = form.get("days")
    if days in _LENGTHS and days:
        expires = view.api.core.clock.now() + timedelta(days=int(days))
        body["expires"] = expires.isoformat()
    return body

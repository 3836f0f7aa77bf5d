"""Records that a person makes and changes: their fields, and what becomes of what was typed."""

import re
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Self
from unicodedata import normalize

import attrs

from energia.errors import Conflict, Invalid, PreconditionFailed
from energia_plugins.console.faults import Difference, differences, refused
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View

HOME: Final = "/console/records"
_LONGEST_ID: Final = 64


@attrs.frozen
class Entry:
    """A field of a record.

    Attributes:
        name: Its JSON pointer in the record.
        label: What is asked.
        hint: What helps to answer.
        choices: Pairs of a value and its words; None where it is typed.
        required: Whether it has to be there.
        type: Of the input.

    """

    name: str
    label: str
    hint: str = ""
    choices: tuple[tuple[str, str], ...] | None = None
    required: bool = False
    type: str = "text"


@attrs.frozen
class Attempt:
    """What became of what was typed, where it was not saved.

    Attributes:
        form: What was typed, with what is wrong with it.
        status: Of the answer.
        changes: What somebody else has changed since the form was shown.
        tag: The entity tag of the record as it is now.

    """

    form: Form
    status: HTTPStatus = HTTPStatus.OK
    changes: tuple[Difference, ...] = ()
    tag: str = ""

    @classmethod
    def of(cls, view: View, form: Form, error: Invalid | Conflict) -> Self:
        """Return what is shown after the API has refused what was typed."""
        return cls(refused(view.words, form, error), error.status, (), form.get("tag"))


async def make(view: View, kind: str, body: Mapping[str, Any], form: Form) -> str | Attempt:
    """Make a record; return its id, or what is wrong."""
    try:
        made = await view.api.call(f"post_{kind}", body=dict(body))
    except (Invalid, Conflict) as error:
        return Attempt.of(view, form, error)
    return str(made["id"])


async def change(  # noqa: PLR0913 - all that a change is about
    view: View,
    kind: str,
    id_: str,
    body: Mapping[str, Any],
    form: Form,
    *,
    labels: Mapping[str, str],
    shown: Callable[[Mapping[str, Any]], Form],
    **more: object,
) -> Attempt | None:
    """Change a record unless somebody else has done so since the form was shown.

    Args:
        view: Of the page.
        kind: `site`, `meter` or `contract`.
        id_: Its id.
        body: The merge patch.
        form: What was typed, with the entity tag of the record as it was shown.
        labels: What its fields are called.
        shown: Makes the form of a record.
        more: Further arguments of the operation.

    Returns:
        None once it is changed; else what is shown instead.

    """
    named: dict[str, Any] = {kind: id_, **more}
    try:
        await view.api.call(f"update_{kind}", if_match=form.get("tag"), body=dict(body), **named)
    except PreconditionFailed:
        seen = await view.api.seen(f"get_{kind}", **_named(kind, id_))
        now = shown(seen.value).values
        found = tuple(differences(now, form.values, labels))
        return Attempt(form, HTTPStatus.PRECONDITION_FAILED, found, seen.tag)
    except (Invalid, Conflict) as error:
        return Attempt.of(view, form, error)
    return None


async def deleted(view: View, kind: str, id_: str, form: Form) -> Attempt | None:
    """Delete a record that is as the question about it said; None once it is gone."""
    try:
        await view.api.call(f"delete_{kind}", if_match=form.get("tag"), **_named(kind, id_))
    except PreconditionFailed as error:
        told = view.text("Somebody has changed it meanwhile. Look again before you delete it.")
        return Attempt(Form(form.values, {"": told}), error.status)
    except Conflict as error:
        return Attempt.of(view, form, error)
    return None


def _named(kind: str, id_: str) -> dict[str, Any]:
    """Return the argument of an operation that is about one record."""
    return {kind: id_}


def patch(form: Form, names: Sequence[str]) -> dict[str, Any]:
    """Return some fields as a merge patch: what is empty is taken away."""
    return {name[1:]: form.get(name).strip() or None for name in names}


def id_of(*words: str) -> str:
    """Return the id of something that has a name: `Pousada Pepira` is `pousada-pepira`."""
    kept = re.sub(r"[^a-z0-9]+", "-", plain("-".join(word for word in words if word)))
    return kept.strip("-")[:_LONGEST_ID].strip("-")


def plain(text: str) -> str:
    """Return a text in small letters without marks, by which words are sorted."""
    return normalize("NFKD", text).encode("ascii", "ignore").decode().lower()


async def everything(view: View, operation: str, **filters: object) -> list[dict[str, Any]]:
    """Return the first thousand of a list, or none where the caller may not see it."""
    if not view.api.may(operation):
        return []
    given: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    found: list[dict[str, Any]] = (await view.api.call(operation, limit=1000, **given))["items"]
    return found


def named(record: Mapping[str, Any]) -> str:
    """Return what a record is called: by its name, or else by its id."""
    return str(record.get("name") or record["id"])

"""The editor of tariffs: a form for all that a tariff may say, its price, and its JSON."""

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import attrs
import msgspec
from aiohttp import web

from energia import SCOPES, Conflict, Fault, Id, Invalid, Routes
from energia.errors import PreconditionFailed
from energia.web.keys import DOCUMENT
from energia.work import off_loop
from energia_plugins.console.editor.drawn import Drawing
from energia_plugins.console.editor.edits import edited
from energia_plugins.console.editor.fields import Read, bare, filled, parsed, read
from energia_plugins.console.editor.sample import Price, priced, text_of
from energia_plugins.console.editor.shapes import Shapes, place_of
from energia_plugins.console.faults import of_error, said
from energia_plugins.console.forms import Form
from energia_plugins.console.page import View
from energia_plugins.console.records.fields import everything, id_of, named

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

HOME: Final = "/console/tariffs"
#: The field of a document that is typed as JSON.
_JSON: Final = "document"
_IN_USE: Final = "version_in_use"
#: What says of which kind a charge is.
_CHARGE: Final = re.compile(r"/versions/[0-9]{1,6}/charges/[0-9]{1,6}~form")
#: So many charges are shown whole from the beginning.
_FEW: Final = 3


@attrs.frozen
class Editor:
    """The editor of one tariff.

    Attributes:
        view: Of the page.
        shapes: What a tariff may say.
        id: The tariff; empty for a new one.

    """

    view: View
    shapes: Shapes
    id: str = ""

    @classmethod
    async def of(cls, request: web.Request, id_: str = "") -> "Editor":
        """Return the editor that a request is for."""
        return cls(View.of(request), _shapes(await off_loop(request.app[DOCUMENT])), id_)

    def read(self, form: Form) -> Read:
        """Return the tariff that a form says."""
        if _JSON in form.values:
            document = parsed(form.get(_JSON))
            return Read(document, {"": _JSON}, ())
        return read(self.shapes, self.shapes.tariff, form.values, self.view.words)

    def fields(self, document: Any) -> dict[str, str]:
        """Return the fields that say what a tariff says."""
        return filled(self.shapes, self.shapes.tariff, document, self.view.words)

    def shows(self, document: Any) -> bool:
        """Tell whether the form can show all of a document."""
        if not isinstance(document, dict):
            return False
        values = self.fields(document)
        again = read(self.shapes, self.shapes.tariff, values, self.view.words).document
        return bool(bare(again) == bare(document))

    def new(self, kind: str, place: str) -> Mapping[str, str]:
        """Return the fields of what is added: a charge is as its first example, without prices."""
        if kind not in self.shapes.charges:
            return {}
        shape = self.shapes.charges[kind]
        example = shape.examples[0] if shape.examples else {}
        values = filled(self.shapes, shape, example, self.view.words, place)
        blank = filled(self.shapes, shape, _priceless(example), self.view.words, place)
        kept = {name: text if text == blank.get(name) else "" for name, text in values.items()}
        return {**kept, f"{place}~form": kind}

    async def page(
        self,
        form: Form,
        status: int = HTTPStatus.OK,
        *,
        in_use: bool = False,
        stale: bool = False,
        at: str = "",
    ) -> web.Response:
        """Return the page with what was typed, and what it costs."""
        found = self.read(form)
        is_json = _JSON in form.values
        price = Price()
        versions = found.document.get("versions") if isinstance(found.document, dict) else None
        if isinstance(versions, list) and versions:
            now = self.view.api.core.clock.now()
            price = await priced(self.view, found.document, now, form.get("sample"))
        drawing = Drawing(self.shapes, self.view.words, form.values, form.faults)
        return self.view.page(
            "tariff_editor.html",
            place="tariffs",
            status=status,
            id=self.id,
            form=form,
            whole=None if is_json else drawing.whole(),
            price=price,
            meters=await everything(self.view, "list_meters"),
            named=named,
            in_use=in_use or bool(form.get("correction")),
            stale=stale,
            home=HOME,
            day=self._day,
            is_open=open_charges(form, at).__contains__,
            action=self.view.url(f"{HOME}/{self.id}/edit" if self.id else f"{HOME}/new"),
        )

    def _day(self, text: str) -> str:
        """Return a day as a person reads it; what is none, as it was typed."""
        try:
            return self.view.words.day(date.fromisoformat(text), year=True)
        except ValueError:
            return text

    async def done(self, form: Form) -> web.Response:
        """Return what a pressed button leads to."""
        action = form.get("do")
        kept = {name: text for name, text in form.values.items() if name != "do"}
        form = Form(kept)
        if action == "save":
            return await self._saved(form)
        if action == "json" and _JSON not in kept:
            document = text_of(self.read(form).document)
            return await self.page(Form({**_other(kept), _JSON: document}))
        if action == "form" and _JSON in kept:
            return await self._as_form(form)
        if action == "show":
            return await self.page(form)
        return await self.page(Form(edited(kept, action, self.new)), at=action)

    async def _as_form(self, form: Form) -> web.Response:
        document = parsed(form.get(_JSON))
        if not isinstance(document, dict):
            told = self.view.text("This is no JSON object.")
        elif not self.shows(document):
            told = self.view.text("It says something that the form cannot show.")
        else:
            return await self.page(Form({**_other(form.values), **self.fields(document)}))
        wrong = attrs.evolve(form, faults={_JSON: told, "": told})
        return await self.page(wrong, HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _saved(self, form: Form) -> web.Response:
        found = self.read(form)
        document = found.document
        if found.doubled:
            told = self.view.text("Another one has this name. Choose a different one.")
            wrong = attrs.evolve(form, faults=dict.fromkeys(found.doubled, told))
            return await self.page(wrong, HTTPStatus.UNPROCESSABLE_ENTITY)
        try:
            stored = await self._put(document, form)
        except PreconditionFailed as error:
            seen = await self.view.api.seen("get_tariff", tariff=self.id)
            newer = Form({**form.values, "tag": seen.tag})
            return await self.page(newer, error.status, stale=True)
        except (Invalid, Conflict) as error:
            in_use = error.code == _IN_USE
            wrong = self._refused(form, found, error)
            return await self.page(wrong, error.status, in_use=in_use)
        return self.view.see(f"{HOME}/{stored['id']}")

    async def _put(self, document: Any, form: Form) -> Any:
        """Store the tariff; raises what the API raises."""
        if not self.id:
            if isinstance(document, dict) and document.get("name") and not document.get("id"):
                document = {**document, "id": id_of(str(document["name"])) or None}
            return await self.view.api.call("post_tariff", body=document)
        why = form.get("correction").strip()
        more = {"correction": why} if why else {}
        return await self.view.api.call(
            "put_tariff", tariff=self.id, body=document, if_match=form.get("tag"), **more
        )

    def _refused(self, form: Form, found: Read, error: Invalid | Conflict) -> Form:
        """Return the form with what is wrong at its fields; the rest is said at its head."""
        if error.code == _IN_USE:
            told = self.view.text("Say why it was wrong, or change nothing of it.")
            return attrs.evolve(form, faults={"correction": told})
        faults: dict[str, str] = {}
        for fault in error.faults:
            name = _JSON if _JSON in form.values else found.field(fault.pointer or "")
            told = self._said(fault, is_empty=form.values.get(name) == "")
            if name == _JSON:
                told = f"{fault.pointer}: {told}"
            faults[name] = f"{faults[name]} {told}" if name in faults else told
        if not error.faults:
            faults[""] = of_error(self.view.words, error)
        return attrs.evolve(form, faults=faults)

    def _said(self, fault: Fault, *, is_empty: bool) -> str:
        code = "missing_field" if is_empty else fault.code
        return said(self.view.words, code, fault.message, fault.pointer or "")


def open_charges(form: Form, action: str) -> set[str]:
    """Return which charges are shown whole: all of few; else what is wrong, or was just changed."""
    places = [name.removesuffix("~form") for name in form.values if _CHARGE.fullmatch(name)]
    if len(places) <= _FEW:
        return set(places)
    _, _, at = action.partition(":")
    changed = [f"{place_of(name)}/" for name in (*form.faults, at)]
    found = {one for one in places if any(name.startswith(f"{one}/") for name in changed)}
    if action.startswith("add:") and (of_version := [one for one in places if one.startswith(at)]):
        found.add(max(of_version, key=lambda one: int(one.rpartition("/")[2])))
    return found


@lru_cache(maxsize=2)
def _shapes(document: bytes) -> Shapes:
    return Shapes(msgspec.json.decode(document)["components"]["schemas"])


def _other(values: Mapping[str, str]) -> dict[str, str]:
    """Return what a form says beside the tariff."""
    return {name: values[name] for name in ("tag", "correction", "sample") if name in values}


def _priceless(example: Any) -> Any:
    """Return an example without its numbers: nobody's prices."""
    if isinstance(example, Mapping):
        return {name: _priceless(one) for name, one in example.items()}
    if isinstance(example, list):
        return [_priceless(one) for one in example]
    is_number = isinstance(example, str) and example.replace(".", "", 1).lstrip("-").isdecimal()
    return None if is_number else example


@routes.get(f"{HOME}/new", produces=("text/html",))
async def show_new_tariff(request: web.Request, language: str | None = None) -> web.Response:
    """Ask for what a tariff charges: it begins with one version of one charge."""
    editor = await Editor.of(request)
    now = editor.view.api.core.clock.now()
    is_brazil = editor.view.words.language == "pt-BR"
    start = {
        "/currency": "BRL" if is_brazil else "",
        "/timezone": "America/Sao_Paulo" if is_brazil else "",
        "/versions/0/valid_from": f"{now.year}-01-01",
    }
    charge = editor.new("energy.flat", "/versions/0/charges/0")
    return await editor.page(Form({**start, **charge}))


@routes.post(f"{HOME}/new")
async def edit_new_tariff(request: web.Request) -> web.Response:
    """Change the form of a new tariff, or make it."""
    editor = await Editor.of(request)
    return await editor.done(await Form.read(request))


@routes.get(f"{HOME}/{{tariff}}/edit", produces=("text/html",))
async def show_tariff_form(
    request: web.Request, tariff: Id, language: str | None = None
) -> web.Response:
    """Show what a tariff says as a form; as JSON, where that says more than the form can show."""
    editor = await Editor.of(request, tariff)
    seen = await editor.view.api.seen("get_tariff", tariff=tariff)
    values = {"tag": seen.tag}
    if editor.shows(seen.value):
        return await editor.page(Form({**values, **editor.fields(seen.value)}))
    return await editor.page(Form({**values, _JSON: text_of(seen.value)}))


@routes.post(f"{HOME}/{{tariff}}/edit")
async def edit_tariff(request: web.Request, tariff: Id) -> web.Response:
    """Change the form of a tariff, or save it."""
    editor = await Editor.of(request, tariff)
    return await editor.done(await Form.read(request))

"""Importing a file: choose it, see what it says, correct how it is read, check it, store it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import attrs
from aiohttp import web
from msgspec import Meta

from energia import SCOPES, EnergiaError, Id, Invalid, NotFound, Routes
from energia.errors import Forbidden, Malformed, UnsupportedMedia
from energia.metering.decoders import recognized
from energia.web.preferences import Prefer
from energia.web.routes import Query
from energia_plugins.console.faults import Meaning, of_error, said
from energia_plugins.console.forms import Form
from energia_plugins.console.imports.kept import PART, Kept, keep
from energia_plugins.console.imports.mappings import DEFAULTS, Sheet, groups, rest, why
from energia_plugins.console.imports.outcomes import Told, Trouble, troubles, wanted
from energia_plugins.console.imports.pictures import days_picture
from energia_plugins.console.page import View
from energia_plugins.console.records.fields import id_of
from energia_plugins.console.words import Words

routes = Routes(reads=tuple(SCOPES), writes=tuple(SCOPES), documented=False)

#: A file of more bytes is stored by a job, which tells how far it is: nobody waits for the answer.
_LONG: Final = 4_000_000
Encoding = Annotated[str, Meta(max_length=40)]

_HOME: Final = "/console/import"
#: The formats that are read as a mapping says.
_TABLES: Final = ("csv", "excel")
#: What a form, or a URL, says besides the options of the format.
_OWN: Final = frozenset(
    (
        *("meter", "channel", "format", "do", "use", "name", "form_token", "language", "saved"),
        *("before", "window_start", "window_end"),
    )
)
#: What is wrong with a file, or with what is said of it.
_REFUSALS: Final = (Invalid, Malformed, UnsupportedMedia)


# The first page: a file is chosen, and what came in before.


@routes.get(_HOME, produces=("text/html",))
async def show_imports(
    request: web.Request, meter: Id | None = None, language: str | None = None
) -> web.Response:
    """Show where a file is chosen, what was imported last, and how files are read."""
    return await _home(View.of(request), Form({"meter": meter} if meter else {}))


async def _home(view: View, form: Form, status: int = HTTPStatus.OK) -> web.Response:
    imports = await view.api.call("list_imports", limit=20)
    return view.page(
        "imports.html",
        place="import",
        status=status,
        form=form,
        may=view.api.may("import_file"),
        meters=await _meters(view),
        imports=imports["items"],
        saved=[one for one in await _mappings(view) if not one.get("preset")],
    )


async def _meters(view: View) -> list[dict[str, Any]]:
    """Return the meters that readings may be of."""
    if not view.api.may("list_meters"):
        return []
    found: list[dict[str, Any]] = (await view.api.call("list_meters", limit=1000))["items"]
    return found


async def _mappings(view: View) -> list[dict[str, Any]]:
    if not view.api.may("list_csv_mappings"):
        return []
    found: list[dict[str, Any]] = (await view.api.call("list_csv_mappings", limit=1000))["items"]
    return found


@routes.post(_HOME)
async def keep_file(request: web.Request) -> web.Response:
    """Keep the file of the form, and lead to what it says."""
    view = View.of(request)
    if not view.api.may("import_file"):
        raise Forbidden("readings:write is needed to import a file")
    try:
        fields, kept = await keep(request)
    except Invalid:
        refused = Form({}, {"file": view.text("Choose a file that is not empty.")})
        return await _home(view, refused, HTTPStatus.UNPROCESSABLE_ENTITY)
    format_ = _format(view, kept.about.name, await kept.head())
    there = f"{_HOME}/files/{kept.id}"
    return view.see(there, meter=fields.get("meter") or None, format=format_)


def _format(view: View, name: str, head: bytes) -> str:
    """Return the format that a file is in: that which knows it, or a table."""
    if name.lower().endswith((".xlsx", ".xlsm")):
        return "excel"
    try:
        return recognized(view.api.core.plugins.decoders(), iter([head]))[0].name
    except Invalid:
        return "csv"


# What a file says, and how it is read.


@attrs.frozen
class Row:
    """A reading as it is understood, beside its line.

    Attributes:
        line: Its number.
        text: The line as it is.
        start: When its slot starts, or ends, for people.
        value: Its quantity, with its unit where that is known.
        quality: Its quality.

    """

    line: int
    text: str
    start: str
    value: str
    quality: str


@attrs.frozen
class Sight:
    """What is seen of a file.

    Attributes:
        answer: What it says, in a sentence.
        rows: Its first readings.
        days: Its days with their sums, as the API has them.
        unit: Of the sums.
        sheet: The lines as they are.
        options: How it is read, as options of the format.
        doubts: Why an option may be otherwise, and what it may be, by the option.
        problems: What is wrong with its first lines.
        start: The first day, and
        end: the day after the last one; None where nothing is read.

    """

    answer: str
    rows: tuple[Row, ...] = ()
    days: tuple[Mapping[str, Any], ...] = ()
    unit: str = ""
    sheet: Sheet = attrs.Factory(Sheet)
    options: Mapping[str, str] = attrs.Factory(dict)
    doubts: Mapping[str, tuple[str, tuple[str, ...]]] = attrs.Factory(dict)
    problems: tuple[Trouble, ...] = ()
    start: date | None = None
    end: date | None = None


async def seen(view: View, kept: Kept, form: Form, channel_unit: str) -> Sight:
    """Return what a table says by what is said of it, and by what is proposed for the rest."""
    format_, said = form.get("format", "csv"), _options(form)
    meter = form.get("meter") or None
    upload = kept.upload() if format_ == "excel" else await kept.beginning()
    arguments: dict[str, Any] = {"file": upload, "options": Query(said), "format": format_}
    # Once a person has said something, what they have not said is not made up again.
    found = await view.api.call("preview_import", meter=meter, propose=not said, **arguments)
    head = b"" if format_ == "excel" else await kept.head()
    told = _asking(view, form, sight(view.words, found, head, channel_unit), found["rows"])
    if format_ == "excel" or kept.about.size <= PART:
        return told
    # Where the file ends is not seen.
    answer = view.text("Its first megabyte: %(answer)s", answer=told.answer)
    return attrs.evolve(told, answer=answer, start=None, end=None)


def _asking(view: View, form: Form, told: Sight, rows: Sequence[Mapping[str, Any]]) -> Sight:
    """Return what is seen of a file, with the doubt of whose readings it has."""
    doubts = dict(told.doubts)
    if rows and not form.get("meter") and not any(row.get("meter") for row in rows):
        doubts["meter"] = view.text("The file does not name a meter: choose it."), ()
    if "channel" not in form.values and not any(row.get("channel") for row in rows):
        doubts["channel"] = view.text("The file does not name a channel."), ()
    return attrs.evolve(told, doubts=doubts)


def _likely(channels: Sequence[Mapping[str, Any]]) -> str:
    """Return the channel that a file is most often of: what was taken from the grid, in energy."""
    likely = [
        one["id"]
        for one in channels
        if (one["quantity"], one["direction"]) == ("active_energy", "import")
    ]
    return str(likely[0]) if likely else ""


def sight(words: Words, found: Mapping[str, Any], head: bytes, channel_unit: str) -> Sight:
    """Return what a preview of the API says, for people."""
    options, days = found["mapping"], found["days"]
    power = options.get("power")
    unit = f"{power}h" if power else options.get("unit") or channel_unit
    sheet = Sheet.of(head, options) if head else Sheet()
    lines = dict(enumerate(sheet.lines, 1))
    return Sight(
        _said(words, days, unit),
        tuple(_row(words, row, lines, unit, options) for row in found["rows"]),
        tuple(days),
        unit,
        sheet,
        options,
        {
            doubt["option"]: (why(words, doubt["why"]), tuple(doubt["alternatives"]))
            for doubt in found["doubts"]
        },
        tuple(troubles(words, found["problems"], lines)),
        date.fromisoformat(days[0]["day"]) if days else None,
        date.fromisoformat(days[-1]["day"]) + timedelta(days=1) if days else None,
    )


def _said(words: Words, days: Sequence[Mapping[str, Any]], unit: str) -> str:
    """Return how much a file says, of when."""
    if not days:
        return words.text("No value is read so far. Correct below how the file is read.")
    values = sum(day["slots"] for day in days)
    total = sum((Decimal(day["sum"]) for day in days), Decimal())
    first, last = days[0]["day"], days[-1]["day"]
    told = words.count("%(num)s value", "%(num)s values", values)
    amount = words.quantity(total, unit, 1) if unit else words.number(total, 1)
    if first == last:
        when = words.text("on %(day)s", day=words.day(first, year=True))
    else:
        shown = words.day(first, year=True), words.day(last, year=True)
        when = words.text("from %(first)s to %(last)s", first=shown[0], last=shown[1])
    return words.text(
        "%(values)s %(when)s: %(amount)s in all.", values=told, when=when, amount=amount
    )


def _row(
    words: Words,
    row: Mapping[str, Any],
    lines: Mapping[int, str],
    unit: str,
    options: Mapping[str, str],
) -> Row:
    at = datetime.fromisoformat(row["start"] or row["end"]).astimezone(_zone(options))
    shown = words.moment(at, year=True)
    until = words.text("until %(moment)s", moment=shown) if row["start"] is None else shown
    value = words.text("missing") if row["value"] is None else words.number(row["value"])
    if row["value"] is not None and (own := row.get("unit") or unit):
        value = words.quantity(row["value"], own)
    return Row(row["line"], lines.get(row["line"], "")[:120], until, value, row["quality"])


def _zone(options: Mapping[str, str]) -> ZoneInfo:
    try:
        return ZoneInfo(options.get("timezone", "UTC"))
    except (KeyError, OSError, ValueError):
        return ZoneInfo("UTC")  # an offset, such as +03:00: what is shown is then in UTC


def _options(form: Form) -> dict[str, str]:
    """Return the options of the format that a form says."""
    return {name: text for name, text in form.values.items() if name not in _OWN and text != ""}


@routes.get("/console/import/files/{file}", produces=("text/html",))
async def show_file(request: web.Request, file: Id, said: Query) -> web.Response:
    """Show what a file says, and how it is read."""
    view = View.of(request)
    form = Form({"format": "csv", **said})
    return await _shown(view, await Kept.find(request, file), form)


async def _shown(  # noqa: PLR0913, PLR0917 - all that a file may be shown with
    view: View,
    kept: Kept,
    form: Form,
    status: int = HTTPStatus.OK,
    outcome: Mapping[str, Any] | None = None,
    faults: Sequence[Trouble] = (),
) -> web.Response:
    """Show a file; with the *outcome* of a check, or the *faults* for which it was refused."""
    meters, format_ = await _meters(view), form.get("format", "csv")
    channels = _channels(meters, form.get("meter"))
    found, channel = Sight(""), form.get("channel", _likely(channels))
    if format_ in _TABLES:
        try:
            found = await seen(view, kept, form, _unit(channels, channel))
        except _REFUSALS as error:
            form, status = _refused(view.words, form, error), HTTPStatus.UNPROCESSABLE_ENTITY
    proposed = {**_defaults(format_), **found.options}
    if "channel" in found.doubts:
        proposed["channel"] = channel
    filled = Form({**proposed, **form.values}, form.faults)
    schema, zones = await _schema(view, format_), await _zones(view)
    return view.page(
        "import.html",
        place="import",
        status=status,
        kept=kept,
        form=filled,
        sight=found,
        is_table=format_ in _TABLES,
        groups=groups(view.words, found.sheet, filled.values, zones) if format_ in _TABLES else [],
        rest=rest(schema),
        meters=meters,
        channels=channels,
        mappings=[one for one in await _mappings(view) if format_ in (one.get("formats") or ())],
        may_save=format_ in _TABLES and view.api.may("put_csv_mapping"),
        picture=days_picture(view.words, found.days, found.unit),
        told=None if outcome is None else Told.of(view.words, outcome, dry=True),
        warnings=troubles(view.words, outcome["problems"], {}) if outcome else [],
        faults=faults,
    )


async def _zones(view: View) -> list[str]:
    """Return the time zones of the sites, the most frequent first."""
    if not view.api.may("list_sites"):
        return []
    sites = (await view.api.call("list_sites", limit=1000))["items"]
    return [zone for zone, _ in Counter(site["timezone"] for site in sites).most_common()]


def _channels(meters: Sequence[Mapping[str, Any]], meter: str) -> list[dict[str, Any]]:
    """Return the channels of one of some meters."""
    return next((list(one["channels"]) for one in meters if one["id"] == meter), [])


def _unit(channels: Sequence[Mapping[str, Any]], channel: str) -> str:
    """Return the unit of the channel that readings go to, if it is plain which that is."""
    named = [one for one in channels if one["id"] == channel] or channels
    return str(named[0]["unit"]) if len(named) == 1 else ""


def _defaults(format_: str) -> Mapping[str, str]:
    if format_ == "csv":
        return DEFAULTS
    return {name: text for name, text in DEFAULTS.items() if name != "delimiter"}


async def _schema(view: View, format_: str) -> Mapping[str, Any]:
    formats = (await view.api.call("list_formats"))["items"]
    found = next((one["schema"] for one in formats if one["name"] == format_), None)
    if found is None:
        raise NotFound(f"there is no format {format_[:40]!r}")
    return dict(found)


def _refused(words: Words, form: Form, error: EnergiaError) -> Form:
    """Return the form with what is wrong at its fields: those of a query have its prefix."""
    faults: dict[str, str] = {}
    for fault in getattr(error, "faults", ()):
        if fault.line is None or (fault.pointer or "").startswith("/query/"):
            name = (fault.pointer or "").removeprefix("/query/")
            told = said(words, fault.code, fault.message)
            faults[name] = f"{faults[name]} {told}" if name in faults else told
    return attrs.evolve(form, faults=faults or {"": of_error(words, error)})


@routes.post("/console/import/files/{file}")
async def read_file(request: web.Request, file: Id) -> web.Response:
    """Do what the form of a file asks for: look again, check, store, or save how it is read."""
    view, form = View.of(request), await Form.read(request)
    kept = await Kept.find(request, file)
    is_moved = form.get("meter") != form.get("before")
    if is_moved:
        form = await _moved(view, form)
    match form.get("do"):
        case "import" | "skip" if not is_moved:
            return await _stored(view, kept, form)
        case "check" | "import" | "skip":  # nobody has seen yet what another meter makes of it
            return await _checked(view, kept, form)
        case "save":
            return await _saved(view, kept, form)
        case "use":
            return await _used(view, kept, form)
        case "forget":
            await kept.forget()
            return view.see(_HOME)
    return _again(view, kept, form)


async def _moved(view: View, form: Form) -> Form:
    """Return a form whose meter is another one now, with its channel, and the zone of its site.

    Stamps that say their own offset are not touched by a zone.
    """
    meter = next((one for one in await _meters(view) if one["id"] == form.get("meter")), None)
    values = {name: text for name, text in form.values.items() if name != "channel"}
    if meter is not None:
        values["channel"] = _likely(meter["channels"])
        if form.get("format") in _TABLES and not form.get("timezone"):
            site = await view.api.call("get_site", site=meter["site"])
            values["timezone"] = site["timezone"]
    return attrs.evolve(form, values=values)


def _again(view: View, kept: Kept, form: Form, **more: str) -> web.Response:
    """Lead to the page of a file that is read as the form says."""
    query = {**_options(form), **more}
    query |= {
        name: form.get(name) for name in ("meter", "channel", "format") if name in form.values
    }
    return view.see(f"{_HOME}/files/{kept.id}", **query)


async def _used(view: View, kept: Kept, form: Form) -> web.Response:
    """Read a file by a layout that is saved, or that comes with the service."""
    mapping = await view.api.call("get_csv_mapping", csv_mapping=form.get("use") or "-")
    options = {name: _text(value) for name, value in mapping["options"].items()}
    names = ("meter", "channel", "format")
    ours = {name: form.get(name) for name in names if name in form.values}
    return _again(view, kept, Form({**options, **ours}))


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


async def _saved(view: View, kept: Kept, form: Form) -> web.Response:
    """Save how a file is read, under a name."""
    name = id_of(form.get("name"))
    try:
        if not name:
            raise Invalid.of("missing_field", "it has no name", "/path/csv_mapping")
        body = {"about": kept.about.name or form.get("name"), "options": _options(form)}
        await view.api.call("put_csv_mapping", csv_mapping=name, body=body)
    except Invalid as error:
        refused = _of_saving(view.words, form, error)
        return await _shown(view, kept, refused, HTTPStatus.UNPROCESSABLE_ENTITY)
    return _again(view, kept, form, saved=name)


def _of_saving(words: Words, form: Form, error: Invalid) -> Form:
    """Return the form with what is wrong with a layout at its fields."""
    faults = {}
    for fault in error.faults:
        pointer = (fault.pointer or "").removeprefix("/options/")
        if pointer == "/path/csv_mapping" and fault.code == "missing_field":
            faults["name"] = words.text("Give it a name.")
        elif pointer == "/path/csv_mapping":
            faults["name"] = said(words, fault.code, fault.message)
        else:
            faults[pointer] = said(words, fault.code, fault.message)
    return attrs.evolve(form, faults=faults or {"": of_error(words, error)})


async def _import(view: View, kept: Kept, form: Form, *, dry: bool) -> dict[str, Any]:
    """Check or store a file as the form says; raises what the API raises."""
    # Formats that name meters themselves have these as options of their own.
    names = {name: form.get(name) for name in ("meter", "channel") if form.get(name)}
    arguments: dict[str, Any] = {
        "format": form.get("format", "csv"),
        "file": kept.upload(),
        "options": Query({**_options(form), **names}),
        "prefer": Prefer(kept.about.size > _LONG),
        **names,
        "on_problem": "skip" if form.get("do") == "skip" or dry else "refuse",
        "dry_run": dry,
    }
    found: dict[str, Any] = await view.api.call("import_file", **arguments)
    return found


async def _checked(view: View, kept: Kept, form: Form) -> web.Response:
    """Show what an import would store; a file that is too long for that is only imported."""
    try:
        outcome = await _import(view, kept, form, dry=True)
    except _REFUSALS as error:
        return await _refusal(view, kept, form, error)
    if "kind" in outcome:
        return view.see(f"{_HOME}/jobs/{outcome['id']}", dry="yes", **_file_of(kept, form))
    faults = [fault for fault in outcome["problems"] if fault.get("severity") != "warning"]
    lines = await kept.lines(wanted(faults), form.get("encoding") or "utf-8")
    told = troubles(view.words, faults, lines)
    return await _shown(view, kept, form, outcome=outcome, faults=told)


def _file_of(kept: Kept, form: Form) -> dict[str, str | None]:
    """Return what leads from a job back to its file."""
    names = ("format", "encoding")
    return {"file": kept.id, **{name: form.get(name) or None for name in names}}


async def _refusal(view: View, kept: Kept, form: Form, error: EnergiaError) -> web.Response:
    """Show a file that was refused: what is wrong with the form, or each line that is."""
    faults = [attrs.asdict(fault) for fault in error.faults]
    at = [one for one in faults if one["line"] and not (one["pointer"] or "").startswith("/query/")]
    lines = await kept.lines(wanted(at), form.get("encoding") or "utf-8")
    told, status = troubles(view.words, at, lines), HTTPStatus.UNPROCESSABLE_ENTITY
    refused = form if told else _refused(view.words, form, error)
    return await _shown(view, kept, refused, status, faults=told)


async def _stored(view: View, kept: Kept, form: Form) -> web.Response:
    """Store what a file says, and lead to what came of it."""
    try:
        outcome = await _import(view, kept, form, dry=False)
    except _REFUSALS as error:
        return await _refusal(view, kept, form, error)
    if "kind" in outcome:
        return view.see(f"{_HOME}/jobs/{outcome['id']}", **_file_of(kept, form))
    window = {name: form.get(f"window_{name}") or None for name in ("start", "end")}
    encoding = form.get("encoding") or None
    there = {"meter": next(iter(outcome["meters"]), None), **window}
    if outcome["rejected"]:  # whose lines are shown as they are
        there |= {"file": kept.id, "encoding": encoding}
    else:
        await kept.forget()
    return view.see(f"{_HOME}/results/{outcome['id']}", **there)


# What came of it.


@routes.get("/console/import/results/{import_id}", produces=("text/html",))
async def show_result(  # noqa: PLR0913, PLR0917 - what leads back to what was stored
    request: web.Request,
    import_id: Id,
    meter: Id | None = None,
    file: Id | None = None,
    encoding: Encoding = "utf-8",
    start: date | None = None,
    end: date | None = None,
    language: str | None = None,
) -> web.Response:
    """Show what an import has stored, and what it has refused."""
    view = View.of(request)
    outcome = await view.api.call("get_import", import_id=import_id)
    return await _result(view, outcome, meter, (file, encoding), (start, end))


async def _result(
    view: View,
    outcome: Mapping[str, Any],
    meter: str | None,
    file: tuple[str | None, str],
    window: tuple[date | None, date | None] = (None, None),
) -> web.Response:
    faults = outcome["problems"]
    return view.page(
        "import_result.html",
        place="import",
        outcome=outcome,
        told=Told.of(view.words, outcome),
        meter=meter or next(iter(outcome.get("meters", ())), None),
        window={"from": window[0], "to": window[1]},
        faults=troubles(view.words, faults, await _lines(view, file, faults)),
    )


async def _lines(
    view: View, file: tuple[str | None, str], faults: Sequence[Mapping[str, Any]]
) -> Mapping[int, str]:
    """Return the lines of problems, as long as the file is kept: it has an id and an encoding."""
    id_, encoding = file
    if id_ is None or not wanted(faults):
        return {}
    try:
        kept = await Kept.find(view.request, id_)
    except NotFound:
        return {}
    return await kept.lines(wanted(faults), encoding)


@routes.get("/console/import/jobs/{job}", produces=("text/html",))
async def show_job(  # noqa: PLR0913, PLR0917 - what leads back to the file
    request: web.Request,
    job: Id,
    file: Id | None = None,
    encoding: Encoding = "utf-8",
    format: str = "csv",
    dry: str = "",
    language: str | None = None,
) -> web.Response:
    """Show how far the import of a long file is, and then what came of it."""
    view = View.of(request)
    found = await view.api.call("get_job", job=job)
    if found["kind"] != "readings.import":
        raise NotFound(f"the job {job!r} is no import")
    if found["status"] == "succeeded" and not dry:
        return await _result(view, found["result"], None, (file, encoding))
    faults = (found.get("problem") or {}).get("errors") or ()
    result = found.get("result")
    if result:
        faults = [one for one in result["problems"] if one.get("severity") != "warning"]
    return view.page(
        "import_job.html",
        place="import",
        job=found,
        problem=Meaning.of(view.words, found["problem"]) if found.get("problem") else None,
        file=file,
        format=format,
        told=Told.of(view.words, result, dry=True) if result else None,
        faults=troubles(view.words, faults, await _lines(view, (file, encoding), faults)),
    )


@routes.post("/console/import/jobs/{job}/cancel")
async def cancel_import(request: web.Request, job: Id) -> web.Response:
    """Cancel the import of a long file: nothing of it is stored."""
    view = View.of(request)
    await Form.read(request)
    await view.api.call("cancel_job", job=job)
    return view.see(f"{_HOME}/jobs/{job}")


# Layouts that are saved.


@routes.get("/console/import/layouts/{mapping}/delete", produces=("text/html",))
async def ask_to_delete_layout(
    request: web.Request, mapping: Id, language: str | None = None
) -> web.Response:
    """Ask whether a layout is to go, and say what stays."""
    view = View.of(request)
    found = await view.api.seen("get_csv_mapping", csv_mapping=mapping)
    return view.page("layout_delete.html", place="import", layout=found.value, tag=found.tag)


@routes.post("/console/import/layouts/{mapping}/delete")
async def delete_layout(request: web.Request, mapping: Id) -> web.Response:
    """Delete a layout."""
    view = View.of(request)
    await Form.read(request)
    await view.api.call("delete_csv_mapping", csv_mapping=mapping)
    return view.see(_HOME)

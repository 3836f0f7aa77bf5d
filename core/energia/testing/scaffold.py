"""Writes the first files of a plugin: a distribution that works, tested and typed.

Whatever the name is, the files are in the style that they ask for: where a line has a name in it,
it is short enough for the longest, and lists of names have a trailing comma, so that a formatter
leaves each on a line of its own.
"""

import builtins
import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from shlex import quote
from string import Template
from textwrap import indent
from typing import Final
from urllib.parse import unquote, urlsplit

import attrs
import msgspec
from packaging.version import Version

import energia
from energia import testing
from energia.errors import PluginError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
#: Lines with the longest name are as long as ruff allows.
_LONGEST: Final = 40
_SKELETON: Final = "skeleton"
_COMMON: Final = "common"
#: What a class cannot be called: the modules import it, or everything else has it.
_TAKEN: Final = frozenset([*vars(builtins), *energia.__all__, *testing.__all__, "ClassVar"])


@attrs.frozen
class Hook:
    """A hook that a part implements; the names of its templates are in its texts.

    Attributes:
        name: Its name.
        returns: The type of what it returns.
        docstring: What it does.
        body: How.
        imports: The names that it takes from `energia`.
        argument: Its argument, with the type.

    """

    name: str
    returns: str
    docstring: str
    body: str
    imports: tuple[str, ...]
    argument: str = ""


@attrs.frozen
class Part:
    """Something that a plugin may offer; the names of its templates are in its texts.

    Attributes:
        family: What plugins are called that offer it.
        what: What it is, for a person.
        module: The module that has it.
        names: What the package takes from the module.
        hooks: The hooks that offer it.
        public: Which of the names the package has for others.

    """

    family: str
    what: str
    module: str
    names: tuple[str, ...]
    hooks: tuple[Hook, ...]
    public: tuple[str, ...] = attrs.field()

    @public.default
    def _all(self) -> tuple[str, ...]:
        return self.names


def _offering(hook: str, type_: str, protocol: str, what: str, items: str) -> Hook:
    """Return a hook that returns *items*, which are *what*."""
    return Hook(hook, f"list[{type_}]", f"Offer {what}.", f"return {items}", (protocol,))


#: What may be asked for, in the order in which a plugin has it.
PARTS: Final = {
    "charge": Part(
        family="tariff",
        what="the charge `${kind}`",
        module="charges",
        names=("${class_}",),
        hooks=(
            _offering(
                "register_charges",
                "type[Charge]",
                "Charge",
                "the charge `${kind}`",
                "[${class_}]",
            ),
        ),
    ),
    "importer": Part(
        family="tariff",
        what="the tariff importer `${format}`",
        module="importer",
        names=("${class_}Importer",),
        hooks=(
            _offering(
                "register_tariff_importers",
                "TariffImporter",
                "TariffImporter",
                "the tariff importer `${format}`",
                "[${class_}Importer()]",
            ),
        ),
    ),
    "decoder": Part(
        family="meter",
        what="the format `${format}`",
        module="decoder",
        names=("${class_}Decoder",),
        hooks=(
            _offering(
                "register_decoders",
                "Decoder",
                "Decoder",
                "the format `${format}`",
                "[${class_}Decoder()]",
            ),
        ),
    ),
    "source": Part(
        family="meter",
        what="the source `${distribution}`",
        module="source",
        names=("${class_}Settings", "${class_}Source"),
        public=("${class_}Source",),
        hooks=(
            _offering(
                "register_sources",
                "Source",
                "Source",
                "the source `${distribution}`",
                "${class_}Source.of(self.settings)",
            ),
        ),
    ),
    "probe": Part(
        family="health",
        what="the probe `${distribution}`",
        module="probe",
        names=("${class_}Probe",),
        hooks=(
            _offering(
                "register_probes",
                "Probe",
                "Probe",
                "the probe `${distribution}`",
                "[${class_}Probe()]",
            ),
        ),
    ),
    "metric": Part(
        family="metrics",
        what="the metric `${package}_readings`",
        module="metrics",
        names=("READINGS", "count"),
        public=("READINGS",),
        hooks=(
            _offering(
                "register_collectors",
                "Collector",
                "",
                "the metric `${package}_readings`",
                "[READINGS]",
            ),
            Hook(
                "readings_stored",
                "None",
                "Count the readings of an import.",
                "count(event)",
                ("ReadingsStored",),
                "event: ReadingsStored",
            ),
        ),
    ),
    "route": Part(
        family="api",
        what="the route `/v1/${distribution}/emissions`",
        module="endpoints",
        names=("routes",),
        hooks=(
            Hook(
                "register_routes",
                "Routes",
                "Offer the routes.",
                "return routes",
                ("Routes",),
            ),
        ),
    ),
    "panel": Part(
        family="console",
        what="the panel `${distribution}`",
        module="panel",
        names=("${class_}Panel",),
        hooks=(
            _offering(
                "register_panels",
                "Panel",
                "Panel",
                "the panel `${distribution}`",
                "[${class_}Panel()]",
            ),
        ),
    ),
}


def written(name: str, folder: Path, parts: Sequence[str] = ("charge",)) -> list[Path]:
    """Write the skeleton of the distribution *name* into *folder*, and return its files.

    Args:
        name: Who makes it and what it is.
        folder: A folder that does not exist.
        parts: What it offers: names of `PARTS`.

    Raises:
        PluginError: The name or a part does not do, or the folder exists.

    """
    chosen = _chosen(parts)
    names = _names(name, chosen)
    if folder.exists():
        raise PluginError(f"{folder} exists already; choose another --directory")
    places = []
    for path, text in _texts(chosen, names):
        place = folder / path.replace("/package/", f"/{names['package']}/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
        places.append(place)
    return places


def first_steps(name: str, folder: Path) -> list[str]:
    """Return the commands that come after `energia plugins new`, as a shell takes them.

    Energia is no distribution that pip finds by its name everywhere: it is installed first, from
    where this one was installed.
    """
    return [
        f"cd {quote(str(folder))}",
        "python3 -m venv .venv && . .venv/bin/activate",
        f"pip install {_source_of_energia()}",
        "pip install --editable '.[test]'",
        "pytest",
        "mypy && ruff check && ruff format --check",
        f"energia plugins check {name}",
    ]


def _source_of_energia() -> str:
    """Return what pip is to install so that there is an Energia like this one (PEP 610)."""
    try:
        energia_ = distribution("energia")
        recorded = energia_.read_text("direct_url.json")
    except PackageNotFoundError:
        return "'PATH-OR-WHEEL-OF-ENERGIA[testing]'"
    if recorded is None:
        return quote(f"energia[testing]=={energia_.version}")
    origin = msgspec.json.decode(recorded)
    url = urlsplit(origin["url"])
    if url.scheme != "file":
        return quote(f"energia[testing] @ {origin['url']}")
    path = Path(unquote(url.path))
    if not path.exists():  # the wheel of an image is not in it any more
        return f"'PATH-OF-{path.name}[testing]'"
    editable = "--editable " if origin.get("dir_info", {}).get("editable") else ""
    return f"{editable}{quote(f'{path}[testing]')}"


def _requirement() -> str:
    """Return which releases the plugin runs with: this one, and those that promise to bear it."""
    release = Version(energia.__version__)
    after = f"{release.major + 1}" if release.major else f"0.{release.minor + 2}"
    return f"energia>={release},<{after}"


def _chosen(parts: Sequence[str]) -> list[str]:
    """Return *parts* in their order, each once."""
    for part in parts:
        if part not in PARTS:
            raise PluginError(f"there is no {part!r} to begin with: choose of {', '.join(PARTS)}")
    if not parts:
        raise PluginError(f"a plugin offers something: choose of {', '.join(PARTS)}")
    return [part for part in PARTS if part in parts]


def _names(name: str, chosen: Sequence[str]) -> Mapping[str, str]:
    """Return what the placeholders of the templates stand for."""
    if not _NAME.fullmatch(name):
        raise PluginError(
            f"{name!r} is no name: say who makes it and what it is, in words of a-z and 0-9 "
            "joined by dashes, such as acme-levy"
        )
    if len(name) > _LONGEST:
        raise PluginError(f"{name!r} is too long: a name has at most {_LONGEST} characters")
    owner, _, what = name.replace("-", "_").partition("_")
    names = {
        "distribution": name,
        "package": name.replace("-", "_"),
        "plugin": f"{PARTS[chosen[0]].family}-{name}",
        "kind": f"{owner}.{what}",
        "format": f"{owner}_{what}",
        "mark": name.upper(),
        "requirement": _requirement(),
        "class_": "".join(word.capitalize() for word in name.split("-")),
    }
    if find_spec(names["package"]) is not None:
        raise PluginError(f"a package {names['package']!r} is installed already")
    if names["class_"] in _TAKEN:
        message = f"the class of {name!r} would be called {names['class_']}, as another one is"
        raise PluginError(f"{message}: choose another name")
    is_class = "source" in chosen
    names["entry"] = names["package"] + (f":{names['class_']}Plugin" if is_class else "")
    names["summary"] = _summary(chosen, names)
    return names


def _summary(chosen: Sequence[str], names: Mapping[str, str]) -> str:
    """Return what a plugin offers, for a person: `The charge acme.levy and ...`."""
    *some, last = (_filled(PARTS[part].what, names).replace("`", "") for part in chosen)
    text = f"{', '.join(some)} and {last}" if some else last
    return text[0].upper() + text[1:]


def _texts(chosen: Sequence[str], names: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Yield each file of the distribution: its path, and its text."""
    root = files("energia.testing") / _SKELETON
    of_parts = [dict(_templates(root / part)) for part in chosen]
    readmes = (texts.pop("README.md") for texts in of_parts)
    names = {**names, "sections": _filled("".join(readmes), names).rstrip("\n") + "\n"}
    yield "src/package/__init__.py", _init(chosen, names)
    for texts in (dict(_templates(root / _COMMON)), *of_parts):
        for path, text in texts.items():
            yield path, _filled(text, names)


def _templates(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the path of the file that each template makes, and the template."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".in"):
            name = entry.name.removesuffix(".in")
            path = f"{prefix}{'.' if name == 'gitignore' else ''}{name}"
            yield path, entry.read_text(encoding="utf-8")


def _filled(template: str, names: Mapping[str, str]) -> str:
    return Template(template).substitute(names)


# The package itself, which is put together of its parts' hooks.


def _init(chosen: Sequence[str], names: Mapping[str, str]) -> str:
    """Return the module that offers the parts: functions, or a class where it has settings."""
    parts = [PARTS[part] for part in chosen]
    is_class = "source" in chosen
    hooks = [hook for part in parts for hook in part.hooks]
    written = [_filled(_hook(hook, is_class), names) for hook in hooks]
    public = [_filled(name, names) for part in parts for name in part.public]
    public += [f"{names['class_']}Plugin"] if is_class else [hook.name for hook in hooks]
    body = _class(written, names) if is_class else "\n\n".join(written)
    lines = [f'"""What {names["distribution"]} offers to Energia."""\n', _imports(parts, names)]
    listed = (f'    "{name}",' for name in sorted(public, key=_place))
    lines += ["__all__ = [", *listed, "]\n\n" if is_class else f"]\n\n{_VERSION}\n\n", body]
    return "\n".join(lines)


def _place(name: str) -> tuple[int, str]:
    """Return where ruff has a name in a list: constants, then classes, then functions."""
    return (0 if name.isupper() else 2 if name[0].islower() else 1), name


#: The contract that the plugin is written for.
_VERSION: Final = "api_version = 1"


def _imports(parts: Sequence[Part], names: Mapping[str, str]) -> str:
    modules = {part.module for part in parts}
    contract = {name for part in parts for hook in part.hooks for name in hook.imports if name}
    lines = ["from typing import ClassVar\n\nimport attrs"] if "source" in modules else []
    lines.append(_import("energia", [*sorted(contract), "hookimpl"]))
    if "metrics" in modules:
        lines.append("from prometheus_client.registry import Collector")
    lines.append("")
    for part in sorted(parts, key=lambda part: part.module):
        own = sorted((_filled(name, names) for name in part.names), key=_place)
        lines.append(_import(f"{names['package']}.{part.module}", own))
    return "\n".join(lines) + "\n"


def _import(module: str, names: Sequence[str]) -> str:
    """Return an import that a formatter leaves as it is, however long the names are."""
    return "\n".join([f"from {module} import (", *(f"    {name}," for name in names), ")"])


def _hook(hook: Hook, is_method: bool) -> str:
    arguments = ", ".join(filter(None, ("self" if is_method else "", hook.argument)))
    return (
        f"@hookimpl\ndef {hook.name}({arguments}) -> {hook.returns}:\n"
        f'    """{hook.docstring}"""\n    {hook.body}\n'
    )


def _class(hooks: Sequence[str], names: Mapping[str, str]) -> str:
    methods = "\n".join(indent(hook, "    ") for hook in hooks)
    return (
        f"@attrs.frozen\nclass {names['class_']}Plugin:\n"
        '    """The plugin; its entry point names this class."""\n\n'
        f"    {_VERSION.replace(' ', ': ClassVar[int] ', 1)}\n"
        f"    settings: {names['class_']}Settings\n\n{methods}"
    )

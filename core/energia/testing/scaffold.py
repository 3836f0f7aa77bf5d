"""Writes the first files of a plugin: a distribution that works, tested and typed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from string import Template
from textwrap import indent
from typing import Final

import attrs

import energia
from energia.errors import PluginError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_SKELETON: Final = "skeleton"
_COMMON: Final = "common"


@attrs.frozen
class Part:
    """Something that a plugin may offer; the names of its templates are in its texts.

    Attributes:
        family: What plugins are called that offer it.
        what: What it is, for a person.
        module: The module that has it.
        class_: The class in the module.
        hook: The hook that offers it.
        type: The type of the items that the hook returns.
        protocol: The name that this type takes from `energia`.
        items: What the hook returns.

    """

    family: str
    what: str
    module: str
    class_: str
    hook: str
    type: str
    protocol: str
    items: str


#: What may be asked for, in the order in which a plugin has it.
PARTS: Final = {
    "charge": Part(
        family="tariff",
        what="the charge `${kind}`",
        module="charges",
        class_="${class_}",
        hook="register_charges",
        type="type[Charge]",
        protocol="Charge",
        items="[${class_}]",
    ),
    "decoder": Part(
        family="meter",
        what="the format `${format}`",
        module="decoder",
        class_="${class_}Decoder",
        hook="register_decoders",
        type="Decoder",
        protocol="Decoder",
        items="[${class_}Decoder()]",
    ),
    "source": Part(
        family="meter",
        what="the source `${distribution}`",
        module="source",
        class_="${class_}Source",
        hook="register_sources",
        type="Source",
        protocol="Source",
        items="[] if self.settings.host is None else [${class_}Source(self.settings)]",
    ),
    "probe": Part(
        family="health",
        what="the probe `${distribution}`",
        module="probe",
        class_="${class_}Probe",
        hook="register_probes",
        type="Probe",
        protocol="Probe",
        items="[${class_}Probe()]",
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
    owner, _, what = name.replace("-", "_").partition("_")
    names = {
        "distribution": name,
        "package": name.replace("-", "_"),
        "plugin": f"{PARTS[chosen[0]].family}-{name}",
        "kind": f"{owner}.{what}",
        "format": f"{owner}_{what}",
        "mark": name.upper(),
        "class_": "".join(word.capitalize() for word in name.split("-")),
    }
    if find_spec(names["package"]) is not None:
        raise PluginError(f"a package {names['package']!r} is installed already")
    if names["class_"] in energia.__all__:
        raise PluginError(f"energia has a {names['class_']}: choose another name than {name!r}")
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
    hooks = [_filled(_hook(part, "self" if is_class else ""), names) for part in parts]
    public = [_filled(part.class_, names) for part in parts]
    public += [f"{names['class_']}Plugin"] if is_class else [part.hook for part in parts]
    # As ruff sorts them: classes before functions.
    listed = sorted(public, key=lambda name: (name.islower(), name))
    body = _class(hooks, names) if is_class else "\n\n".join(hooks)
    lines = [f'"""What {names["distribution"]} offers to Energia."""\n', _imports(parts, names)]
    lines += ["__all__ = [", *(f'    "{name}",' for name in listed), "]\n\n", body]
    return "\n".join(lines)


def _imports(parts: Sequence[Part], names: Mapping[str, str]) -> str:
    protocols = ", ".join([*sorted(part.protocol for part in parts), "hookimpl"])
    lines = [f"from energia import {protocols}\n"]
    for part in sorted(parts, key=lambda part: part.module):
        own = [_filled(part.class_, names)]
        if part.module == "source":
            lines.insert(0, "import attrs")
            own = sorted([*own, "Settings"])
        lines.append(f"from {names['package']}.{part.module} import {', '.join(own)}")
    return "\n".join(lines) + "\n"


def _hook(part: Part, first: str) -> str:
    return (
        f"@hookimpl\ndef {part.hook}({first}) -> list[{part.type}]:\n"
        f'    """Offer {part.what}."""\n    return {part.items}\n'
    )


def _class(hooks: Sequence[str], names: Mapping[str, str]) -> str:
    methods = "\n".join(indent(hook, "    ") for hook in hooks)
    return (
        f"@attrs.frozen\nclass {names['class_']}Plugin:\n"
        '    """The plugin; its entry point names this class."""\n\n'
        f"    settings: Settings\n\n{methods}"
    )

"""Writes the first files of a plugin: a distribution that works, tested and typed."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from importlib.resources.abc import Traversable
from importlib.util import find_spec
from pathlib import Path
from string import Template
from typing import Final

import energia
from energia.errors import PluginError

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)+")
_SKELETON: Final = "skeleton"


def written(name: str, folder: Path) -> list[Path]:
    """Write the skeleton of the distribution *name* into *folder*, and return its files.

    Raises:
        PluginError: The name does not do, or the folder exists.

    """
    names = _names(name)
    if folder.exists():
        raise PluginError(f"{folder} exists already; choose another --directory")
    places = []
    for path, source in _templates(files("energia.testing") / _SKELETON):
        place = folder / path.replace("/package/", f"/{names['package']}/")
        place.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        place.write_text(Template(text).substitute(names), encoding="utf-8")
        places.append(place)
    return places


def _names(name: str) -> Mapping[str, str]:
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
        "plugin": f"tariff-{name}",
        "kind": f"{owner}.{what}",
        "class_": "".join(word.capitalize() for word in name.split("-")),
    }
    if find_spec(names["package"]) is not None:
        raise PluginError(f"a package {names['package']!r} is installed already")
    if names["class_"] in energia.__all__:
        raise PluginError(f"energia has a {names['class_']}: choose another name than {name!r}")
    return names


def _templates(folder: Traversable, prefix: str = "") -> Iterator[tuple[str, Traversable]]:
    """Yield each template, after the path of the file that it makes."""
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _templates(entry, f"{prefix}{entry.name}/")
        elif entry.name.endswith(".in"):
            name = entry.name.removesuffix(".in")
            yield f"{prefix}{'.' if name == 'gitignore' else ''}{name}", entry

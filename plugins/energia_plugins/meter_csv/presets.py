"""The presets: mappings of the files of operators, one small file of data each."""

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import attrs

#: What a file says of itself, besides the options.
_ABOUT = {"about", "operator", "country"}


@cache
def presets(options: type) -> Mapping[str, Mapping[str, Any]]:
    """Return the presets that say nothing but options of a class, by name.

    A preset that names a delimiter or an encoding is none for workbooks, which have neither.
    """
    known = {field.name for field in attrs.fields(options)} | _ABOUT
    return {name: preset for name, preset in _all().items() if preset.keys() <= known}


@cache
def _all() -> Mapping[str, Mapping[str, Any]]:
    folder = files(__package__) / "presets"
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): tomllib.loads((folder / name).read_text(encoding="utf-8"))
        for name in found
    }

"""The layers of the configuration: each says some values, and where they come from."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Final

import attrs

from energia.configuration.values import Text, fields
from energia.errors import Fault, did_you_mean
from energia.hookspecs import PROJECT
from energia.settings import Settings

Key = tuple[str, ...]

#: The origin of what nothing sets.
DEFAULT: Final = "default"
PREFIX: Final = "ENERGIA_"
#: Variables that say where the configuration is, not what it is.
PLACES: Final = ("ENERGIA_PROFILE", "ENERGIA_CONFIG", "ENERGIA_CONFIG_DIR")
#: Variables that platforms set, and what each means here.
PLATFORM: Final[dict[str, Key]] = {
    "DATABASE_URL": ("database", "url"),
    "DATABASE_URL_FILE": ("database", "url_file"),
    "HOST": ("server", "host"),
    "PORT": ("server", "port"),
}
#: What no preview gets: it reaches the databases of all others.
_PRODUCTIONS: Final = (("preview", "admin_url"), ("preview", "admin_url_file"))
_NOT_IN_FILES: Final = {
    "profile": "the profile is set by ENERGIA_PROFILE or --profile, not in a file",
    "pull_request": "the pull request is named by the platform, not in a file",
}
_BY_PROFILE: Final[dict[str, dict[Key, object]]] = {
    "development": {("server", "host"): "127.0.0.1"},
    "production": {("auth", "required"): True},
    "preview": {
        ("auth", "required"): True,
        ("server", "drain_ready"): 0,
        ("server", "drain"): 0,
        ("server", "shutdown_timeout"): 4,
        ("database", "pool_size"): 4,
        ("preview", "seed"): "demo",
        ("plugins", "disabled"): ["bill-webhook", "preview-github"],
    },
}


@attrs.frozen
class Value:
    """A configured value, and where it comes from: a file, a variable or an option."""

    value: object = attrs.field(repr=False)
    origin: str


def defaults(profile: str) -> dict[Key, Value]:
    """Return what a profile sets without any file."""
    origin = f"default of profile {profile}"
    return {key: Value(value, origin) for key, value in _BY_PROFILE.get(profile, {}).items()}


def of_file(path: Path, faults: list[Fault]) -> dict[Key, Value]:
    """Read a TOML file; what is wrong is added to *faults*."""
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except OSError as error:
        faults.append(Fault("unreadable_file", f"{path}: cannot be read: {error.strerror}"))
        return {}
    except ValueError as error:
        faults.append(Fault("not_toml", f"{path}: not TOML: {error}"))
        return {}
    for name, message in _NOT_IN_FILES.items():
        if table.pop(name, None) is not None:
            faults.append(Fault(f"{name}_in_file", f"{path}: {message}", name))
    return {key: Value(value, str(path)) for key, value in _leaves(table)}


def of_environment(environ: Mapping[str, str], faults: list[Fault]) -> dict[Key, Value]:
    """Read the variables that concern Energia; unknown ones are added to *faults*."""
    values: dict[Key, Value] = {}
    keys = variables()
    for name, text in sorted(environ.items()):
        key = PLATFORM.get(name) or keys.get(name) or _of_plugin(name)
        if key is None:
            if name.startswith(PREFIX) and name not in PLACES:
                hint = did_you_mean(name, [*keys, *PLACES])
                faults.append(Fault("unknown_variable", f"{name}: there is no such setting{hint}"))
        elif key in values and values[key].value != text:
            message = f"{name} and {values[key].origin} differ; set one of them"
            faults.append(Fault("two_variables", message))
        else:
            values[key] = Value(Text(text), name)
    return values


def variables() -> dict[str, Key]:
    """Return the variable of every setting of the core; `..._FILE` names a file with a secret."""
    keys: dict[str, Key] = {}
    for section, type_ in fields(Settings).items():
        for field in attrs.fields(type_) if attrs.has(type_) else ():
            if (section, field.name) == ("plugins", "settings"):
                continue
            name = f"{PREFIX}{section}__{field.name}".upper()
            keys[name] = (section, field.name)
            if field.metadata.get("secret"):
                keys[f"{name}_FILE"] = (section, f"{field.name}_file")
    return keys


def merged(layers: Iterable[Mapping[Key, Value]]) -> dict[Key, Value]:
    """Lay later layers over earlier ones, value by value."""
    values: dict[Key, Value] = {}
    for layer in layers:
        for key, value in layer.items():
            for earlier in [earlier for earlier in values if _covers(key, earlier)]:
                del values[earlier]
            values[key] = value
    return values


def without_productions(values: dict[Key, Value]) -> tuple[str, ...]:
    """Take out of the values of a preview what is production's; return warnings that say so.

    A platform copies the variables of production to previews.
    """
    keys = [key for key in values if key in _PRODUCTIONS]
    return tuple(
        f"{values.pop(key).origin}: {'.'.join(key)} is production's; a preview ignores it"
        for key in keys
    )


def tables(values: Mapping[Key, Value]) -> dict[str, Any]:
    """Return *values* as nested tables."""
    root: dict[str, Any] = {}
    for key, value in values.items():
        table = root
        for step in key[:-1]:
            table = table.setdefault(step, {})
        table[key[-1]] = value.value
    return root


def _covers(key: Key, other: Key) -> bool:
    """Return whether setting *key* makes *other* void: a table replaces a value, or is replaced."""
    shorter = min(len(key), len(other))
    return key[:shorter] == other[:shorter]


def _leaves(table: Mapping[str, Any], above: Key = ()) -> Iterator[tuple[Key, object]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*above, name))
        else:
            yield (*above, name), value


def _of_plugin(variable: str) -> Key | None:
    """Return the key of `ENERGIA_PLUGINS__TARIFF_FLAT__RATE`: plugins.tariff-flat.rate."""
    steps = variable.removeprefix(PREFIX).lower().split("__")
    if not variable.isupper() or not variable.startswith(f"{PREFIX}PLUGINS__") or len(steps) < 3:
        return None
    by_variable = {name.replace("-", "_"): name for name in entry_points(group=PROJECT).names}
    return ("plugins", by_variable.get(steps[1], steps[1].replace("_", "-")), *steps[2:])

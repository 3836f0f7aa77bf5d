"""What authors of plugins may use: the public names, and how each is called; and what tariffs say.

`python -m tests.public_names` prints it, a line for each. What the last release had is kept, in
`tests/data/public-names-<release>.json`; compatibility.md says what may have
changed since.
"""

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from itertools import zip_longest
from typing import Any, TypeAlias

import attrs

from energia import hookspecs
from energia.plugins import Plugins

#: The arguments of a call: name, kind, and whether it must be given.
Arguments: TypeAlias = Sequence[tuple[str, str, bool]]
#: Protocols of which a base class states all that came later.
WITH_BASE = {"energia.Charge": "BaseCharge", "energia.Measure": "BaseMeasure"}


def stated() -> dict[str, Any]:
    """Return every public name of this release, by `module.name`, and every hook."""
    found = {
        f"{module}.{name}": _described(getattr(import_module(module), name))
        for module in _modules()
        for name in _names(module)
    }
    for name, value in vars(hookspecs).items():
        if hasattr(value, "energia_spec"):
            found[f"hook {name}"] = {"calls": {"": _arguments(value)}}
    found |= {f"tariff {name}": _document(class_) for name, class_ in _documents()}
    return dict(sorted(found.items()))


def _modules() -> Sequence[str]:
    try:
        return import_module("energia.contract").PUBLIC  # type: ignore[no-any-return]
    except ImportError:  # a release before there was a list
        return ("energia",)


def _names(module: str) -> Iterator[str]:
    return (name for name in import_module(module).__all__ if not name.startswith("_"))


def _described(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, type):
        return {"calls": {"": _arguments(value)}} if inspect.isfunction(value) else {}
    members = {name: getattr(value, name, None) for name in sorted(_members(value))}
    calls = {name: _arguments(member) for name, member in members.items() if _is_call(member)}
    if attrs.has(value):
        calls[""] = _arguments(value)
    described: dict[str, Any] = {"members": list(members), "calls": calls}
    return described | ({"protocol": True} if getattr(value, "_is_protocol", False) else {})


def _documents() -> Iterator[tuple[str, type]]:
    """Yield what the documents of tariffs are made of, by name."""
    tariffs, schedule = (
        import_module(f"energia.pricing.{name}") for name in ("tariffs", "schedule")
    )
    yield from Plugins.installed(hook="register_charges").charges().items()
    yield from (("version", tariffs.Version), ("schedule", schedule.Schedule))
    yield "rounding", import_module("energia.pricing.rounding").Rounding


def _document(class_: Any) -> Mapping[str, Any]:
    """Return the fields of a class, and those that are stored whether they were given or not."""
    fields = attrs.fields(class_)
    written = [field.name for field in fields if field.default is not None]
    return {"members": [field.name for field in fields], "written": written}


def _is_call(member: object) -> bool:
    return inspect.isfunction(member) or inspect.ismethod(member)


def _members(class_: type) -> set[str]:
    """Return the public names of a class and of its bases, but for those of Python itself."""
    ours = [base for base in class_.__mro__ if base.__module__.startswith("energia")]
    stated = {name for base in ours for name in (*vars(base), *inspect.get_annotations(base))}
    return {name for name in stated if not name.startswith("_")}


def _arguments(call: Any) -> Arguments:
    return [
        (one.name, kind, one.default is one.empty and not kind.startswith("variadic"))
        for one in inspect.signature(call).parameters.values()
        for kind in (one.kind.description,)
    ]


# What breaks a plugin that was written for another release.


def broken(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return what plugins that were right with *before* may stumble over with *after*."""
    return [text for name in before for text in _broken(name, before[name], after.get(name))]


def _broken(name: str, before: Mapping[str, Any], after: Mapping[str, Any] | None) -> Iterator[str]:
    if after is None:
        yield f"{name} is gone"
        return
    old, new = set(before.get("members", ())), set(after.get("members", ()))
    for member in sorted(old - new):
        yield f"{name}.{member} is gone"
    if "written" in before:
        for member in sorted({*after["written"]} - old):
            yield f"{name}.{member} is stored unasked, and the release before does not read it"
    if before.get("protocol") and name not in WITH_BASE:
        for member in sorted(new - old):
            yield f"{name}.{member} is asked of those that were written before"
    for call, arguments in before.get("calls", {}).items():
        if call in after.get("calls", {}):
            place = f"{name}.{call}".rstrip(".")
            yield from _of_call(place, arguments, after["calls"][call])


def _of_call(place: str, before: Arguments, after: Arguments) -> Iterator[str]:
    now = {name: (kind, required) for name, kind, required in after}
    for name, kind, required in before:
        if name not in now:
            yield f"{place}({name}) is gone"
        elif "keyword" in kind and "keyword" not in now[name][0]:
            yield f"{place}({name}) is no keyword any more"
        elif not required and now[name][1]:
            yield f"{place}({name}) must be given"
    known = {name for name, _, _ in before}
    for name, (_, required) in now.items():
        if required and name not in known:
            yield f"{place}({name}) must be given"
    for old, new in zip_longest(_in_order(before), _in_order(after)):
        if old is not None and new != old and old in now:
            yield f"{place}({old}) is at another place"
            return


def _in_order(arguments: Arguments) -> list[str]:
    return [name for name, kind, _ in arguments if kind.startswith("positional")]


if __name__ == "__main__":
    lines = (f"{json.dumps(name)}: {json.dumps(value)}" for name, value in stated().items())
    print("{", ",\n".join(lines), "}", sep="\n")

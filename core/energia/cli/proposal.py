"""The preview of a file on the command line: a mapping that `--mapping` takes, with its doubts."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from energia.cli.invocation import format_named

if TYPE_CHECKING:
    from energia.metering.decoders import Decoder
    from energia.metering.proposals import Preview


def shown(
    decoders: "Mapping[str, Decoder]", format_: str, file: Path, said: Mapping[str, str]
) -> str:
    """Return the preview of a file as TOML: the options, and all else as comments.

    Raises:
        click.UsageError: There is no such format.
        Invalid: The format proposes nothing.

    """
    from energia.metering.proposals import head_of, preview

    decoder = format_named(decoders, format_)
    with file.open("rb") as raw:
        found = preview(decoder, raw.read(head_of(decoder)), said)
    # Texts of JSON are texts of TOML, whatever is in them.
    options = [f"{name} = {_text(value)}" for name, value in found.mapping.items()]
    return "\n".join([*options, *(f"# {line}" for line in _comments(found))])


def _comments(found: "Preview") -> Iterator[str]:
    if found.preset is not None:
        yield f"preset: {found.preset}"
    for doubt in found.doubts:
        others = ", ".join(map(_text, doubt.alternatives)) or "something else"
        yield _text(f"in doubt: {doubt.option}, or {others}: {doubt.why}")
    for row in found.rows:
        when = f"from {row.start}" if row.start is not None else f"until {row.end}"
        yield f"line {row.line}: {when}: {row.value} ({row.quality})"
    for day in found.days:
        yield f"{day.day}: {day.sum} in {day.slots} slots"
    for problem in found.problems:
        yield _text(f"line {problem.line}: {problem.message}")


def _text(text: str) -> str:
    """Return a text as TOML has it, in one line."""
    return json.dumps(text, ensure_ascii=False)

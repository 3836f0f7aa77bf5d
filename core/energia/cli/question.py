"""What `energia price` and `energia compare` share: tariffs, usage and a window, from anywhere."""

import json
import tomllib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs

from energia.cli.database import opened
from energia.convert import Converter, parse
from energia.costing.request import Costing, costing_of
from energia.costing.subject import Subject
from energia.db.tenant import Tenant
from energia.errors import EnergiaError, Invalid, Malformed
from energia.pricing.tariffs import Tariff
from energia.settings import Settings


@attrs.frozen
class Question:
    """What is asked on the command line.

    Attributes:
        tariffs: Files, or ids of stored tariffs.
        given: What `Subject` has, as on the command line.
        usage: A file with readings, or what such a file has.

    """

    tariffs: tuple[str, ...]
    given: Mapping[str, object]
    usage: Path | Mapping[str, object] | None

    async def costing(self, settings: Settings, converter: Converter) -> Costing:
        """Return the tariffs, readings and prices, ready to price; files alone need no database.

        Raises:
            Malformed, Invalid: A file does not fit, or something that is named is unknown.

        """
        body: dict[str, object] = {k: v for k, v in self.given.items() if v}
        if self.usage is not None:
            body["usage"] = content(self.usage) if isinstance(self.usage, Path) else self.usage
        subject = converter.structure(body, Subject)
        tariffs = {
            f"/tariffs/{index}": _document(given, converter) if is_file(given) else given
            for index, given in enumerate(self.tariffs)
        }
        stored = subject.meter is not None or not all(map(is_file, self.tariffs))
        async with _database(settings, stored) as tenant:
            return await costing_of(subject, tariffs, tenant, converter, settings.limits)


def is_file(tariff: str) -> bool:
    """Tell whether an argument is a tariff document; otherwise it is the id of a stored one."""
    return tariff.endswith((".json", ".toml")) or "/" in tariff


def _document(file: str, converter: Converter) -> Tariff:
    try:
        return converter.structure(content(Path(file)), Tariff)
    except Invalid as error:
        raise type(error)(f"{file}: {error.detail}", error.faults) from error


def content(path: Path) -> object:
    """Return a document, JSON or TOML, as JSON has it; raises `Malformed`."""
    content = path.read_bytes()
    try:
        if path.suffix != ".toml":
            return parse(content)
        table = tomllib.loads(content.decode(), parse_float=Decimal)
        return json.loads(json.dumps(table, default=_text))
    except (ValueError, EnergiaError) as error:
        raise Malformed(f"{path}: {error}") from error


def _text(value: Any) -> str:
    return str(value) if isinstance(value, Decimal) else str(value.isoformat())


@asynccontextmanager
async def _database(settings: Settings, stored: bool) -> AsyncIterator[Tenant | None]:
    if not stored:
        yield None
        return
    async with opened(settings.database) as tenant:
        yield tenant

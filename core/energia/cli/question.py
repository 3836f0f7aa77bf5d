"""What `energia price` and `energia compare` share: tariffs, usage and a window, from anywhere."""

import json
import tomllib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import attrs

from energia.cli.database import opened
from energia.convert import Converter, parse
from energia.costing.subject import Subject
from energia.costing.usage import Window, filled, needed, priced, prices_of, window
from energia.db.tenant import Queries
from energia.errors import EnergiaError, Invalid, Malformed
from energia.metering.series import Series
from energia.pricing.store import Tariffs
from energia.pricing.tariffs import Tariff
from energia.pricing.usage import Terms
from energia.settings import Settings

T = TypeVar("T")

#: Prices usage in bill periods, whose bounds it gets, under tariffs.
Pricing = Callable[[Sequence[Tariff], Mapping[str, Series], Sequence[int], Terms], T]


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

    async def answer(
        self, settings: Settings, converter: Converter, pricing: "Pricing[T]"
    ) -> tuple[Window, T]:
        """Find tariffs and readings and price them; files alone need no database.

        Raises:
            Malformed, Invalid: A file does not fit.
            NotFound: There is no such tariff.

        """
        body: dict[str, object] = {k: v for k, v in self.given.items() if v}
        if self.usage is not None:
            body["usage"] = content(self.usage) if isinstance(self.usage, Path) else self.usage
        subject = converter.structure(body, Subject)
        stored = subject.meter is not None or not all(map(is_file, self.tariffs))
        async with _database(settings, stored) as queries:
            named = [await _tariff(one, queries, converter) for one in self.tariffs]
            limit = settings.limits.slots
            at = await window(subject, queries, limit)
            tariffs = filled(named, subject.parameters, at)
            found = await priced(subject, at, needed(tariffs, at), queries, limit)
            prices = await prices_of(subject, tariffs, at, queries if stored else None)
        terms = Terms(missing=subject.missing, prices=prices)
        return at, pricing(tariffs, found.series, at.bounds, terms)


def is_file(tariff: str) -> bool:
    """Tell whether an argument is a tariff document; otherwise it is the id of a stored one."""
    return tariff.endswith((".json", ".toml")) or "/" in tariff


async def _tariff(given: str, queries: Queries, converter: Converter) -> Tariff:
    if not is_file(given):
        return await Tariffs(queries, converter).get(given)
    try:
        return converter.structure(content(Path(given)), Tariff)
    except Invalid as error:
        raise type(error)(f"{given}: {error.detail}", error.faults) from error


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


class _Nothing(Queries):
    """Stands for the database where none is needed."""

    async def fetch(self, row: Callable[..., T], sql: str, *parameters: object) -> list[T]:
        raise AssertionError("files need no database")

    async def execute(self, sql: str, *parameters: object) -> int:
        raise AssertionError("files need no database")


@asynccontextmanager
async def _database(settings: Settings, needed: bool) -> AsyncIterator[Queries]:
    if not needed:
        yield _Nothing()
        return
    async with opened(settings.database) as tenant:
        yield tenant

"""Checks of importers: documents of others in, a tariff or faults out, and nothing else."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from random import Random
from typing import Any, Final

from energia.contract import HasExamples
from energia.errors import EnergiaError, Invalid
from energia.pricing.importing import ImportedTariff, ImportOptions, TariffImporter, imported
from energia.testing.outcome import Failed, Outcome, Skipped, outcome_of, refuse_failed
from energia.testing.pricing import Pricing

#: So many damaged copies of each example are read.
_DAMAGED: Final = 200
_OPTIONS: Final = ImportOptions(timezone="America/New_York")
_WRONG: Final[tuple[object, ...]] = (
    *(None, True, 0, -1, Decimal("1e400"), "", "x", "NaN", [], {}, [[]], [{}], {"": {}}),
    *([None] * 3, {"items": []}, {"items": [{}]}, {"energyratestructure": [[]]}, [[[[[]]]]]),
)


def check_importer(importer: TariffImporter, *, without: Sequence[str] = ()) -> None:
    """Assert that an importer of tariffs conforms; its tariffs have kinds that are installed.

    Args:
        importer: The importer; its plugin need not be installed.
        without: Names of checks that are left out.

    Raises:
        Failed: An AssertionError that names every check that failed.

    """
    refuse_failed(importer.format, of_importer(importer, Pricing.of()), without)


def of_importer(importer: TariffImporter, pricing: Pricing) -> Iterator[Outcome]:
    """Yield the outcome of each check of an importer."""

    def tariffs_come_out(_: object) -> None:
        """Each example gives a tariff that can be saved, twice the same, and stays as it is."""
        for document in _examples(importer):
            original = copy.deepcopy(document)
            first, second = (_read(importer, document, pricing) for _ in range(2))
            if first != second:
                raise Failed("read again, the same document gives another tariff")
            if document != original:
                raise Failed("it changes the document that it reads")

    def damage_is_told(_: object) -> None:
        """An example of which parts are missing or of a wrong type never crashes the importer."""
        random = Random(1)
        for document in _examples(importer):
            for _ in range(_DAMAGED):
                _survives(importer, _damaged(copy.deepcopy(document), random), pricing)

    def anything_is_told(_: object) -> None:
        """JSON of any kind never crashes the importer."""
        for document in _WRONG:
            _survives(importer, document, pricing)

    for check in (tariffs_come_out, damage_is_told, anything_is_told):
        yield outcome_of(f"importer {importer.format}", check, importer)


def _read(importer: TariffImporter, document: object, pricing: Pricing) -> ImportedTariff:
    try:
        return imported(importer, document, _OPTIONS, pricing.converter)
    except Invalid as error:
        raise Failed(f"an example is refused: {error.detail}") from None


def _survives(importer: TariffImporter, document: object, pricing: Pricing) -> None:
    try:
        imported(importer, document, _OPTIONS, pricing.converter)
    except EnergiaError:
        return
    except (Exception, SystemExit) as error:
        shown = str(document)[:80]
        raise Failed(f"{type(error).__name__} for {shown}: {error}") from error


def _damaged(value: Any, random: Random) -> Any:
    """Return *value* with one part of it missing, or of a wrong type."""
    inner = [key for key, item in _items(value) if isinstance(item, dict | list) and item]
    if inner and random.random() < 0.75:
        key = random.choice(inner)
        value[key] = _damaged(value[key], random)
        return value
    keys = [key for key, _ in _items(value)]
    if not keys:
        return random.choice(_WRONG)
    if random.random() < 0.3:
        del value[random.choice(keys)]
    else:
        value[random.choice(keys)] = copy.deepcopy(random.choice(_WRONG))
    return value


def _items(value: Any) -> list[tuple[Any, Any]]:
    return list(value.items() if isinstance(value, Mapping) else enumerate(value))


def _examples(importer: TariffImporter) -> Sequence[Any]:
    if not isinstance(importer, HasExamples) or not importer.examples:
        raise Skipped("it states no examples: examples = ({...},) on its class")
    return importer.examples

"""What observers of readings are told."""

from collections.abc import Mapping

import attrs


@attrs.define
class Counts:
    """What became of the readings of one import; they add up to `received`.

    Attributes:
        received: How many came.
        created: Slots that got their first value.
        unchanged: Known already.
        corrected: Known with another value or quality, which moved to history.
        repeated: Equal repeats within the import.
        superseded: Older than what is stored, by the source's own time.
        missing: Nulls.
        rejected: Refused, with a problem each.

    """

    received: int = 0
    created: int = 0
    unchanged: int = 0
    corrected: int = 0
    repeated: int = 0
    superseded: int = 0
    missing: int = 0
    rejected: int = 0


@attrs.frozen
class ReadingsStored:
    """An import was stored.

    Attributes:
        number: The import's id, as the API shows it.
        format: What it came as: `json`, or the name of a decoder.
        counts: What became of its readings.
        meters: The meters that got values.

    """

    number: str
    format: str
    counts: Counts
    meters: tuple[str, ...]


@attrs.frozen
class ReadingsRejected:
    """Readings were refused: all of an import, or those of it that were wrong.

    Attributes:
        format: What they came as: `json`, or the name of a decoder.
        reasons: How often each code was found; a body that cannot be read counts once.

    """

    format: str
    reasons: Mapping[str, int]

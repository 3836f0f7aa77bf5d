"""The answer to an import, and what is kept of it."""

from collections.abc import Iterable
from datetime import datetime
from typing import Self

import attrs

from energia.errors import Fault
from energia.metering.events import Counts


@attrs.frozen
class Outcome:
    """What became of the readings of an import; the counts add up to `received`.

    Attributes:
        import_: The id of the import.
        meters: Ids of meters that got values.
        unknown: Ids in the body that do not exist.
        problems: What was refused, and warnings.

    """

    import_: str
    received: int
    created: int
    unchanged: int
    corrected: int
    repeated: int
    superseded: int
    missing: int
    rejected: int
    meters: tuple[str, ...]
    unknown: tuple[str, ...]
    problems: tuple[Fault, ...]

    @classmethod
    def of(
        cls,
        import_: str,
        counts: Counts,
        meters: Iterable[str],
        unknown: Iterable[str],
        problems: Iterable[Fault],
    ) -> Self:
        """Return the outcome of an import, its lists sorted."""
        return cls(
            import_=import_,
            **attrs.asdict(counts),
            meters=tuple(sorted(meters)),
            unknown=tuple(sorted(unknown)),
            problems=tuple(problems),
        )


@attrs.frozen
class Listed:
    """An import in a list of imports.

    Attributes:
        import_: Its id.
        format: `json`, or the format of the file.
        sha256: The checksum of the body, for information.
        recorded_at: When it was stored.

    """

    import_: str
    format: str
    sha256: str
    recorded_at: datetime
    received: int
    created: int
    unchanged: int
    corrected: int
    repeated: int
    superseded: int
    missing: int
    rejected: int

    @classmethod
    def of(cls, row: "KeptRow") -> Self:
        """Return what a row of the database says."""
        return cls(row.import_, row.format, row.sha256, row.recorded_at, **row.counts)


@attrs.frozen
class Kept(Listed):
    """What is kept of an import.

    Attributes:
        problems: What was refused, and warnings.

    """

    problems: tuple[Fault, ...]

    @classmethod
    def of(cls, row: "KeptRow") -> Self:
        """Return what a row of the database says."""
        faults = tuple(Fault(**problem) for problem in row.problems)  # type: ignore[arg-type]
        return cls(
            row.import_, row.format, row.sha256, row.recorded_at, **row.counts, problems=faults
        )


@attrs.frozen
class KeptRow:
    """An import as a row of the database."""

    import_: str
    format: str
    sha256: str
    recorded_at: datetime
    counts: dict[str, int]
    problems: list[dict[str, object]]

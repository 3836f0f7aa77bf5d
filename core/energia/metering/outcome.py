"""The outcome of an import: its problems and counts, the answer, the events, and what is kept.

Problems are collected while readings are decoded, validated and merged; nothing is raised before
the end, so that an answer has them all.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, ClassVar, Final, Protocol, Self

import attrs
from msgspec import Meta

from energia.errors import Fault, Invalid

#: The severity of a problem whose reading is stored all the same.
WARNING: Final = "warning"
#: Items of a body that cannot be read are looked at until there are so many of them.
GIVE_UP: Final = 100_000


@attrs.define
class Problems:
    """Collects problems: all are counted, the first are listed.

    Attributes:
        limit: How many are listed.
        faults: The first problems.
        counts: How many there are of each code, warnings left out.
        rejected: How many readings were refused.
        rounded: How many readings were finer than a micro-unit.
        first_rounded: The warning of the first of them, which says where it is.

    """

    limit: int = 1000
    faults: list[Fault] = attrs.Factory(list)
    counts: Counter[str] = attrs.Factory(Counter)
    rejected: int = 0
    rounded: int = 0
    first_rounded: Fault | None = None

    def copy(self) -> "Problems":
        """Return one that goes on from here, while this one stays as it is."""
        return attrs.evolve(self, faults=list(self.faults), counts=Counter(self.counts))

    def add(self, fault: Fault, readings: int = 1) -> None:
        """Note one problem, that refuses so many readings; a warning refuses none."""
        if fault.severity != WARNING:
            self.counts[fault.code] += 1
            self.rejected += readings
        if len(self.faults) < self.limit:
            self.faults.append(fault)

    @property
    def full(self) -> bool:
        """Whether further problems are only counted: no `Fault` needs to be made of them."""
        return len(self.faults) >= self.limit

    def count(self, code: str, readings: int) -> None:
        """Count one more problem that nobody is shown; raises `Invalid` if they are too many."""
        self.counts[code] += 1
        self.rejected += readings
        if self.counts.total() >= GIVE_UP:
            raise self.error(f"at least {GIVE_UP} faults; the rest was not looked at")

    def add_each(
        self,
        code: str,
        where: Sequence[int],
        fault: Callable[[int], Fault],
        readings: int | None = None,
        number: int | None = None,
    ) -> None:
        """Note a problem of *code* for each of *where*; *fault* is made for few only.

        They refuse *readings* in all, by default one each. They stand for *number* problems, where
        they are only the first of a sort.
        """
        if not where and not number:
            return
        room = max(0, self.limit - len(self.faults))
        self.faults += map(fault, where[:room])
        self.counts[code] += len(where) if number is None else number
        self.rejected += len(where) if readings is None else readings

    def add_rounded(self, number: int, first: Callable[[], Fault]) -> None:
        """Note readings that are rounded: one warning says how many, and where the first is."""
        self.rounded += number
        if number and self.first_rounded is None:
            self.first_rounded = attrs.evolve(first(), severity=WARNING)

    def listed(self) -> list[Fault]:
        """Return the first problems; those of a file by line."""
        faults = list(self.faults)
        if self.first_rounded is not None:
            number = "1 reading is" if self.rounded == 1 else f"{self.rounded} readings are"
            message = self.first_rounded.message.format(number)
            faults.append(attrs.evolve(self.first_rounded, message=message))
        return sorted(faults, key=lambda fault: fault.line or 0)

    def error(self, detail: str = "") -> Invalid:
        """Return the error that says all of them, by default how many they are."""
        number = self.counts.total()
        faults = [fault for fault in self.listed() if fault.severity != WARNING]
        detail = detail or (faults[0].message if number == 1 and faults else f"{number} faults")
        return Invalid(f"{detail}; nothing was stored", faults, self.counts)


class _Counted:
    """What has a count of readings for each outcome.

    Attributes:
        received: How many readings came.
        created: Slots that got their first value.
        unchanged: Stored already.
        corrected: Stored with another value or quality, which moved to history.
        repeated: Equal repeats within the import.
        superseded: Older than others of the same slots in the same file, by the source's own time.
        missing: Nulls.
        rejected: Refused, with a problem each.

    """

    __slots__ = ()


@attrs.define
class Counts(_Counted):
    """How many readings of one import had each outcome; they add up to `received`."""

    __public_name__: ClassVar[str] = "ImportCounts"

    received: int = 0
    created: int = 0
    unchanged: int = 0
    corrected: int = 0
    repeated: int = 0
    superseded: int = 0
    missing: int = 0
    rejected: int = 0


#: What a reading can turn out to be.
OUTCOMES: Final = tuple(field.name for field in attrs.fields(Counts) if field.name != "received")


# What observers hear.


@attrs.frozen
class ReadingsStored:
    """An import was stored.

    Attributes:
        number: The import's id, as the API shows it.
        format: What it came as: `json`, or the name of a decoder.
        counts: How many of its readings had each outcome.
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


class Observers(Protocol):
    """Hear of readings; the loaded plugins do, by the hooks of these names."""

    def readings_stored(self, event: ReadingsStored, /) -> None:
        """Hear of an import, after its commit."""
        ...

    def readings_rejected(self, event: ReadingsRejected, /) -> None:
        """Hear of refused readings, whether or not others of the import were stored."""
        ...


class _Nobody:
    """Hears of nothing."""

    def readings_stored(self, event: ReadingsStored, /) -> None:
        """Ignore the import."""

    def readings_rejected(self, event: ReadingsRejected, /) -> None:
        """Ignore the refusal."""


#: The observers of commands, in which no plugin counts readings.
NOBODY: Final[Observers] = _Nobody()


# What the API answers.

#: The id of an import as `import`, a word that no language lets a variable have.
FirstName = Annotated[str | None, Meta(extra_json_schema={"deprecated": True})]


@attrs.frozen
class Outcome(_Counted):
    """The outcome of an import; the counts add up to `received`.

    Attributes:
        id: The id of the import; null where nothing was to be stored (`dry_run`).
        import_: The same as `id`, under its first name.
        meters: Ids of meters that got values.
        unknown: Ids in the body that do not exist.
        problems: What was refused, and warnings.
        made: Channels that were made for a file (`create_meters`): `meter/channel`.

    """

    __public_name__: ClassVar[str] = "ImportOutcome"

    id: str | None
    import_: FirstName
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
    made: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        id_: str | None,
        counts: Counts,
        meters: Iterable[str],
        unknown: Iterable[str],
        problems: Iterable[Fault],
    ) -> Self:
        """Return the outcome of an import, its lists sorted."""
        return cls(
            id=id_,
            import_=id_,
            **attrs.asdict(counts),
            meters=tuple(sorted(meters)),
            unknown=tuple(sorted(unknown)),
            problems=tuple(problems),
        )


@attrs.frozen
class ImportRow:
    """An import as a row of the database."""

    id: str
    format: str
    sha256: str
    recorded_at: datetime
    counts: dict[str, int]
    problems: list[dict[str, object]]


@attrs.frozen
class Listed(_Counted):
    """An import in a list of imports.

    Attributes:
        id: Its id.
        import_: The same as `id`, under its first name.
        format: `json`, or the format of the file.
        sha256: The checksum of the body, for information.
        recorded_at: When it was stored.

    """

    __public_name__: ClassVar[str] = "ImportSummary"

    id: str
    import_: FirstName
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
    def of(cls, row: ImportRow) -> Self:
        """Return what a row of the database says."""
        return cls(row.id, row.id, row.format, row.sha256, row.recorded_at, **row.counts)


@attrs.frozen
class Kept(Listed):
    """What is kept of an import.

    Attributes:
        problems: What was refused, and warnings.

    """

    __public_name__: ClassVar[str] = "ImportRecord"

    problems: tuple[Fault, ...]

    @classmethod
    def of(cls, row: ImportRow) -> Self:
        """Return what a row of the database says."""
        faults = tuple(Fault(**problem) for problem in row.problems)  # type: ignore[arg-type]
        return cls(
            row.id, row.id, row.format, row.sha256, row.recorded_at, **row.counts, problems=faults
        )

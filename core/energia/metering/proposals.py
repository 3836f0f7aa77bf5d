"""What a file may mean: a mapping that is proposed for it, and what it would say by that mapping.

Nothing of this happens in an import: a client looks at the preview, decides what is in doubt, and
says the mapping. It is a function of the bytes, of what is known and of the presets.
"""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, Self

import attrs

from energia.convert import TEXT
from energia.errors import Fault, Invalid, Malformed, did_you_mean
from energia.metering.decoders import (
    Decoder,
    Doubt,
    HasProposal,
    Item,
    MeterRead,
    Problem,
    Proposal,
    Reading,
    Run,
    reading_by,
)
from energia.metering.mappings import CsvMapping, presets
from energia.metering.series import QUALITIES
from energia.time import EPOCH, Zone

#: So many bytes of a file are looked at, if its decoder does not say another number.
_HEAD: Final = 1024**2
#: So many readings of a file are looked at.
_LOOKED: Final = 50_000
#: So many of them decide whether a preset fits.
_SAMPLE: Final = 2000
_ROWS: Final = 20
_DAYS: Final = 400


@attrs.frozen
class PreviewRow:
    """A reading as it would be understood.

    Attributes:
        line: Where it is in the file, counted from 1.
        start: When its slot starts; or
        end: when it ends.
        value: Its quantity, or null where it is missing.
        quality: Its quality.
        meter: The meter that the file names.
        channel: The channel that the file names.
        unit: The unit, where the file or the mapping names one.

    """

    line: int
    start: datetime | None
    end: datetime | None
    value: Decimal | None
    quality: str
    meter: str | None = None
    channel: str | None = None
    unit: str | None = None


@attrs.frozen
class PreviewDay:
    """The readings of a day of a channel, in the zone of the mapping.

    Attributes:
        day: The day.
        sum: Their sum.
        slots: How many of them have a value.
        meter: The meter that the file names.
        channel: The channel that the file names.

    """

    day: date
    sum: Decimal
    slots: int
    meter: str | None = None
    channel: str | None = None


@attrs.frozen
class PreviewProblem:
    """What would be refused.

    Attributes:
        line: Where it is in the file, if it is somewhere.
        code: What kind of problem it is.
        message: What is wrong.

    """

    line: int | None
    code: str
    message: str


@attrs.frozen
class Preview:
    """What a file may mean.

    Attributes:
        preset: The preset that fits the file.
        mapping: The options that are proposed, as they are in an import.
        rows: The first readings.
        days: The days of the part that was looked at.
        doubts: What may be otherwise, with the alternatives.
        problems: The first lines that would be refused.

    """

    __public_name__: ClassVar[str] = "ImportPreview"

    preset: str | None
    mapping: dict[str, str]
    rows: tuple[PreviewRow, ...]
    days: tuple[PreviewDay, ...]
    doubts: tuple[Doubt, ...]
    problems: tuple[PreviewProblem, ...]


def preview(
    decoder: Decoder,
    head: bytes,
    said: Mapping[str, str],
    zone: str | None = None,
    *,
    propose: bool = True,
) -> Preview:
    """Return what the beginning of a file may mean.

    Args:
        decoder: Reads the format.
        head: The first bytes, as many as `head_of` says, or all of it.
        said: The options that are known: they are never in doubt.
        zone: The time zone of the meter's site, if it is known.
        propose: Whether what is not said is proposed; else it is what the format has by default.

    Raises:
        Invalid: The format proposes nothing; or an option that is known is none.
        Malformed: The file is not of the format.

    """
    proposing = _proposing(decoder)
    _refuse_unknown(decoder, said)
    if not propose:
        return _shown(decoder, head, None, Proposal(dict(said)))
    proposal = proposing.propose(head, said, zone)
    fitting = list(_fitting(decoder, head, said, proposal))
    preset, chosen = (
        (fitting[0].id, _by_preset(fitting, said, proposal)) if fitting else (None, proposal)
    )
    return _shown(decoder, head, preset, chosen)


def head_of(decoder: Decoder) -> int:
    """Return how many bytes of a file a preview needs; raises `Invalid` if there is none."""
    head: int = getattr(_proposing(decoder), "head", _HEAD)
    return head


def _proposing(decoder: Decoder) -> HasProposal:
    if not isinstance(decoder, HasProposal):
        message = f"the format {decoder.name} proposes nothing: its files say all by themselves"
        raise Invalid.of("no_preview", message, "/query/format")
    return decoder


def _refuse_unknown(decoder: Decoder, said: Mapping[str, str]) -> None:
    names = {field.name for field in attrs.fields(decoder.options)}
    message = "there is no such option"
    faults = [
        Fault("unknown_field", f"{message}{did_you_mean(name, names)}", f"/query/{name}")
        for name in said
        if name not in names
    ]
    if faults:
        raise Invalid("there are options that the format does not have", faults)


def _fitting(
    decoder: Decoder, head: bytes, said: Mapping[str, str], proposal: Proposal
) -> Iterator[CsvMapping]:
    """Yield the presets that read a sample without a problem, the one that says most first."""
    known = presets({decoder.name: decoder}).values()
    for preset in sorted(known, key=lambda one: -len(one.options)):
        options = _options(preset, said, proposal)
        try:
            found = _Found.of(decoder, head, TEXT.structure(options, decoder.options), most=_SAMPLE)
        except Invalid:
            continue
        if found.has_value and not found.problems:
            yield preset


def _options(preset: CsvMapping, said: Mapping[str, str], proposal: Proposal) -> dict[str, str]:
    """Return the options of a preset, in the encoding that the file has."""
    encoding = {name: value for name, value in proposal.options.items() if name == "encoding"}
    return {**encoding, **preset.texts, **said}


def _by_preset(fitting: list[CsvMapping], said: Mapping[str, str], proposal: Proposal) -> Proposal:
    """Return what the first of the presets that fit says; that others fit is a doubt."""
    names = [str(one.id) for one in fitting]
    others = Doubt("mapping", names[0], tuple(names[1:]), "several presets read the file")
    doubts = (others,) if len(names) > 1 else ()
    return Proposal(_options(fitting[0], said, proposal), doubts)


def _shown(decoder: Decoder, head: bytes, preset: str | None, proposal: Proposal) -> Preview:
    """Return what a file would say by what is proposed."""
    try:
        texts = {**proposal.assumed, **proposal.options}
        options: object = TEXT.structure(texts, decoder.options)
        found = _Found.of(decoder, head, options, texts.get("timezone", "UTC"))
    except Invalid as error:
        told = [PreviewProblem(fault.line, fault.code, fault.message) for fault in error.faults]
        problems = told or [PreviewProblem(None, error.code, error.detail)]
        found = _Found(Zone.named("UTC"), problems=problems)
    return Preview(
        preset,
        dict(proposal.options),
        tuple(found.rows),
        found.days(),
        tuple(proposal.doubts),
        tuple(found.problems[:_ROWS]),
    )


@attrs.define
class _Found:
    """What a decoder finds in the beginning of a file: sums, and no more rows than are shown.

    Attributes:
        zone: Whose days are summed.
        rows: The first readings.
        sums: The sum of each day, meter and channel, and how many values there are.
        problems: The first problems.
        taken: How many readings and problems there are.

    """

    zone: Zone
    rows: list[PreviewRow] = attrs.Factory(list)
    sums: dict[tuple[date, str | None, str | None], tuple[Decimal, int]] = attrs.Factory(dict)
    problems: list[PreviewProblem] = attrs.Factory(list)
    taken: int = 0

    @classmethod
    def of(
        cls, decoder: Decoder, head: bytes, options: Any, zone: str = "UTC", most: int = _LOOKED
    ) -> Self:
        """Return it, of *most* readings; the last line may be cut off. Raises `Invalid`."""
        found, lines = cls(Zone.named(zone)), head.count(b"\n")
        try:
            with reading_by(decoder.name):
                for item in decoder.decode([head], options):
                    found._take(item)
                    if found.taken >= most:
                        break
        except Malformed as error:
            if not found.rows:
                found.problems.append(PreviewProblem(None, error.code, error.detail))
        if len(head) == head_of(decoder):
            found.problems = [one for one in found.problems if (one.line or 0) <= lines]
        return found

    @property
    def has_value(self) -> bool:
        """Whether a reading has a value."""
        return any(count for _, count in self.sums.values()) or (not self.sums and bool(self.rows))

    def days(self) -> tuple[PreviewDay, ...]:
        """Return the sums in their order."""
        ordered = sorted(self.sums.items(), key=lambda one: (one[0][0], str(one[0][1:])))
        return tuple(PreviewDay(key[0], *told, *key[1:]) for key, told in ordered)

    def _take(self, item: Item) -> None:
        self.taken += len(item.values) if isinstance(item, Run) else 1
        if isinstance(item, Problem):
            if len(self.problems) < _ROWS:
                self.problems.append(PreviewProblem(item.line, item.code, item.message))
            return
        if isinstance(item, MeterRead):  # which adds up to nothing
            if len(self.rows) < _ROWS:
                names = (item.meter, item.channel, item.unit)
                shown = Reading(item.line, item.value, item.instant, None, item.quality, *names)
                self.rows.append(_row(shown))
            return
        for reading in item.readings() if isinstance(item, Run) else (item,):
            if len(self.rows) < _ROWS:
                self.rows.append(_row(reading))
            self._add(reading)

    def _add(self, reading: Reading) -> None:
        # A second before its end a slot is on its own day, however long it is.
        instant = reading.start if reading.start is not None else (reading.end or 0) - 1
        key = self.zone.datetime(instant).date(), reading.meter, reading.channel
        if key in self.sums or len(self.sums) < _DAYS:
            total, count = self.sums.get(key, (Decimal(0), 0))
            value = reading.value
            self.sums[key] = (total, count) if value is None else (total + value, count + 1)


def _row(reading: Reading) -> PreviewRow:
    return PreviewRow(
        reading.line,
        None if reading.start is None else _moment(reading.start),
        None if reading.end is None else _moment(reading.end),
        reading.value,
        QUALITIES[reading.quality],
        reading.meter,
        reading.channel,
        reading.unit,
    )


def _moment(instant: int) -> datetime:
    return EPOCH + timedelta(seconds=instant)

"""The table of docs/explanation/accuracy.md."""

from collections.abc import Iterator, Sequence

from tests.accuracy.by_hand.run import Summary
from tests.accuracy.outcomes import Source

_HEAD = """\
# Accuracy

*For whoever trusts the numbers: how near prices come to what other engines and real bills say.*

How near imported tariffs come to what other engines and real bills say. `make accuracy` writes
this page: it imports and prices every case of the data below and fails where one differs, or is
refused, that is not listed here. A part of it runs in `make test`.

*Exact* is to the last digit. *Equal* is within a millionth (absolute below 1): the other engine
calculates in binary doubles and prints a rounded number.

| source | what is compared | cases | exact | equal | differ | refused |
|---|---|---:|---:|---:|---:|---:|
"""
_NOTES = """
## How the cases are priced

- Tariffs go through the [importers](../how-to/tariff-import.md), as `POST /v1/tariffs/import` does
  it, and are priced month by month (`group=P1M`), in UTC where the other engine has no time zones.
  Their dates of validity are left away.
- SAM's year is 2018: it begins on a Monday and has no holidays and no daylight saving. Options
  of SAM that no rate has (metering, net billing, lookback percentages, peaks of the year before)
  are put onto the imported tariff. SAM takes an amount of a day for 365/12 of it each month;
  Energia counts days, so these amounts are converted.
- Loads of NREL's tests have more digits than a micro-kWh: usage is multiplied by 1,000, and
  prices divided by it.
- Tiers that several periods share are pooled and prorated, as SAM does; ratebook's are counted
  in each period by itself.
- SAM turns a negative month into a credit (case c070): its energy is compared, and its bill is not.
- NREL's data have the inputs of 17 of 32 runs with bills; the others differ from them by changes
  inside of a test that the data do not have. 4 more runs are errors of SSC, without bills: they are
  counted as refused and not priced. SSC uses energy that a season's last month
  exported in the next season's period of like times of day; `becomes` of `export` says which.
- ratebook's bills are priced without holidays, as they were made. The bill of PECO is to the cent.
- aiopvpc counts Good Friday as a holiday, which Circular 3/2020 does not, as it has no fixed date:
  it is listed for the comparison.
"""


_BY_HAND = """## Random tariffs, worked out twice

`tests/accuracy/by_hand` is a second implementation of pricing: slot by slot, in fractions, written
from this documentation; it shares no code with the engine. Random tariffs with readings, from read
day to read day, in zones whose clocks are odd, are priced by both: each line exactly and rounded,
and the total. `make accuracy` prices those of the seeds from {first} on; each run of `make test`
prices others, and one that differs is printed with its seed, made as small as it may be.

| | tariffs |
|---|---:|
| tariffs | {tariffs} |
| their bills | {bills} |
| that differ | {differ} |
"""


def page(sources: Sequence[Source], by_hand: Summary | None = None) -> str:
    """Return the page."""
    rows = [_row(source) for source in sources]
    twice = [_twice(by_hand)] if by_hand else []
    return "\n".join([_HEAD + "\n".join(rows), "", *_differences(sources), _NOTES, *twice])


def _twice(summary: Summary) -> str:
    """Return how many random tariffs there were of each kind and zone."""
    head = _BY_HAND.format(
        first=summary.tried[0].seed,
        tariffs=len(summary.tried),
        bills=summary.bills,
        differ=len(summary.failures),
    )
    marks, zones = sorted(summary.marks().items()), sorted(summary.zones().items())
    return head + "".join(f"| {name} | {count} |\n" for name, count in [*marks, *zones])


def _row(source: Source) -> str:
    counts = [len(source.outcomes), source.count("exact"), source.count("equal")]
    counts += [source.count("differs"), source.count("refused")]
    return f"| {source.name} | {source.about} | {' | '.join(map(str, counts))} |"


def _differences(sources: Sequence[Source]) -> Iterator[str]:
    yield "## What differs, or is refused, and why"
    yield ""
    yield "| source | case | why |"
    yield "|---|---|---|"
    for source in sources:
        for case, why in source.known.items():
            yield f"| {source.name} | {case} | {' '.join(why.split())} |"

"""The table of docs/accuracy.md."""

from collections.abc import Iterator, Sequence

from tests.accuracy.outcomes import Source

_HEAD = """\
# Accuracy

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

- Tariffs go through the [importers](tariff-import.md), as `POST /v1/tariffs/import` does it, and
  are priced month by month (`group=P1M`), in UTC where the other engine has no time zones. Their
  dates of validity are left away.
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


def page(sources: Sequence[Source]) -> str:
    """Return the page."""
    rows = [_row(source) for source in sources]
    return "\n".join([_HEAD + "\n".join(rows), "", *_differences(sources), _NOTES])


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

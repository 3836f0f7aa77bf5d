"""A bill as it is printed: its dates, its lines, its total; and what could not be read of it."""

import re
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

import attrs

from energia import Invalid
from energia_plugins.tariff_brazil.bill_text.items import PrintedLine, item
from energia_plugins.tariff_brazil.portuguese import folded, money_text, number

__all__ = ["PrintedBill", "read_bill"]

_MONTHS: Final = (
    *("jan", "fev", "mar", "abr", "mai", "jun"),
    *("jul", "ago", "set", "out", "nov", "dez"),
)
_MONTH: Final = re.compile(r"\b(\d{1,2}|[a-z]{3,9}) ?/ ?(20\d{2})\b")
_DAY: Final = re.compile(r"\b(\d{2})/(\d{2})(?:/(\d{4}))?\b")
_MONEY: Final = re.compile(r"(?<![\d,.])\d{1,3}(?:\.\d{3})*,\d{2}(?![\d,])")
_TAX: Final = r"{} ?(?:(\d[\d.]*,\d{{2}}) )?(\d{{1,2}},\d{{2,4}}) ?%?(?: (\d[\d.]*,\d{{2}}))?"
#: What every table of a bill has in its heading.
_HEADING: Final = ("quant", "valor")


@attrs.frozen(kw_only=True)
class PrintedBill:
    """What a distributor printed.

    Attributes:
        month: The month that the bill is called by: `2026-08`.
        due: When it is to be paid.
        from_: The previous reading; the bill's days begin on the day after.
        to: The reading.
        days: How many days are printed.
        lines: Its lines.
        total: What is to be paid.
        pis: The rate of PIS, a part of one.
        cofins: The rate of COFINS.
        unread: Rows of its table that could not be read.
        doubts: What does not add up.

    """

    month: str | None = None
    due: date | None = None
    from_: date | None = None
    to: date | None = None
    days: int | None = None
    lines: tuple[PrintedLine, ...]
    total: Decimal | None = None
    pis: Decimal | None = None
    cofins: Decimal | None = None
    unread: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    @property
    def consumed(self) -> Decimal:
        """The kWh that are charged, whether TE and TUSD are one line or two."""
        return _most(line for line in self.lines if _is_of(line, "consumo"))

    @property
    def offset(self) -> Decimal:
        """The kWh that are offset."""
        return _most(line for line in self.lines if _is_of(line, "injetada"))


def read_bill(text: str) -> PrintedBill:
    """Return the bill of a text: of a PDF, or lines that a person typed.

    Raises:
        Invalid: There is not one line of a bill in it.

    """
    rows = [" ".join(row.split()) for row in text.splitlines() if row.strip()]
    read: list[PrintedLine] = []
    unread: list[str] = []
    for row in _table(rows):
        line = item(row)
        if line is not None:
            read.append(line)
        elif _looks_like_one(row):
            unread.append(row)
    if not read:
        message = (
            "não há linha de conta no texto: uma linha é como `Consumo kWh 200 0,95 190,00`, "
            "a descrição e o valor em reais"
        )
        raise Invalid.of("no_lines", message)
    month, due, total = _head(rows)
    start, end, days = _readings(rows, month)
    total = _total(rows) or total
    return PrintedBill(
        month=month,
        due=due,
        from_=start,
        to=end,
        days=days,
        lines=tuple(read),
        total=total,
        pis=_tax(rows, "pis"),
        cofins=_tax(rows, "cofins"),
        unread=tuple(unread),
        doubts=tuple(_doubts(read, total, (start, end, days))),
    )


def _table(rows: Sequence[str]) -> Sequence[str]:
    """Return the rows from the heading of the table on; all, where there is no heading."""
    for index, row in enumerate(rows):
        plain = folded(row)
        if all(word in plain for word in _HEADING):
            return rows[index + 1 :]
    return rows


def _looks_like_one(row: str) -> bool:
    """Return whether a row has a description and centavos, and is not known to be no line."""
    plain = folded(row)
    known = (
        "total",
        "subtotal",
        "tributo",
        "icms",
        "pis",
        "cofins",
        "saldo",
        "leitura",
        "bandeiras",
    )
    return bool(_MONEY.search(row)) and plain[:1].isalpha() and not plain.startswith(known)


def _head(rows: Sequence[str]) -> tuple[str | None, date | None, Decimal | None]:
    """Return the month, the day by which it is to be paid, and the total, from the head."""
    for row in rows:
        if (match := _MONTH.search(row.casefold())) and (month := _month(*match.groups())):
            days = [_date(found, month) for found in _DAY.finditer(row[match.end() :])]
            money = _MONEY.findall(row)
            return month, next(iter(days), None), number(money[-1]) if money else None
    return None, None, None


def _month(name: str, year: str) -> str | None:
    plain = folded(name)
    if plain.isdigit():
        return f"{year}-{int(plain):02d}" if 1 <= int(plain) <= len(_MONTHS) else None
    found = [index for index, month in enumerate(_MONTHS, 1) if plain.startswith(month)]
    return f"{year}-{found[0]:02d}" if found else None


def _date(match: re.Match[str], month: str | None) -> date | None:
    """Return a day; one without a year is the nearest to the bill's month."""
    day, number_, year = match.groups()
    try:
        if year:
            return date(int(year), int(number_), int(day))
        if month is None:
            return None
        first = date.fromisoformat(f"{month}-01")
        near = [date(first.year + more, int(number_), int(day)) for more in (-1, 0, 1)]
    except ValueError:
        return None
    return min(near, key=lambda one: abs((one - first).days))


def _readings(
    rows: Sequence[str], month: str | None
) -> tuple[date | None, date | None, int | None]:
    """Return the previous reading, the reading, and the printed days between them."""
    for index, row in enumerate(rows):
        plain = folded(row)
        if "leitura" not in plain or "anterior" not in plain or "atual" not in plain:
            continue
        labels = sorted((plain.index(word), word) for word in ("anterior", "atual"))
        for source in (row, *rows[index + 1 : index + 2]):
            found = [day for one in _DAY.finditer(source) if (day := _date(one, month))]
            if len(found) >= len(labels):
                dates = {word: day for (_, word), day in zip(labels, found, strict=False)}
                between = (dates["atual"] - dates["anterior"]).days
                printed = re.search(rf"\b{between}\b", _DAY.sub(" ", source))
                return dates["anterior"], dates["atual"], between if printed else None
    return None, None, None


def _total(rows: Sequence[str]) -> Decimal | None:
    """Return the last total that is printed."""
    totals = [
        number(money[-1])
        for row in rows
        if re.match(r"total(?! distrib)\b", folded(row)) and (money := _MONEY.findall(row))
    ]
    return totals[-1] if totals else None


def _tax(rows: Sequence[str], name: str) -> Decimal | None:
    """Return the rate of a tax: `PIS 1,03%`, or the base, the rate and the value in a row."""
    plain = " ".join(rows).casefold()
    for match in re.finditer(_TAX.format(rf"\b{name}"), plain):
        base, rate, value = (number(text) if text else None for text in match.groups())
        if rate is None:
            continue
        if base is None or value is None or abs(base * rate / 100 - value) <= Decimal("0.02"):
            return (rate / 100).normalize()
    return None


#: What is no doubt to who says the days.
NO_DAYS: Final = "as datas de leitura não foram encontradas"


def _doubts(
    lines: Sequence[PrintedLine],
    total: Decimal | None,
    reading: tuple[date | None, date | None, int | None],
) -> Iterator[str]:
    added = sum((line.amount for line in lines), Decimal(0))
    if total is None:
        yield "o total da conta não foi encontrado"
    elif added != total:
        yield f"as linhas lidas somam {money_text(added)}, a conta diz {money_text(total)}"
    if reading[0] is None:
        yield NO_DAYS
    for line in lines:
        if line.code is None:
            yield f"não se sabe o que é a linha {line.description!r}"


def _is_of(line: PrintedLine, charge: str) -> bool:
    return line.code is not None and line.code.split(".")[0] == charge and bool(line.quantity)


def _most(lines: Iterator[PrintedLine]) -> Decimal:
    """Return the kWh of the component that has most: TE and TUSD are of the same energy."""
    sums: dict[str, Decimal] = {}
    whole = Decimal(0)
    for line in lines:
        last = (line.code or "").split(".")[-1]
        quantity = abs(line.quantity or Decimal(0))
        if last in ("te", "tusd"):
            sums[last] = sums.get(last, Decimal(0)) + quantity
        else:
            whole += quantity
    return whole + max(sums.values(), default=Decimal(0))

"""The decoder of the format `excel`: a sheet of a workbook (.xlsx), read as a table of texts.

It needs the extra `excel`, which brings openpyxl. A workbook is a zip archive whose directory comes
last: it is kept in a temporary file, and its rows are read one by one. Parts that openpyxl holds in
memory are limited, and those that could be bombs are refused before anything of them is read.
"""

import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from importlib.util import find_spec
from io import BytesIO
from itertools import islice
from tempfile import SpooledTemporaryFile
from typing import IO, TYPE_CHECKING, Annotated, Any, Final

import attrs
from msgspec import Meta

from energia import Invalid, Item, Malformed, Proposal
from energia_plugins.meter_csv.decoder import each, readings
from energia_plugins.meter_csv.options import TableOptions
from energia_plugins.meter_csv.presets import presets
from energia_plugins.meter_csv.words import position

if TYPE_CHECKING:
    from energia_plugins.meter_csv.text import Row

#: How much of a file is kept in memory.
_HELD: Final = 4 * 1024**2
#: The parts of an archive, how large they may be, and sheets, of which only a row is in memory.
_PARTS: Final = 1000
_PART: Final = 16 * 1024**2
_SHEET: Final = 512 * 1024**2
#: The rows of a sheet, as Excel limits them, and the columns that are read.
_ROWS: Final = 1024**2
_COLUMNS: Final = 2000
_SCHEMAS: Final = "http://schemas.openxmlformats.org"
_MAIN: Final = f"{_SCHEMAS}/spreadsheetml/2006/main"
#: The part with the formats of numbers, as it is without any, and what says which are dates.
_STYLES: Final = "xl/styles.xml"
_NO_STYLES: Final = (
    f'<styleSheet xmlns="{_MAIN}"><fonts><font/></fonts>'
    "<fills><fill><patternFill/></fill></fills><borders><border/></borders>"
    "<cellStyleXfs><xf/></cellStyleXfs>"
    '<cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)
_FORMATS: Final = (
    ("numFmts", "numFmt", ("numFmtId", "formatCode")),
    ("cellXfs", "xf", ("numFmtId",)),
)
#: Parts that say nothing of cells, as they are when they say nothing at all.
_EMPTY: Final = {
    "docProps/core.xml": (
        f'<coreProperties xmlns="{_SCHEMAS}/package/2006/metadata/core-properties"/>'.encode()
    ),
    "docProps/custom.xml": (
        f'<Properties xmlns="{_SCHEMAS}/officeDocument/2006/custom-properties"/>'.encode()
    ),
}
#: What 24:00 is in a cell with the format of a time: one day, and so the first that Excel knows.
_END_OF_DAY: Final = datetime(1900, 1, 1)
#: So many rows tell what a sheet may mean.
_LOOKED: Final = 2000


@attrs.frozen
class ExcelOptions(TableOptions):
    """The mapping of a sheet.

    Attributes:
        sheet: The name of the sheet, or its place: `#2`; default the first.

    """

    sheet: Annotated[str, Meta(min_length=1, max_length=100)] = "#1"


class ExcelDecoder:
    """Reads a sheet of a workbook, as `ExcelOptions` declares it.

    Numbers are read with the 15 digits that Excel keeps; dates and times as the formats of the
    options write them.
    """

    name = "excel"
    options: type = ExcelOptions
    #: A proposal is made of a whole workbook, since the directory of one comes last; a larger one
    #: than this has none.
    head = 8 * 1024**2

    @property
    def examples(self) -> tuple[bytes, ...]:
        """A workbook; none where the extra is missing, as it could not be read."""
        return (_example(),) if find_spec("openpyxl") else ()

    @property
    def presets(self) -> Mapping[str, Mapping[str, Any]]:
        """The mappings that come with the plugin, by name."""
        return presets(ExcelOptions)

    def propose(self, head: bytes, said: Mapping[str, str], zone: str | None) -> Proposal:
        """Return the options by which a sheet may be read, with their doubts.

        Raises:
            Malformed: It is no workbook, or too large a one.
            Invalid: The sheet is not there, or the extra `excel` is missing.

        """
        if len(head) >= self.head:
            raise Malformed(f"a workbook that is looked at has less than {self.head} bytes")
        # A time column, whichever: dates of cells without a time are written without one.
        options = ExcelOptions(sheet=said.get("sheet", "#1"), time_column="#1")
        library, rows = _library(), list[list[str]]()
        with BytesIO(head) as file:
            _refuse_bombs(file)
            for number, cells in islice(_rows(library, file, options), _LOOKED):
                rows += [[] for _ in range(min(number - 1, _LOOKED) - len(rows))]
                rows.append(cells)
        from energia_plugins.meter_csv.proposal import sheet_proposal

        return sheet_proposal(rows, said, zone)

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Item]:
        """Yield a reading or a problem for each value below the header that says something.

        Raises:
            Malformed: It is no workbook, or too large a one.
            Invalid: A column or the sheet is not there, or the extra `excel` is missing.

        """
        library = _library()
        with SpooledTemporaryFile(_HELD) as file:
            for chunk in chunks:
                file.write(chunk)
            _refuse_bombs(file)
            yield from each(readings(_rows(library, file, options), options))


def _library() -> Any:
    try:
        import openpyxl
    except ImportError:
        message = "workbooks need `pip install energia[excel]`, or a CSV file of the sheet"
        raise Invalid.of("unavailable", message, "/query/format") from None
    return openpyxl


def _refuse_bombs(file: IO[bytes]) -> None:
    """Refuse what is no archive of XML within the limits; raises `Malformed`."""
    with _refusals(), zipfile.ZipFile(file) as archive:
        parts = archive.infolist()
        if len(parts) > _PARTS:
            raise Malformed(f"the workbook has more than {_PARTS} parts")
        for part in parts:
            most = _SHEET if part.filename.startswith("xl/worksheets/") else _PART
            if part.file_size > most:
                raise Malformed(f"{part.filename[:80]} of the workbook has over {most} bytes")
            if part.filename.endswith((".xml", ".rels")):
                _refuse_entities(archive, part)


def _refuse_entities(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    with archive.open(part) as opened:
        head = opened.read(2000)
    if b"<!DOCTYPE" in head or b"\x00" in head:
        raise Malformed(f"{part.filename[:80]} of the workbook has a DOCTYPE, or is not UTF-8")


@contextmanager
def _refusals() -> Iterator[None]:
    """Let whatever a broken workbook raises be a refusal of it; raises `Malformed`."""
    try:
        yield
    except (Malformed, Invalid):
        raise
    except Exception as error:
        # Of the parts of a workbook each may be broken in its own way, and the library lets most
        # of them out as they come: KeyError, ValueError, ParseError, BadZipFile.
        raise Malformed(f"not a workbook (.xlsx) that can be read: {error}") from None


def _rows(library: Any, file: IO[bytes], options: ExcelOptions) -> "Iterator[Row]":
    """Yield the rows that are not empty as texts, each as wide as the widest before."""
    width, writer = 0, _Writer(options)
    with _refusals():
        book = _book(library, file)
        sheet = _sheet(book, options.sheet)
        sheet.reset_dimensions()  # many programs write wrong ones
        # Rows that are not there are made up, so that a number of a row must not be believed.
        rows = enumerate(sheet.iter_rows(values_only=True, max_row=_ROWS), start=1)
        while (following := next(rows, None)) is not None:
            number, values = following
            if len(values) > _COLUMNS:
                raise Malformed(f"row {number} has more than {_COLUMNS} columns")
            cells = [writer.text(value) for value in values]
            if any(cells):
                width = max(width, len(cells))
                yield number, cells + [""] * (width - len(cells))


def _book(library: Any, file: IO[bytes]) -> Any:
    """Return the workbook of a file, also of one that only Excel overlooks the faults of.

    Programs that export workbooks write styles and properties that openpyxl refuses (an empty
    `<fill/>`, a color without its alpha, a date that is none), and nothing of them is read but
    which formats of numbers are dates.
    """
    try:
        return _loaded(library, file)
    except Exception:
        with zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED) as archive:
            plain = {name: part for name in archive.namelist() if (part := _plain(archive, name))}
            for name, part in plain.items():
                # The part that comes last is the one that is read.
                archive.filelist.remove(archive.NameToInfo.pop(name))
                archive.writestr(name, part)
        return _loaded(library, file)


def _loaded(library: Any, file: IO[bytes]) -> Any:
    return library.load_workbook(file, read_only=True, data_only=True, keep_links=False)


def _plain(archive: zipfile.ZipFile, name: str) -> bytes | None:
    """Return what is needed of a part that is about the looks of a workbook; None for others."""
    if name in _EMPTY:
        return _EMPTY[name]
    if name != _STYLES:
        return None
    from openpyxl.xml.functions import SubElement, fromstring, tostring

    styles, plain = fromstring(archive.read(name)), fromstring(_NO_STYLES)
    for group, item, attributes in _FORMATS:
        formats = SubElement(plain, f"{{{_MAIN}}}{group}")
        for one in styles.iterfind(f"{{{_MAIN}}}{group}/{{{_MAIN}}}{item}"):
            kept = {key: one.get(key, "0") for key in attributes}
            SubElement(formats, f"{{{_MAIN}}}{item}", kept)
    text: bytes = tostring(plain)
    return text


def _sheet(book: Any, wanted: str) -> Any:
    """Return a sheet by its name or its place; raises `Invalid`."""
    names: Sequence[str] = [sheet.title for sheet in book.worksheets]
    place = position(wanted)
    at = place if place is not None else names.index(wanted) if wanted in names else len(names)
    if at >= len(names):
        known = ", ".join(repr(one[:60]) for one in names[:20])
        raise Invalid.of(
            "unknown_sheet", f"there is no sheet {wanted!r}; there are {known}", "/query/sheet"
        )
    return book.worksheets[at]


@attrs.frozen
class _Writer:
    """Writes the values of cells as the options say that texts are written."""

    options: ExcelOptions

    def text(self, value: object) -> str:
        """Return the text of a value."""
        if value is None:
            return ""
        if isinstance(value, float):
            return f"{value:.15g}".replace(".", self.options.decimal)
        if isinstance(value, datetime | date | time | timedelta):
            return self._time(value)
        return str(value)

    def _time(self, value: datetime | date | time | timedelta) -> str:
        if isinstance(value, timedelta):  # 24:00, as a length
            minutes, seconds = divmod(round(value.total_seconds()), 60)
            return f"{minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
        if isinstance(value, time):
            pattern = self.options.time_format
            is_pattern = pattern not in ("iso", "number")
            return value.strftime(pattern) if is_pattern else value.isoformat("seconds")
        if value == _END_OF_DAY and self.options.apart:
            return self._midnight()
        if isinstance(value, datetime):
            value = (value + timedelta(milliseconds=500)).replace(microsecond=0)
        if self.options.date_format != "iso":
            return value.strftime(self.options.date_format)
        if not isinstance(value, datetime) or (self.options.apart and value.time() == time()):
            return value.strftime("%Y-%m-%d")
        return value.isoformat(" ")

    def _midnight(self) -> str:
        """Return 24:00 as a time of day."""
        pattern = self.options.time_format
        if pattern in ("iso", "number"):
            return "24:00:00"
        return time().strftime(pattern.replace("%H", "24"))


# The smallest workbook.

_RELATIONS: Final = f"{_SCHEMAS}/package/2006/relationships"
_OFFICE: Final = f"{_SCHEMAS}/officeDocument/2006/relationships"
_TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def _relation(name: str, target: str) -> str:
    return (
        f'<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Id="r1" Type="{_OFFICE}/{name}" Target="{target}"/></Relationships>'
    )


def _row(*texts: str) -> str:
    return (
        "<row>" + "".join(f'<c t="inlineStr"><is><t>{one}</t></is></c>' for one in texts) + "</row>"
    )


def _example() -> bytes:
    """Return a workbook with one reading."""
    rows = _row("start", "value") + _row("2026-03-02T00:00:00Z", "1.25")
    parts = {
        "[Content_Types].xml": (
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
            f'<Override PartName="/xl/sheet.xml" ContentType="{_TYPES}.worksheet+xml"/></Types>'
        ),
        "_rels/.rels": _relation("officeDocument", "xl/workbook.xml"),
        "xl/workbook.xml": (
            f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            '<sheet name="Data" sheetId="1" r:id="r1"/></sheets></workbook>'
        ),
        "xl/_rels/workbook.xml.rels": _relation("worksheet", "sheet.xml"),
        "xl/sheet.xml": f'<worksheet xmlns="{_MAIN}"><sheetData>{rows}</sheetData></worksheet>',
    }
    file = BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(zipfile.ZipInfo(name), text, zipfile.ZIP_DEFLATED)
    return file.getvalue()

"""The text layer of a PDF, row by row as it is printed."""

import io
from collections.abc import Iterator
from typing import Any, Final

from energia import Invalid

__all__ = ["pdf_text"]

#: Texts whose baselines are less far apart than this stand in one row, in points.
_ROW: Final = 3.0
#: More pages than a bill has.
PAGES: Final = 10


def pdf_text(data: bytes) -> str:
    """Return the rows of a PDF, the texts of a row two spaces apart.

    Raises:
        Invalid: It is no PDF that can be read, it has a password, or it has pictures alone: then a
            person has to type its lines.

    """
    try:
        from pdfminer.high_level import extract_pages
        from pdfminer.pdfexceptions import PDFException
    except ImportError:
        message = "para ler PDF instale `energia[pdf]`"
        raise Invalid.of("no_pdf_reader", message) from None
    try:
        pages = [list(_texts(page)) for page in extract_pages(io.BytesIO(data), maxpages=PAGES)]
    except (PDFException, ValueError, TypeError, KeyError) as error:
        message = f"não é um PDF que se possa ler ({type(error).__name__})"
        raise Invalid.of("not_a_pdf", message) from error
    text = "\n".join(row for page in pages for row in _rows(page))
    if not text.strip():
        message = "o PDF não tem texto, só imagens: digite as linhas da conta"
        raise Invalid.of("no_text", message)
    return text


def _texts(element: Any) -> Iterator[tuple[float, float, str]]:
    """Yield the lines of text in an element of a page: height, left edge, text."""
    from pdfminer.layout import LTTextLine

    if isinstance(element, LTTextLine):
        if text := element.get_text().strip():
            yield element.y0, element.x0, text
    elif hasattr(element, "__iter__"):
        for part in element:
            yield from _texts(part)


def _rows(texts: list[tuple[float, float, str]]) -> Iterator[str]:
    """Yield the rows, from the top."""
    row: list[tuple[float, str]] = []
    height: float | None = None
    for y, x, text in sorted(texts, key=lambda one: (-one[0], one[1])):
        if height is not None and height - y > _ROW:
            yield "  ".join(text for _, text in sorted(row))
            row = []
            height = None
        height = y if height is None else height
        row.append((x, text))
    if row:
        yield "  ".join(text for _, text in sorted(row))

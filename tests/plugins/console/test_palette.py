"""Pictures with a palette are the pictures that they are made of."""

import struct
import zlib

import numpy as np
import pytest

from tests.plugins.console.palette import _chunk, _pixels, with_palette


def picture(rows: list[tuple[int, list[int]]], size: int = 3) -> bytes:
    """Return an RGB or RGBA picture of filtered rows: the filter, and the bytes."""
    width = len(rows[0][1]) // size
    head = struct.pack(">IIBBBBB", width, len(rows), 8, 2 if size == 3 else 6, 0, 0, 0)
    data = b"".join(bytes([kind, *row]) for kind, row in rows)
    parts = ((b"IHDR", head), (b"IDAT", zlib.compress(data)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, part) for kind, part in parts)


def test_every_filter_is_undone() -> None:
    """Whatever the browser's encoder did to a row, its pixels come out."""
    png = picture(
        [
            (0, [10, 20, 30, 40, 50, 60]),
            (1, [10, 20, 30, 30, 30, 30]),
            (2, [0, 0, 0, 1, 1, 1]),
            (3, [5, 5, 5, 20, 20, 20]),
            (4, [0, 0, 0, 0, 0, 250]),
        ]
    )

    assert _pixels(png).reshape(5, 6).tolist() == [
        [10, 20, 30, 40, 50, 60],
        [10, 20, 30, 40, 50, 60],
        [10, 20, 30, 41, 51, 61],
        [10, 15, 20, 45, 53, 60],
        [10, 15, 20, 45, 53, 54],
    ]


@pytest.mark.parametrize("size", [3, 4])
def test_few_colours_stay(size: int) -> None:
    """A picture of at most 256 colours is the same one, and what shines through is left out."""
    row = [channel for shade in range(200) for channel in (shade, 255 - shade, 7, 255)[:size]]
    small = with_palette(picture([(0, row), (0, row)], size))

    assert b"PLTE" in small
    shades = zlib.decompress(small[small.index(b"IDAT") + 4 : small.index(b"IEND") - 8])
    assert list(shades) == 2 * [0, *range(200)]


def test_many_colours_become_the_nearest() -> None:
    """What a palette has no room for is shown by what is closest to it."""
    often = [0, 0, 0] * 900
    rare = [channel for shade in range(300) for channel in (shade % 256, shade // 256, 0)]
    small = with_palette(picture([(0, often + rare)]))
    palette = small[small.index(b"PLTE") + 4 : small.index(b"IDAT") - 8]

    assert len(palette) == 256 * 3
    assert np.frombuffer(palette, np.uint8)[:3].tolist() == [0, 0, 0]

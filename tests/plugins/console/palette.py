"""Pictures of few colours: a PNG as a browser makes it, as one with a palette, which is smaller."""

import struct
import zlib
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
#: How many colours a palette may have.
_COLOURS: Final = 256
Bytes = NDArray[np.uint8]


def with_palette(png: bytes) -> bytes:
    """Return a picture with its most frequent colours; others become the nearest of these."""
    pixels = _pixels(png)
    height, width, _ = pixels.shape
    packed = (pixels.astype(np.uint32) * np.array([65536, 256, 1], np.uint32)).sum(axis=2)
    colours, which, counts = np.unique(packed, return_inverse=True, return_counts=True)
    kept = np.sort(np.argsort(counts)[-_COLOURS:])
    palette = _channels(colours[kept])
    nearest = _nearest(_channels(colours), palette)
    rows = np.zeros((height, width + 1), np.uint8)  # each row says first that it is as it is
    rows[:, 1:] = nearest[which].reshape(height, width)
    head = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = (
        _chunk(b"IHDR", head),
        _chunk(b"PLTE", palette.astype(np.uint8).tobytes()),
        _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
        _chunk(b"IEND", b""),
    )
    return _SIGNATURE + b"".join(parts)


def _channels(packed: NDArray[np.uint32]) -> NDArray[np.int32]:
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=1).astype(np.int32)


def _nearest(colours: NDArray[np.int32], palette: NDArray[np.int32]) -> Bytes:
    """Return which colour of the palette each colour becomes."""
    parts = [
        ((colours[first : first + 1024, None] - palette[None]) ** 2).sum(axis=2).argmin(axis=1)
        for first in range(0, len(colours), 1024)
    ]
    return np.concatenate(parts).astype(np.uint8)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checked = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checked)


def _pixels(png: bytes) -> Bytes:
    """Return red, green and blue of each pixel of an RGB or RGBA picture of eight bits."""
    chunks = dict[bytes, bytes]()
    for kind, data in _chunks(png):
        chunks[kind] = chunks.get(kind, b"") + data
    width, height, depth, colour, *others = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    assert (depth, others) == (8, [0, 0, 0])
    size = {2: 3, 6: 4}[colour]
    raw = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8)
    rows = raw.reshape(height, 1 + width * size)
    pixels = np.zeros((height, width * size), np.uint8)
    above = np.zeros(width * size, np.uint8)
    for index, row in enumerate(rows):
        above = pixels[index] = _unfiltered(int(row[0]), row[1:], above, size)
    return pixels.reshape(height, width, size)[:, :, :3]


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += 12 + length


def _unfiltered(kind: int, row: Bytes, above: Bytes, size: int) -> Bytes:
    """Return a row as it was before it was filtered (section 9 of the specification of PNG)."""
    match kind:
        case 0:
            return row
        case 1:
            return np.cumsum(row.reshape(-1, size), axis=0, dtype=np.uint8).reshape(-1)
        case 2:
            return row + above
    found, over = row.tolist(), above.tolist()
    for index, value in enumerate(found):
        left = found[index - size] if index >= size else 0
        corner = over[index - size] if index >= size else 0
        guess = (left + over[index]) // 2 if kind == 3 else _paeth(left, over[index], corner)
        found[index] = (value + guess) & 255
    return np.array(found, np.uint8)


def _paeth(left: int, above: int, corner: int) -> int:
    start = left + above - corner
    return min((left, above, corner), key=lambda one: abs(start - one))

"""Files that come in a form (`multipart/form-data`, RFC 7578): its fields, and its one file.

The fields come first and stand for parameters of the query; then comes the file, which is read as
it arrives and never held. So what is wrong with the fields is told before the file has come.
"""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from email.message import Message
from typing import Final

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from energia.errors import Fault, Invalid, Malformed, UnsupportedMedia
from energia.web.bodies import Limit, in_time

FORM: Final = "multipart/form-data"
#: How many fields there may be, and how many bytes each may have.
_FIELDS: Final = 100
_FIELD: Final = 16 * 1024
#: How much of a form may be something else than its file.
_AROUND: Final = 2 * _FIELDS * _FIELD
_STEP: Final = 64 * 1024
#: Encodings of a part that leave it as it is.
_PLAIN: Final = ("binary", "8bit", "7bit")


class Form:
    """A form whose fields are read; to `bodies` it is its file, a `Source`.

    Attributes:
        fields: The names and texts of the fields.
        filename: What the file is called where it comes from.
        headers: What the form says of the file.
        content_type: The media type of the file, without parameters.
        charset: How the text of the file is said to be encoded, if it is.
        content_length: How many bytes the file has at least, if the form has a length.

    """

    def __init__(
        self, fields: Sequence[tuple[str, str]], parts: "_Parts", file: BodyPartReader
    ) -> None:
        self.fields = fields
        self.filename = file.filename or ""
        self.headers: Mapping[str, str] = file.headers
        self.content_length = max(0, parts.length - _AROUND)
        stated = Message()
        stated["Content-Type"] = file.headers.get("Content-Type", "application/octet-stream")
        self.content_type = stated.get_content_type()
        self.charset = stated.get_content_charset()
        self._parts = parts
        self._file = file

    @classmethod
    async def opened(cls, request: web.BaseRequest, limit: Limit) -> "Form":
        """Read the fields of a form, up to its file.

        Raises:
            Malformed: It is no form.
            Invalid: It has no file, or fields that are none.
            TooSlow: Its sender paused for too long.
            UnsupportedMedia: It, or its file, is encoded in a way that is not read.

        """
        parts = _Parts.of(request, limit)
        fields: list[tuple[str, str]] = []
        while (part := await parts.next()) is not None:
            if part.filename is not None:
                _refuse_encoded(part)
                return cls(fields, parts, part)
            if len(fields) == _FIELDS:
                raise Invalid.of("too_many_fields", f"a form may have {_FIELDS} fields at most")
            fields.append((part.name or "", await parts.text(part)))
        raise Invalid.of("no_file", "the form has no file: a part with a `filename`, the last one")

    @property
    def content(self) -> "Form":
        """What gives the file: the form itself."""
        return self

    async def iter_any(self) -> AsyncIterator[bytes]:
        """Yield the file as it comes; raises `Invalid` if something comes after it."""
        with _refusal():
            while chunk := await self._file.read_chunk(_STEP):
                yield chunk
        if (part := await self._parts.next()) is not None:
            what = "a second file" if part.filename is not None else f"the field {part.name!r}"
            message = f"{what} comes after the file of the form: one file is one import, and last"
            raise Invalid.of("file_not_last", message)


class _Parts:
    """The parts of a form.

    Attributes:
        length: How many bytes the form has; 0 if that is not known.

    """

    def __init__(self, reader: MultipartReader, limit: Limit, length: int) -> None:
        self.length = length
        self._reader = reader
        self._limit = limit

    @classmethod
    def of(cls, request: web.BaseRequest, limit: Limit) -> "_Parts":
        """Return them; raises `Malformed` or `UnsupportedMedia`."""
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMedia("a form is not compressed as a whole; its file may be")
        with _refusal():
            reader = MultipartReader(request.headers, request.content)
        return cls(reader, limit, request.content_length or 0)

    async def next(self) -> BodyPartReader | None:
        """Return the next part; raises `Malformed` or `TooSlow`."""
        with _refusal():
            async with in_time(self._limit):
                part = await self._reader.next()
        if isinstance(part, MultipartReader):
            raise Malformed("the form has a form in it")
        return part

    async def text(self, part: BodyPartReader) -> str:
        """Return a field; raises `Malformed`, `Invalid` or `TooSlow`."""
        data = bytearray()
        with _refusal():
            async with in_time(self._limit):
                while chunk := await part.read_chunk(_FIELD):
                    data += chunk
                    if len(data) > _FIELD:
                        message = f"the field has over {_FIELD} bytes; a file has a `filename`"
                        raise Invalid(message, [Fault("too_long", message, f"/query/{part.name}")])
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise Malformed(f"the field {str(part.name)[:64]!r} is not UTF-8") from None


@contextmanager
def _refusal() -> Iterator[None]:
    """Refuse what aiohttp cannot read as a form; raises `Malformed`."""
    try:
        yield
    except (ValueError, RuntimeError, HttpProcessingError) as error:
        raise Malformed(f"not a form: {error}") from None


def _refuse_encoded(file: BodyPartReader) -> None:
    encoding = file.headers.get("Content-Transfer-Encoding", "binary")
    if encoding.lower() not in _PLAIN:
        message = f"the file of a form is sent as it is, not in the encoding {encoding[:40]!r}"
        raise UnsupportedMedia(message)

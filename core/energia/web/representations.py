"""Representations: an answer as it is sent, compressed or not, and the entity tag that names it.

The tag is a hash of the body and its media type, and so a strong one (RFC 9110, 8.8.3): whatever is
another answer has another tag, whoever wrote it, and nothing needs to be stored for it. What is
sent compressed is another representation: its tag ends in `-gzip`. A request may name either.

`Preconditions` is what a request asks of the tag: `If-None-Match` spares a client what it has, and
`If-Match` keeps it from writing over what it has not seen. `energia.web.routes` sees to it that
nothing changes between the comparison and the write.
"""

from hashlib import blake2b
from http import HTTPStatus
from typing import Final, Self

import attrs
from aiohttp import ETag, hdrs, web

from energia.errors import PreconditionFailed
from energia.web.bodies import accepts_gzip

_ETAG: Final = hdrs.ETAG
#: The headers that an answer without a body has in common with the whole one.
_KEPT: Final = (_ETAG, hdrs.CACHE_CONTROL, hdrs.VARY, hdrs.LINK)
#: Stands for any tag, in a condition.
_ANY: Final = "*"
#: What the tag of a compressed answer ends in.
_GZIP: Final = "-gzip"
#: Answers from this size are worth compressing.
_FROM: Final = 1024
#: The media types that are worth compressing: pictures and archives are compressed already.
_TEXTS: Final = ("text/", "application/json", "application/javascript", "image/svg+xml")
_SUFFIXES: Final = ("+json", "+xml", "-text")


def tag_of(body: bytes, media_type: str) -> str:
    """Return the entity tag of a representation that is not compressed, without its quotes."""
    return blake2b(body, digest_size=12, person=media_type.encode()[-16:]).hexdigest()


@attrs.frozen
class Preconditions:
    """What a request asks of what there is (RFC 9110, 13.1).

    Attributes:
        if_match: One of these it is to be; None where the request does not ask.
        if_none_match: None of these it is to be; None where the request does not ask.

    """

    if_match: tuple[ETag, ...] | None
    if_none_match: tuple[ETag, ...] | None

    @classmethod
    def of(cls, request: web.BaseRequest) -> Self:
        """Return those of a request; what is no list of entity tags has none that matches."""
        headers = request.headers
        # Most have none, and every read is asked.
        return cls(
            request.if_match if hdrs.IF_MATCH in headers else None,
            request.if_none_match if hdrs.IF_NONE_MATCH in headers else None,
        )

    @property
    def stated(self) -> bool:
        """Whether the request has any."""
        return self.if_match is not None or self.if_none_match is not None

    @property
    def makes_only(self) -> bool:
        """Whether there is to be nothing yet: `If-None-Match: *`."""
        return any(each.value == _ANY for each in self.if_none_match or ())

    def refuse(self, tag: str | None) -> None:
        """Raise `PreconditionFailed` unless what has this *tag* may be written over.

        Args:
            tag: The tag of what there is; None where there is nothing.

        """
        for name, tags in (("If-Match", self.if_match), ("If-None-Match", self.if_none_match)):
            if tags == ():
                example = f'"{tag or "6f0c1a"}"'
                raise PreconditionFailed(
                    f"{name} has no entity tag, which is written with its quotes, such as {example}"
                )
        if self.if_match is not None and not self._is_expected(tag):
            what = "there is nothing here" if tag is None else f'its entity tag is "{tag}"'
            raise PreconditionFailed(f"If-Match names another state of it: {what}")
        if self.is_known(tag):
            raise PreconditionFailed(f'If-None-Match names what there is: "{tag}"')

    def is_known(self, tag: str | None) -> bool:
        """Tell whether `If-None-Match` names this *tag*: compared weakly, as RFC 9110 has it."""
        return tag is not None and any(_names(each, tag) for each in self.if_none_match or ())

    def _is_expected(self, tag: str | None) -> bool:
        """Tell whether `If-Match` names this *tag*: compared strongly."""
        strong = [each for each in self.if_match or () if not each.is_weak]
        return tag is not None and any(_names(each, tag) for each in strong)


def _names(given: ETag, tag: str) -> bool:
    """Tell whether a request names a representation of the body that has this *tag*."""
    return given.value == _ANY or given.value.removesuffix(_GZIP) == tag


def tagged(request: web.BaseRequest, response: web.Response) -> web.Response:
    """Return an answer with its tag; to GET or HEAD 304, without a body, where the client has it.

    Raises:
        PreconditionFailed: `If-Match` names another one.

    """
    assert isinstance(response.body, bytes)
    tag, preconditions = tag_of(response.body, response.content_type), Preconditions.of(request)
    response.headers[_ETAG] = f'"{tag}"'
    # No cache keeps it by itself; a client that does asks whether it is still so.
    response.headers[hdrs.CACHE_CONTROL] = "no-store"
    if request.method not in (hdrs.METH_GET, hdrs.METH_HEAD) or not preconditions.stated:
        return response
    if preconditions.if_match is not None:
        attrs.evolve(preconditions, if_none_match=None).refuse(tag)
    if not preconditions.is_known(tag):
        return response
    compress(request, response)
    kept = {name: response.headers[name] for name in _KEPT if name in response.headers}
    return web.Response(status=HTTPStatus.NOT_MODIFIED, headers=kept)


# The compression of answers, whoever made them: the core or a plugin.


def compress(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """Let *response* be compressed as it is sent, if that is worth it and asked for.

    What is not worth it is compressed only for a client that takes nothing else.
    Files that are sent while they are made see to it themselves: they have begun by now.
    """
    if response.prepared or not isinstance(response, web.Response):
        return
    body = response.body
    if not isinstance(body, (bytes, bytearray)) or hdrs.CONTENT_ENCODING in response.headers:
        return
    if len(body) < _FROM and hdrs.ACCEPT_ENCODING not in request.headers:
        return
    worth_it = len(body) >= _FROM and _is_text(response)
    compressed = bool(body) and accepts_gzip(request, needed=not worth_it)
    if worth_it or compressed:
        vary = response.headers.get("Vary")
        response.headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    if compressed:
        response.enable_compression(web.ContentCoding.gzip)
        tag = response.headers.get(_ETAG, "")
        if tag.startswith('"'):
            response.headers[_ETAG] = f'{tag[:-1]}{_GZIP}"'


def _is_text(response: web.Response) -> bool:
    type_ = response.content_type
    return type_.startswith(_TEXTS) or type_.endswith(_SUFFIXES)

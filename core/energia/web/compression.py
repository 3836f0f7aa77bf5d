"""Compresses answers for the clients that want it, whoever made them: the core or a plugin."""

from typing import Final

from aiohttp import web

from energia.web.media import accepts_gzip

#: Answers from this size are worth it.
_FROM: Final = 1024
#: What is compressed already is none of these.
_TEXTS: Final = ("text/", "application/json", "application/javascript", "image/svg+xml")
_SUFFIXES: Final = ("+json", "+xml", "-text")


def compress(request: web.Request, response: web.StreamResponse) -> None:
    """Let *response* be compressed as it is sent, if that is worth it and asked for.

    What is not worth it is compressed only for a client that takes nothing else.
    Files that are sent while they are made see to it themselves: they have begun by now.
    """
    if response.prepared or not isinstance(response, web.Response):
        return
    body = response.body
    if not isinstance(body, bytes | bytearray) or "Content-Encoding" in response.headers:
        return
    worth_it = len(body) >= _FROM and _is_text(response)
    compressed = bool(body) and accepts_gzip(request, needed=not worth_it)
    if worth_it or compressed:
        vary = response.headers.get("Vary")
        response.headers["Vary"] = f"{vary}, Accept-Encoding" if vary else "Accept-Encoding"
    if compressed:
        response.enable_compression(web.ContentCoding.gzip)


def _is_text(response: web.Response) -> bool:
    type_ = response.content_type
    return type_.startswith(_TEXTS) or type_.endswith(_SUFFIXES)

"""What a client would like of an answer: the header `Prefer` (RFC 7240)."""

import re
from typing import Final, Self

import attrs
from aiohttp import web

_ASYNC: Final = re.compile(r"\s*respond-async\s*(;.*)?", re.IGNORECASE)


@attrs.frozen
class Prefer:
    """A handler's parameter of this type gets what the client would like.

    Attributes:
        respond_async: It wants to be answered at once, with a job.

    """

    respond_async: bool = False

    @classmethod
    def of(cls, request: web.Request) -> Self:
        """Return what a request says; what nobody here knows is passed over, as the RFC has it."""
        stated = ",".join(request.headers.getall("Prefer", [])).split(",")
        return cls(any(_ASYNC.fullmatch(each) for each in stated))

"""How long a request may take: `limits.request_time`, until its answer begins."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from energia.errors import EnergiaError, TimedOut, TooSlow
from energia.web.keys import CORE, DEADLINE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def in_time(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Cancel what takes too long; an answer that has begun is not cut.

    Raises:
        TooSlow: The body had not come in time.
        TimedOut: The answer had not begun in time.

    """
    seconds = request.app[CORE].settings.limits.request_time
    deadline = request[DEADLINE] = asyncio.timeout(seconds)
    try:
        async with deadline:
            try:
                return await handler(request)
            finally:
                del request[DEADLINE]
    except TimeoutError:
        if not deadline.expired():
            raise
        raise _late(request, seconds) from None


def unhurried(request: web.Request) -> None:
    """Let an answer that begins take its time."""
    if (deadline := request.get(DEADLINE)) is not None:
        deadline.reschedule(None)


def _late(request: web.Request, seconds: float) -> EnergiaError:
    if request.content.is_eof():
        return TimedOut(f"no answer within limits.request_time ({seconds:g} s)")
    return TooSlow(f"the body did not come within limits.request_time ({seconds:g} s)")

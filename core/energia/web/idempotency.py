"""Requests with an Idempotency-Key: whoever sends one again is answered as the first time.

See draft-ietf-httpapi-idempotency-key-header. A route says by `Route.once` how its answer is kept:

* `together`: in the transaction that makes what it tells of. The handler's database is that
  transaction (`Tenant.whole`).
* `secret`: as well, but for the body, which shows a secret: the second answer is 409.
* `apart`: after the work, which is no single transaction, or waits for a file. Where the process
  dies in between, the next request does the work again: it has to be one that makes nothing twice.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from http import HTTPStatus
from typing import Final, Literal, cast

from aiohttp import hdrs, web

from energia.db.tenant import Tenant, persistent
from energia.errors import EnergiaError, Malformed
from energia.idempotency.keys import Answer, Key
from energia.web import bodies
from energia.web.bodies import Digest, Upload

Once = Literal["together", "secret", "apart"]

#: The header.
KEY: Final = "Idempotency-Key"
#: What a key is, without the quotes that the draft gives it.
_TEXT: Final = re.compile(r'"([ !#-\[\]-~]{1,255})"|([!#-~]{1,255})')
#: For how many seconds a key stays taken whose process has died.
_LEASE: Final = 30.0

#: Answers a request by the database that it is given.
Work = Callable[[Tenant], Awaitable[web.Response]]


def key_of(request: web.BaseRequest) -> str | None:
    """Return the key of a request, if it has one; raises `Malformed`."""
    if (given := request.headers.get(KEY)) is None:
        return None
    if not (match := _TEXT.fullmatch(given.strip())):
        raise Malformed(f"{KEY}: 1 to 255 visible ASCII characters, best a UUID, in quotes or not")
    return match[1] or match[2]


def digest_of(request: web.BaseRequest) -> Digest:
    """Return what takes in all that a request says, from its method on."""
    return blake2b(f"{request.method} {request.path_qs}\n".encode(), digest_size=32)


async def answered_once(  # noqa: PLR0913 - what a request is, and how it is carried out
    key: Key, *, retention: float, said: Digest, once: Once, work: Work, file: Upload | None
) -> web.Response:
    """Return the answer to a request, by the *work* that it takes or as it was kept.

    Args:
        key: The key of the request.
        retention: For how many seconds a key is kept.
        said: Has taken in what the request says, but for its file.
        once: How the answer is kept.
        work: Carries the request out.
        file: The file that is still to come, if there is one.

    Raises:
        KeyInFlight: An earlier request with the key is under way.
        KeyReused: The key is that of another request.
        AnswerNotKept: The answer had a secret.

    """
    known = said.digest() if file is None else None
    if (kept := await key.take(known, _LEASE, retention)) is not None:
        if file is not None:
            async for _ in file:
                pass  # it is taken in by the digest
        return _response(kept.to(said.digest()))
    async with _held(key):
        if once == "apart":
            response = await work(key.tenant)
            await key.answer(key.tenant, said.digest(), _answer(response, once))
        else:
            response = await persistent(lambda: _together(key, said, once, work))
    return response


@asynccontextmanager
async def _held(key: Key) -> AsyncIterator[None]:
    """Hold a key while it is worked on; give it up if that fails."""
    renewing = asyncio.create_task(_renew(key))
    try:
        yield
    except BaseException:
        with suppress(EnergiaError):
            await key.release()
        raise
    finally:
        renewing.cancel()


async def _renew(key: Key) -> None:
    while True:
        await asyncio.sleep(_LEASE / 3)
        with suppress(EnergiaError):
            await key.renew(_LEASE)


async def _together(key: Key, said: Digest, once: Once, work: Work) -> web.Response:
    async with key.tenant.whole() as whole:
        response = await work(whole)
        await key.answer(whole, said.digest(), _answer(response, once))
    return response


def _answer(response: web.Response, once: Once) -> Answer:
    body = cast("bytes | None", response.body) or b""
    location = response.headers.get(hdrs.LOCATION)
    return Answer(response.status, location, None if once == "secret" else body)


def _response(answer: Answer) -> web.Response:
    headers: dict[str, str] = {}
    if answer.location is not None:
        headers[hdrs.LOCATION] = answer.location
    if answer.status == HTTPStatus.ACCEPTED:
        headers["Preference-Applied"] = "respond-async"
    media_type = bodies.JSON if answer.body else None
    return web.Response(
        body=answer.body, status=answer.status, headers=headers, content_type=media_type
    )

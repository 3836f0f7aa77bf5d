"""Idempotency keys in the database: taken before the work, answered with it, kept for a while.

A key is taken in a transaction of its own, so that a second request sees at once that a first one
is under way. Its answer is written where the work is: in the same transaction, if the work is one.
Then there is the answer if and only if there is what it tells of, whatever the process dies of. A
key without an answer can be taken by the next request once its lease is over, which is renewed for
as long as the first one is worked on.
"""

from hashlib import sha256
from typing import Final

import attrs

from energia.db.queries import load
from energia.db.tenant import Queries, Tenant
from energia.errors import AnswerNotKept, KeyInFlight, KeyReused
from energia.ids import new_id

SQL: Final = load(__package__)


@attrs.frozen
class Answer:
    """What a request was answered.

    Attributes:
        status: The HTTP status.
        location: Where that is found which was made.
        body: The JSON; None of one that has a secret, which is kept nowhere.

    """

    status: int
    location: str | None
    body: bytes | None = attrs.field(repr=False)


@attrs.frozen
class Kept:
    """The answer to an earlier request with a key.

    Attributes:
        request: What stands for that request.
        answer: Its answer.

    """

    request: bytes
    answer: Answer

    def to(self, request: bytes) -> Answer:
        """Return the answer, if this *request* is that one.

        Raises:
            KeyReused: It is another one.
            AnswerNotKept: The answer had a secret.

        """
        _refuse_other(self.request, request)
        if self.answer.body is None:
            where = f" ({self.answer.location})" if self.answer.location else ""
            raise AnswerNotKept(f"it was done, and its secret was shown once{where}")
        return self.answer


@attrs.frozen
class Key:
    """A key, as one request of a caller holds it.

    Attributes:
        tenant: The database, as the caller sees it.
        hash: What stands for the key.
        holder: The request.

    """

    tenant: Tenant
    hash: bytes
    holder: str = attrs.field(factory=new_id)

    @classmethod
    def of(cls, tenant: Tenant, text: str) -> "Key":
        """Return the key that a client has written as *text*."""
        return cls(tenant, sha256(text.encode()).digest())

    async def take(self, request: bytes | None, lease: float, retention: float) -> Kept | None:
        """Take the key; return the answer that there is already, if there is one.

        Args:
            request: What stands for the request; None where that is known once its file has come.
            lease: For how many seconds it can be worked on.
            retention: For how many seconds a key is kept.

        Raises:
            KeyInFlight: Another request with the key is under way.
            KeyReused: The key is that of another request.

        """
        times = {"lease": lease, "retention": retention}
        if await self.tenant.fetch(bool, SQL["key_reserve"], self._row(request=request) | times):
            return None
        for known in await self.tenant.fetch(_Row, SQL["key_get"], self._row()):
            if request is not None and known.request is not None:
                _refuse_other(known.request, request)
            if known.request is not None and known.status is not None:
                return Kept(known.request, Answer(known.status, known.location, known.body))
        raise KeyInFlight("the first request with the Idempotency-Key is not answered yet")

    async def renew(self, lease: float) -> None:
        """Hold the key for *lease* seconds from now, if it is still held."""
        await self.tenant.execute(SQL["key_renew"], self._row(lease=lease))

    async def answer(self, queries: Queries, request: bytes, answer: Answer) -> None:
        """Keep the answer; within the transaction of the work, if it is one.

        Raises `KeyInFlight` where another request has taken the key: the lease was over.
        """
        row = self._row(request=request, **attrs.asdict(answer))
        if not await queries.execute(SQL["key_answer"], row):
            raise KeyInFlight("another request has taken the Idempotency-Key over")

    async def release(self) -> None:
        """Give the key up, unless it has its answer: nothing was made."""
        await self.tenant.execute(SQL["key_release"], self._row())

    def _row(self, **columns: object) -> dict[str, object]:
        own = {"caller": self.tenant.caller, "key": self.hash, "holder": self.holder}
        return own | columns


def _bytes(value: memoryview | None) -> bytes | None:
    return None if value is None else bytes(value)


@attrs.frozen
class _Row:
    """What is known of a key."""

    request: bytes | None = attrs.field(converter=_bytes)
    status: int | None
    location: str | None
    body: bytes | None = attrs.field(converter=_bytes)


def _refuse_other(first: bytes, second: bytes) -> None:
    if first != second:
        message = "the Idempotency-Key is that of another request: a new request needs a new one"
        raise KeyReused.of(KeyReused.code, message, "/header/Idempotency-Key")

"""The public keys of an issuer: fetched, kept, and fetched again when one is not known."""

import asyncio
from http import HTTPStatus
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any, ClassVar, Final

import structlog

from energia import Core, Criticality, EnergiaError, NoAnswer, Outgoing, parse
from energia_plugins.auth_jwt.settings import Settings

if TYPE_CHECKING:
    from joserfc.jwk import Key

#: Keys of these kinds have a public half. `oct` is a shared secret, which nobody may publish.
_PUBLIC: Final = ("RSA", "EC", "OKP")
_BYTES: Final = 1024 * 1024
#: More keys than any issuer has.
_MOST: Final = 100

log = structlog.get_logger(__name__)


class KeysAway(EnergiaError):
    """The keys of the issuer cannot be fetched."""

    status = HTTPStatus.SERVICE_UNAVAILABLE
    code: ClassVar[str] = "keys_away"
    retry_after = 5


class Keys:
    """The keys of an issuer, by their ids, which is also the probe of the issuer.

    Keys stay when the issuer is away: what they signed is valid all the same.
    """

    name = "auth-jwt"
    criticality: Criticality = "degraded"

    def __init__(self, settings: Settings) -> None:
        """Know no key yet."""
        self._settings = settings
        self._by_id: dict[str, Key] = {}
        self._error: str | None = None
        self._fetched_at = -inf
        self._lock = asyncio.Lock()
        #: How often keys were taken away: what they signed is to be verified anew.
        self.withdrawals = 0

    async def check(self, _: Core) -> None:
        """Raise if the last fetch has failed."""
        if self._error is not None:
            raise RuntimeError(self._error)

    async def of(self, kid: str | None, outgoing: Outgoing) -> "Key | None":
        """Return a key; one that is not known is fetched for, but not again and again.

        A token without an id of its key can only be of the only key.

        Raises:
            KeysAway: It is not known, and may be new: the issuer could not be asked.

        """
        if (key := self._find(kid)) is not None:
            return key
        async with self._lock:
            if (key := self._find(kid)) is None:  # who waited may find it here
                await self._fetch(outgoing)
                key = self._find(kid)
        if key is None and self._error is not None:
            raise KeysAway
        return key

    async def refresh(self, outgoing: Outgoing) -> bool:
        """Fetch the keys, unless they were just fetched; return whether that went well."""
        async with self._lock:
            await self._fetch(outgoing)
        return self._error is None

    def _find(self, kid: str | None) -> "Key | None":
        if kid is None:
            return next(iter(self._by_id.values())) if len(self._by_id) == 1 else None
        return self._by_id.get(kid)

    async def _fetch(self, outgoing: Outgoing) -> None:
        """Fetch, unless that was just done; whoever calls it holds the lock."""
        if monotonic() - self._fetched_at < self._settings.refresh_least:
            return
        self._fetched_at = monotonic()
        try:
            found = await self._ask(outgoing)
        except (NoAnswer, EnergiaError, ValueError) as error:
            self._note(str(error))
        else:
            self.withdrawals += any(found.get(kid) != key for kid, key in self._by_id.items())
            self._by_id = found
            self._note(None)

    async def _ask(self, outgoing: Outgoing) -> "dict[str, Key]":
        """Return the keys as they are now; raises for whatever is no set of keys."""
        async with outgoing.session(self._settings.timeout) as session:
            answer = await session.get(str(self._settings.jwks_url), limit=_BYTES)
        if answer.status != HTTPStatus.OK or not answer.is_whole:
            raise ValueError(f"answered {answer.status}, or too much")
        document: Any = parse(answer.body)
        listed = document.get("keys") if isinstance(document, dict) else None
        if not isinstance(listed, list) or len(listed) > _MOST:
            raise ValueError("the answer is no set of keys")
        keys = {key.kid: key for it in listed if (key := _public(it)) and key.kid}
        if not keys:
            raise ValueError("there is no public key in the set")
        return keys

    def _note(self, error: str | None) -> None:
        if error == self._error:
            return
        self._error = error
        if error:
            log.warning("issuer_keys_fail", reason=error)
        else:
            log.info("issuer_keys_work", keys=len(self._by_id))


def _public(document: Any) -> "Key | None":
    """Return a public key for signatures; None for what is another one, or none at all."""
    from joserfc.jwk import JWKRegistry

    if not isinstance(document, dict) or document.get("kty") not in _PUBLIC:
        return None
    if document.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(document)
        key.ensure_kid()
    except Exception:  # of whatever class: keys of kinds that are not known here, broken ones
        return None
    return key

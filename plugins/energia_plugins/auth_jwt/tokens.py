"""Tokens: verified once, and then believed until they expire."""

import asyncio
import warnings
from collections import OrderedDict
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

import attrs

from energia import Caller, Core, Unauthenticated
from energia_plugins.auth_jwt.claims import caller_of
from energia_plugins.auth_jwt.keys import Keys
from energia_plugins.auth_jwt.settings import Settings

if TYPE_CHECKING:
    from joserfc.jwk import Key

#: The dots between the header, the claims and the signature of a token.
_DOTS: Final = 2
#: As long as a header of a request may be.
_LONGEST: Final = 8190


@attrs.frozen
class _Verified:
    """A token that was valid: who sent it, and until when, in seconds since 1970."""

    caller: Caller
    until: float


class Tokens:
    """Recognises the callers of one issuer."""

    name = "auth-jwt"

    def __init__(self, settings: Settings) -> None:
        """Know no key and no token yet."""
        self.keys = Keys(settings)
        self._settings = settings
        self._verified: OrderedDict[bytes, _Verified] = OrderedDict()
        self._withdrawals = 0

    async def keep(self, core: Core) -> None:
        """Fetch the keys again and again, until cancelled."""
        while True:
            fetched = await self.keys.refresh(core.outgoing)
            pause = self._settings.refresh if fetched else self._settings.refresh_least
            await asyncio.sleep(pause)

    async def authenticate(self, bearer: str, core: Core) -> Caller | None:
        """Return who sends a token; None for what has not the form of one.

        Raises:
            Unauthenticated: It is no valid token of the issuer for us, now.
            KeysAway: It may be, but its key cannot be fetched.

        """
        if bearer.count(".") != _DOTS or len(bearer) > _LONGEST or not bearer.isascii():
            return None
        digest, now = sha256(bearer.encode()).digest(), core.clock.now().timestamp()
        if self._withdrawals != self.keys.withdrawals:
            self._withdrawals = self.keys.withdrawals
            self._verified.clear()
        known = self._verified.get(digest)
        if known is not None and now < known.until:
            self._verified.move_to_end(digest)
            return known.caller
        header = _header(bearer)
        if header is None:
            return None
        return await self._new(bearer, header, digest, core)

    async def _new(
        self, bearer: str, header: Mapping[str, Any], digest: bytes, core: Core
    ) -> Caller:
        """Verify a token, and remember it."""
        self._verified.pop(digest, None)
        if header.get("alg") not in self._settings.algorithms:
            raise Unauthenticated("the token is not signed by an algorithm that is taken here")
        kid = header.get("kid")
        if kid is not None and not isinstance(kid, str):
            raise Unauthenticated("the token names its key by what is no text")
        key = await self.keys.of(kid, core.outgoing)
        if key is None:
            raise Unauthenticated("the token is signed by a key that its issuer does not publish")
        now = core.clock.now().timestamp()
        claims = self._checked(bearer, key, int(now))
        caller = caller_of(claims, self._settings)
        self._verified[digest] = _Verified(caller, float(claims["exp"]) + self._settings.leeway)
        if len(self._verified) > self._settings.cached:
            self._verified.popitem(last=False)
        return caller

    def _checked(self, bearer: str, key: "Key", now: int) -> Mapping[str, Any]:
        """Return the claims of a token that is signed by *key*, for us, and valid now."""
        from joserfc import errors, jwt

        settings = self._settings
        registry = jwt.JWTClaimsRegistry(
            now,
            settings.leeway,
            iss={"essential": True, "value": str(settings.issuer)},
            aud={"essential": True, "values": list(settings.audience)},
            exp={"essential": True},
            sub={"essential": True},
        )
        try:
            with warnings.catch_warnings():
                # `EdDSA` has a new name (RFC 9864), which few issuers use yet.
                warnings.simplefilter("ignore", errors.SecurityWarning)
                claims = jwt.decode(bearer, key, algorithms=settings.algorithms).claims
            registry.validate(claims)
        except errors.ExpiredTokenError:
            raise Unauthenticated("the token has expired") from None
        except errors.MissingClaimError as error:
            raise Unauthenticated(f"the token has no {_claim(error)}") from None
        except errors.ClaimError as error:
            raise Unauthenticated(self._wrong(_claim(error))) from None
        except Exception:  # of whatever class: the bytes are anybody's
            raise Unauthenticated("the token is not signed by its issuer") from None
        return claims

    def _wrong(self, claim: str) -> str:
        """Say what is wrong with a claim; an issuer must be stated to the letter."""
        return {
            "iss": f"the token is not of the issuer {self._settings.issuer}",
            "aud": f"the token is not for {' or '.join(self._settings.audience)}",
            "nbf": "the token is not valid yet",
            "iat": "the token is not issued yet",
        }.get(claim, f"the token's {claim} is not what it must be")


def _claim(error: Any) -> str:
    return str(getattr(error, "claim", "claim"))


def _header(bearer: str) -> Mapping[str, Any] | None:
    """Return the header of a token, unverified; None if it is none."""
    from joserfc import jws

    try:
        return jws.extract_compact(bearer.encode()).headers()
    except Exception:  # of whatever class: the bytes are anybody's
        return None

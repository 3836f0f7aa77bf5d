"""Callers with tokens of an OpenID Connect issuer (JWT): `[plugins.auth-jwt]`.

A token says itself who sends it and until when, signed by the issuer; so it is verified once, with
the issuer's public keys, and believed from memory until it expires.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from energia import Authenticator, Core, Probe, hookimpl
from energia_plugins.auth_jwt.settings import Settings
from energia_plugins.auth_jwt.tokens import Tokens


class AuthJwt:
    """The plugin; without an issuer it does nothing."""

    def __init__(self, settings: Settings) -> None:
        self._tokens = Tokens(settings) if settings.issuer else None

    @hookimpl
    def register_authenticators(self) -> list[Authenticator]:
        """Offer what recognises tokens of the issuer."""
        return [self._tokens] if self._tokens else []

    @hookimpl
    def register_probes(self) -> list[Probe]:
        """Offer whether the issuer gives its keys."""
        return [self._tokens.keys] if self._tokens else []

    @hookimpl
    @asynccontextmanager
    async def lifespan(self, core: Core) -> AsyncIterator[None]:
        """Fetch the keys now and then, so that requests need not wait for them."""
        work = {"auth-jwt": partial(self._tokens.keep, core)} if self._tokens else {}
        async with core.background.running(work):
            yield

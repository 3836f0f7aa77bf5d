"""`[plugins.auth-jwt]`."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal

import attrs
from msgspec import Meta

from energia import Fault, Rules, Scope, enforce

#: Signatures by a private key. `none` and the HMACs are not among them: for who knows the public
#: key, which everybody does, they are no signatures.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
Positive = Annotated[float, Meta(gt=0)]


def _an_issuer_has_keys_and_audience(
    issuer: str | None, jwks_url: str | None, audience: tuple[str, ...]
) -> Iterator[Fault]:
    if issuer is None and (jwks_url is not None or audience):
        yield Fault("missing_field", "there is no issuer", "/issuer")
    if issuer is not None and jwks_url is None:
        yield Fault("missing_field", "an issuer needs the URL of its keys", "/jwks_url")
    if issuer is not None and not audience:
        message = "an issuer needs an audience: its tokens for others are not for us"
        yield Fault("missing_field", message, "/audience")


@attrs.frozen(kw_only=True)
class Settings:
    """Whose tokens are taken, and what they allow. Times are in seconds.

    Attributes:
        issuer: The `iss` of its tokens, to the letter; without one, the plugin does nothing.
        jwks_url: Where its public keys are: the `jwks_uri` of its OpenID configuration.
        audience: The `aud` that a token must have one of.
        algorithms: The signatures that are taken.
        leeway: How far the issuer's clock may be from ours.
        scope_claims: Where scopes are: a text with spaces between them, or a list. Scopes by our
            names count, but for `admin`, which must be granted.
        roles_claim: Where roles are: a list; dots lead into objects (`realm_access.roles`).
        grants: What other scopes, and roles, allow: `{"energy-manager": ["billing"]}`.
        organization: Whose data callers see, where no claim says it.
        organization_claim: Where a token names its organization; dots lead into objects.
        organizations: The keys of organizations by the values of that claim.
        refresh: How often the keys are fetched.
        refresh_least: The least time between two fetches for the sake of an unknown key.
        timeout: For one fetch.
        cached: How many tokens are remembered as valid.

    """

    __rules__: ClassVar[Rules] = (_an_issuer_has_keys_and_audience,)

    issuer: Annotated[str, Meta(min_length=1)] | None = None
    jwks_url: (
        Annotated[
            str,
            Meta(
                pattern=r"^https?://",
                extra={"words": "a URL that begins with http:// or https://"},
                max_length=2000,
            ),
        ]
        | None
    ) = attrs.field(default=None, repr=False)
    audience: tuple[str, ...] = ()
    algorithms: Annotated[tuple[Algorithm, ...], Meta(min_length=1)] = ("RS256", "ES256")
    leeway: Annotated[int, Meta(ge=0, le=600)] = 30
    scope_claims: tuple[str, ...] = ("scope", "scp")
    roles_claim: str | None = None
    grants: dict[str, tuple[Scope, ...]] = attrs.field(factory=dict)
    organization: Annotated[int, Meta(ge=1)] = 1
    organization_claim: str | None = None
    organizations: dict[str, Annotated[int, Meta(ge=1)]] = attrs.field(factory=dict)
    refresh: Positive = 3600.0
    refresh_least: Positive = 30.0
    timeout: Positive = 5.0
    cached: Annotated[int, Meta(ge=1)] = 10_000

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)

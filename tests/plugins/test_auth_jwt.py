"""The plugin `auth-jwt`, against a real issuer on loopback."""

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from math import inf
from typing import Any

import attrs
import pytest
from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from pytest_aiohttp import AiohttpServer

from energia import Caller, Core, Unauthenticated
from energia.configuration.values import structure
from energia.errors import ConfigurationError
from energia.plugins import Plugins
from energia.settings import PluginSelection
from energia_plugins.auth_jwt.keys import KeysAway
from energia_plugins.auth_jwt.settings import Settings
from energia_plugins.auth_jwt.tokens import Tokens
from tests.serving import make_core

ISSUER, AUDIENCE = "https://id.example/", "energia"
NOW = 1_772_452_800.0
#: Made once: an RSA key takes long.
RSA, OTHER = (RSAKey.generate_key(2048, {"kid": kid}) for kid in ("one", "two"))
EC = ECKey.generate_key("P-256", {"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"})
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ana", "exp": NOW + 300, "iat": NOW}


@attrs.define
class FakeClock:
    """A clock that a test turns."""

    seconds: float = NOW

    def now(self) -> datetime:
        """Return the time."""
        return datetime.fromtimestamp(self.seconds, UTC)


@attrs.define
class Issuer:
    """Publishes keys, or fails as it is told."""

    url: str = ""
    keys: list[Key] = attrs.Factory(lambda: [RSA])
    status: int = 200
    more: list[dict[str, Any]] = attrs.Factory(list)
    asked: int = 0

    async def answer(self, _: web.Request) -> web.Response:
        """Give the keys."""
        self.asked += 1
        keys = [key.as_dict(private=False) for key in self.keys]
        return web.json_response({"keys": [*self.more, *keys]}, status=self.status)


@pytest.fixture(name="issuer")
async def _issuer(aiohttp_server: AiohttpServer) -> Issuer:
    """Give a running issuer."""
    issuer, app = Issuer(), web.Application()
    app.router.add_get("/jwks", issuer.answer)
    issuer.url = str((await aiohttp_server(app)).make_url("/jwks"))
    return issuer


@pytest.fixture(name="core")
def _core() -> Core:
    """Give a service at a certain time."""
    return attrs.evolve(make_core(), clock=FakeClock())


def tokens_of(issuer: Issuer, **more: Any) -> Tokens:
    """Return what recognises the tokens of an issuer, so configured."""
    table = {"issuer": ISSUER, "jwks_url": issuer.url, "audience": [AUDIENCE], **more}
    return Tokens(structure(table, Settings, "plugins.auth-jwt"))


def token(key: Key = RSA, algorithm: str = "RS256", **claims: Any) -> str:
    """Return a signed token; a claim that is None is left away."""
    stated = {name: it for name, it in {**CLAIMS, **claims}.items() if it is not None}
    header = {"alg": algorithm, "kid": key.kid}
    return jwt.encode(header, stated, key, algorithms=[algorithm])


def unsigned(header: dict[str, Any], claims: dict[str, Any], signature: str = "") -> str:
    """Return a token that nobody signed."""
    parts = [
        base64.urlsafe_b64encode(json.dumps(it).encode()).rstrip(b"=") for it in (header, claims)
    ]
    return f"{b'.'.join(parts).decode()}.{signature}"


async def refused(tokens: Tokens, core: Core, bearer: str) -> str:
    """Return why a token is refused."""
    with pytest.raises(Unauthenticated) as error:
        await tokens.authenticate(bearer, core)
    return error.value.detail


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA, "RS256"), (RSA, "PS384"), (EC, "ES256"), (ED, "EdDSA")],
)
@pytest.mark.filterwarnings("ignore:EdDSA")
async def test_a_valid_token_is_a_caller(
    key: Key, algorithm: str, issuer: Issuer, core: Core
) -> None:
    """Its subject is the id; scopes by our names count, but for `admin`, which is granted."""
    issuer.keys = [OTHER, key]
    tokens = tokens_of(issuer, algorithms=[algorithm])
    scope = "openid readings:read billing admin"

    caller = await tokens.authenticate(token(key, algorithm, scope=scope), core)

    assert caller == Caller("jwt:ana", "ana", 1, frozenset({"readings:read", "billing"}))


@pytest.mark.parametrize(
    ("claims", "settings", "scopes", "organization"),
    [
        ({}, {}, set(), 1),
        ({"scp": ["readings:write", 7, "x"]}, {}, {"readings:write"}, 1),
        ({"scope": 7, "scp": None}, {}, set(), 1),
        ({"scope": "Energy.All"}, {"grants": {"Energy.All": ["admin"]}}, {"admin"}, 1),
        (
            {"realm_access": {"roles": ["manager", "billing"]}},
            {"roles_claim": "realm_access.roles", "grants": {"manager": ["billing", "health"]}},
            {"billing", "health"},
            1,
        ),
        (
            {"https://x.y/roles": ["r"]},
            {"roles_claim": "https://x.y/roles", "grants": {"r": ["health"]}},
            {"health"},
            1,
        ),
        ({"realm_access": []}, {"roles_claim": "realm_access.roles"}, set(), 1),
        ({}, {"organization": 4}, set(), 4),
        ({"org": "acme"}, {"organization_claim": "org", "organizations": {"acme": 7}}, set(), 7),
    ],
)  # fmt: skip
async def test_claims_say_what_a_caller_may(
    claims: dict[str, Any],
    settings: dict[str, Any],
    scopes: set[str],
    organization: int,
    issuer: Issuer,
    core: Core,
) -> None:
    """Scopes are a text or a list; roles allow what is granted to them."""
    caller = await tokens_of(issuer, **settings).authenticate(token(**claims), core)

    assert caller is not None
    assert (set(caller.scopes), caller.organization) == (scopes, organization)


@pytest.mark.parametrize(
    ("claims", "reason"),
    [
        ({"exp": NOW - 31}, "the token has expired"),
        ({"exp": None}, "the token has no exp"),
        ({"exp": "soon"}, "the token's exp is not what it must be"),
        ({"exp": float("inf")}, "the token's exp is not what it must be"),
        ({"exp": float("nan")}, "the token's exp is not what it must be"),
        ({"nbf": NOW + 31}, "the token is not valid yet"),
        ({"iat": NOW + 31}, "the token is not issued yet"),
        ({"iss": "https://id.example"}, f"the token is not of the issuer {ISSUER}"),
        ({"iss": None}, "the token has no iss"),
        ({"aud": "others"}, "the token is not for energia"),
        ({"aud": []}, "the token is not for energia"),
        ({"aud": None}, "the token has no aud"),
        ({"sub": None}, "the token has no sub"),
        ({"sub": "a\nb"}, "the token's sub is not what it must be"),
        ({"sub": "x" * 300}, "the token's sub is not what it must be"),
        ({"org": "acme"}, "the token is of an organization that is not known here"),
    ],
)
async def test_what_is_not_valid_is_told(
    claims: dict[str, Any], reason: str, issuer: Issuer, core: Core
) -> None:
    """Each in plain words: an operator has nothing else to go by."""
    more = {"organization_claim": "org"} if "org" in claims else {}

    assert await refused(tokens_of(issuer, **more), core, token(**claims)) == reason


async def test_clocks_may_differ_by_the_leeway(issuer: Issuer, core: Core) -> None:
    """A token that has just expired, or is valid in a moment, is valid."""
    tokens = tokens_of(issuer)

    for claims in ({"exp": NOW - 29}, {"nbf": NOW + 29}, {"aud": ["others", AUDIENCE]}):
        assert await tokens.authenticate(token(**claims), core) is not None


async def test_forged_tokens_are_refused(issuer: Issuer, core: Core) -> None:
    """Unsigned, signed by another key, changed, or by the public key as if it were a secret."""
    tokens = tokens_of(issuer, algorithms=["RS256", "ES256"])
    valid = token()
    head, body, signature = valid.split(".")
    other = RSAKey.generate_key(2048, {"kid": "one"})
    confused = unsigned({"alg": "HS256", "kid": "one"}, CLAIMS).removesuffix(".")
    mac = hmac.digest(RSA.as_pem(private=False), confused.encode(), "sha256")
    changed = unsigned({"alg": "RS256", "kid": "one"}, {**CLAIMS, "sub": "eve"}).split(".")[1]
    small = ECKey.generate_key("P-256", {"kid": "one"})
    embedded = {"alg": "ES256", "kid": "one", "jwk": small.as_dict(private=False)}
    forged = [
        unsigned({"alg": "none"}, CLAIMS),
        unsigned({"alg": "None", "kid": "one"}, CLAIMS),
        token(other),
        f"{head}.{changed}.{signature}",
        f"{head}.{body}.",
        f"{head}.{body}.{signature[:-8]}AAAAAAAA",
        f"{confused}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}",
        jwt.encode(embedded, CLAIMS, small),
        token(ECKey.generate_key("P-256", {"kid": "one"}), "ES256"),
        token(algorithm="RS512"),
        jws.serialize_compact({"alg": "RS256", "kid": "one"}, b"[]", RSA),
        jws.serialize_compact({"alg": "RS256", "kid": "one"}, b"\xff", RSA),
        unsigned({"alg": "RS256", "kid": 7}, CLAIMS, "AAAA"),
        unsigned({"alg": ["RS256"], "kid": "one"}, CLAIMS, "AAAA"),
    ]

    for bearer in forged:
        assert (await refused(tokens, core, bearer)).startswith("the token ")
    assert await tokens.authenticate(valid, core) is not None


@pytest.mark.parametrize(
    "bearer", ["", "x", "ene_abc.def", "a.b.c", "..", "é.b.c", "a.b.c.d.e", "e30." * 2]
)
async def test_what_is_no_token_is_of_others(bearer: str, issuer: Issuer, core: Core) -> None:
    """Another authenticator may know it; the issuer is not asked."""
    assert await tokens_of(issuer).authenticate(bearer, core) is None
    assert issuer.asked == 0


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
_HEADERS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("alg", "kid", "crit", "b64", "jwk", "typ", "x5c"), _JSON)
)


@settings(max_examples=40)
@given(
    header=_HEADERS | st.just({"alg": "RS256", "kid": "one"}),
    signature=st.text("abcAB01_-=", max_size=40),
    sound=st.booleans(),
)
@example(
    header={"alg": "RS256", "kid": "one", "b64": False, "crit": ["b64"]}, signature="", sound=True
)
def test_any_bytes_are_refused(header: dict[str, Any], signature: str, sound: bool) -> None:
    """Nothing but `Unauthenticated`, or none of ours; never an error of a library."""
    tokens = Tokens(
        structure(
            {"issuer": ISSUER, "jwks_url": "http://127.0.0.1:1/", "audience": [AUDIENCE]}, Settings
        )
    )
    tokens.keys._by_id = {"one": RSA}
    tokens.keys._fetched_at = inf
    bearer = unsigned(
        {"alg": "RS256", "kid": "one", **header} if sound else header, CLAIMS, signature
    )
    core = attrs.evolve(make_core(), clock=FakeClock())

    try:
        caller = asyncio.run(tokens.authenticate(bearer, core))
    except Unauthenticated:
        caller = None

    assert caller is None


async def test_a_new_key_is_fetched_for(issuer: Issuer, core: Core) -> None:
    """After a rotation the first token of the new key fetches it; many at once fetch once."""
    tokens = tokens_of(issuer, refresh_least=0.05)
    await tokens.authenticate(token(), core)
    issuer.keys = [RSA, OTHER]
    await asyncio.sleep(0.06)

    callers = await asyncio.gather(*(tokens.authenticate(token(OTHER), core) for _ in range(5)))

    assert all(callers)
    assert issuer.asked == 2


async def test_unknown_keys_cannot_flood_the_issuer(issuer: Issuer, core: Core) -> None:
    """Whoever makes key ids up causes one request in `refresh_least` seconds."""
    tokens = tokens_of(issuer)
    for number in range(20):
        made_up = unsigned({"alg": "RS256", "kid": f"k{number}"}, CLAIMS, "AAAA")
        assert "does not publish" in await refused(tokens, core, made_up)

    assert issuer.asked == 1


async def test_a_withdrawn_key_ends_its_tokens(issuer: Issuer, core: Core) -> None:
    """Also those that were verified before: a key is withdrawn because it was stolen."""
    tokens = tokens_of(issuer, refresh_least=0.01)
    assert await tokens.authenticate(token(), core)
    issuer.keys = [OTHER]
    await asyncio.sleep(0.02)
    await tokens.keys.refresh(core.outgoing)

    assert "does not publish" in await refused(tokens, core, token())


async def test_known_keys_go_on_while_the_issuer_is_away(issuer: Issuer, core: Core) -> None:
    """New tokens of known keys are verified; one of an unknown key is 503, for it may be valid."""
    tokens = tokens_of(issuer, refresh_least=0.01)
    await tokens.authenticate(token(), core)
    issuer.status = 500
    await asyncio.sleep(0.02)

    with pytest.raises(KeysAway):
        await tokens.authenticate(token(OTHER), core)
    assert await tokens.authenticate(token(sub="bea"), core)
    with pytest.raises(RuntimeError, match="answered 500"):
        await tokens.keys.check(core)


async def test_an_issuer_that_comes_back_is_asked_soon(issuer: Issuer, core: Core) -> None:
    """Not an hour later: `/health` would warn for as long."""
    tokens = tokens_of(issuer, refresh_least=0.01)
    issuer.status = 500
    keeping = asyncio.create_task(tokens.keep(core))
    async with asyncio.timeout(10):
        while issuer.asked < 2:
            await asyncio.sleep(0.01)
        issuer.status = 200
        while not await tokens.keys.refresh(core.outgoing):
            await asyncio.sleep(0.01)
    keeping.cancel()

    await tokens.keys.check(core)


@pytest.mark.parametrize(
    "more",
    [
        {"kty": "oct", "kid": "one", "k": "c2VjcmV0"},
        {"kty": "ML-DSA", "kid": "new"},
        {"kty": "RSA", "kid": "broken", "n": "x"},
        {"kid": "none"},
        {**OTHER.as_dict(private=False), "use": "enc"},
    ],
)
async def test_other_keys_of_an_issuer_are_passed_over(
    more: dict[str, Any], issuer: Issuer, core: Core
) -> None:
    """Shared secrets, kinds of tomorrow, broken ones, those for encryption."""
    issuer.more = [more]

    assert await tokens_of(issuer).authenticate(token(), core) is not None


async def test_a_token_is_verified_once_until_it_expires(issuer: Issuer, core: Core) -> None:
    """So many are remembered and no more."""
    tokens = tokens_of(issuer, cached=2, refresh=0.01)
    bearer = token()
    first = await tokens.authenticate(bearer, core)
    assert await tokens.authenticate(bearer, core) is first

    core = attrs.evolve(core, clock=FakeClock(NOW + 331))
    assert await refused(tokens, core, bearer) == "the token has expired"


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ({"issuer": ISSUER}, "an issuer needs the URL of its keys"),
        ({"issuer": ISSUER, "jwks_url": "https://x/"}, "an issuer needs an audience"),
        ({"audience": ["a"]}, "there is no issuer"),
        ({"algorithms": ["none"]}, "expected one of: RS256"),
        ({"algorithms": ["HS256"]}, "expected one of: RS256"),
        ({"grants": {"x": ["all"]}}, "expected one of: readings:read"),
        ({"jwks_url": "file:///etc/passwd"}, "jwks_url"),
    ],
)
def test_settings_that_do_not_fit_are_refused(table: dict[str, Any], fault: str) -> None:
    """Before a token comes; an algorithm without a private key cannot even be configured."""
    with pytest.raises(ConfigurationError) as refusal:
        structure(table, Settings, "plugins.auth-jwt")

    assert fault in str(refusal.value.faults)


@asynccontextmanager
async def _entered(plugins: Plugins, core: Core) -> AsyncIterator[None]:
    async with plugins.lifespans(core):
        yield


async def test_it_does_nothing_without_settings_and_fetches_with_them(issuer: Issuer) -> None:
    """The bundled user of `register_authenticators`; keys are there before the first request."""

    def installed(**table: Any) -> Plugins:
        own = {"auth-jwt": table} if table else {}
        return Plugins.installed(PluginSelection(enabled=("auth-jwt",), settings=own))

    without = installed()
    assert (without.authenticators(), without.probes()) == ((), ())

    plugins = installed(issuer=ISSUER, jwks_url=issuer.url, audience=[AUDIENCE])
    (authenticator,) = plugins.authenticators()
    core = attrs.evolve(make_core(plugins=plugins), clock=FakeClock())
    async with _entered(plugins, core), asyncio.timeout(10):
        while not issuer.asked:
            await asyncio.sleep(0.01)
        assert await authenticator.authenticate(token(), core)

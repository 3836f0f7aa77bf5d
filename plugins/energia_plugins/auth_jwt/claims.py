"""What a verified token says of its sender: who it is, what it may do, whose data it sees."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from energia import SCOPES, Caller, Scope, Unauthenticated
from energia_plugins.auth_jwt.settings import Settings

#: A subject stands in logs and in the audit log.
_LONGEST: Final = 255
#: What a scope of our name allows by itself. An issuer may mean its own `admin`: ours is granted.
_BY_NAME: Final = SCOPES - {"admin"}


def caller_of(claims: Mapping[str, Any], settings: Settings) -> Caller:
    """Return who sends a token with these claims; raises `Unauthenticated`."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST:
        raise Unauthenticated("the token's sub is not what it must be")
    if not subject.isprintable():
        raise Unauthenticated("the token's sub is not what it must be")
    return Caller(
        id=f"jwt:{subject}",
        name=subject,
        organization=_organization(claims, settings),
        scopes=frozenset(_scopes(claims, settings)),
    )


def _scopes(claims: Mapping[str, Any], settings: Settings) -> Iterator[Scope]:
    for claim in settings.scope_claims:
        for value in _texts(_at(claims, claim)):
            if value in _BY_NAME:
                yield value
            yield from settings.grants.get(value, ())
    if settings.roles_claim is not None:
        for value in _texts(_at(claims, settings.roles_claim)):
            yield from settings.grants.get(value, ())


def _organization(claims: Mapping[str, Any], settings: Settings) -> int:
    """Return whose data a token is about: nobody's by accident."""
    if settings.organization_claim is None:
        return settings.organization
    named = _at(claims, settings.organization_claim)
    found = settings.organizations.get(named) if isinstance(named, str) else None
    if found is None:
        raise Unauthenticated("the token is of an organization that is not known here")
    return found


def _at(claims: Mapping[str, Any], path: str) -> Any:
    """Return the claim of a name, which may have dots; or what a path of dots leads to."""
    if path in claims:
        return claims[path]
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


def _texts(value: Any) -> list[str]:
    """Return the texts of a list, or those of a text with spaces between them."""
    if isinstance(value, str):
        return value.split()
    return [it for it in value if isinstance(it, str)] if isinstance(value, list) else []

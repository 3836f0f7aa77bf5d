"""Who asks: the scopes of a caller, and the protocol of what recognises one."""

from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

import attrs

if TYPE_CHECKING:
    from energia.core import Core

#: What a caller may do; `admin` includes all others.
Scope = Literal[
    "readings:read",
    "readings:write",
    "readings:delete",
    "tariffs:write",
    "billing",
    "admin",
    "metrics",
    "health",
    "preview",
]
SCOPES: Final[frozenset[Scope]] = frozenset(get_args(Scope))


@attrs.frozen
class Caller:
    """Who asks.

    Attributes:
        id: What tells callers apart, in logs, in the audit log and where requests are counted:
            `token:<prefix>`, `jwt:<subject>`; never a secret.
        name: For a person: the name of the token, the subject.
        organization: The key of the organization whose data it sees.
        scopes: What it may do.
        sites: The ids of the only sites that it sees, and their meters; None for all.
        meters: The ids of the only meters that it sees; None for all.

    """

    id: str
    name: str
    organization: int = 1
    scopes: frozenset[Scope] = SCOPES
    sites: frozenset[str] | None = None
    meters: frozenset[str] | None = None

    def may(self, scope: Scope) -> bool:
        """Tell whether it has *scope*, by itself or as `admin`."""
        return scope in self.scopes or "admin" in self.scopes

    @property
    def limited(self) -> bool:
        """Whether it sees some sites or meters only."""
        return self.sites is not None or self.meters is not None


#: Whoever asks where no token is needed: in development.
ANYBODY: Final = Caller("anybody", "anybody")
#: Whoever asks for what is public: nobody looks who that is.
NOBODY: Final = Caller("nobody", "nobody", scopes=frozenset())


class Authenticator(Protocol):
    """Recognises callers by the bearer token that they send.

    Authenticators are asked one after another, until one knows the token.

    Example:
        class Partners:
            name = "partners"

            async def authenticate(self, bearer: str, core: Core) -> Caller | None:
                partner = self._by_key.get(bearer)
                return partner and Caller(f"partner:{partner.id}", partner.name)

    """

    @property
    def name(self) -> str:
        """The name by which logs and errors call it."""
        ...

    async def authenticate(self, bearer: str, core: "Core") -> Caller | None:
        """Return who sends *bearer*, without `Bearer `; None where it is not of this kind.

        Raises:
            Unauthenticated: It is of this kind, and not valid: expired, revoked, forged.

        """
        ...

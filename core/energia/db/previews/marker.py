"""The comment on a preview's database: that it is one, whose, since when, and seen when."""

import json
from datetime import UTC, datetime
from typing import Final, Self

import attrs

_MARK: Final = "energia_preview"
_VERSION: Final = 1


@attrs.frozen
class Marker:
    """What the comment says. Instants are in UTC, of the server's clock.

    Attributes:
        pr: The number of the pull request.
        created_at: When the database was made.
        seen_at: When its preview last said that it runs.
        commit: The commit that the preview shows.
        seed: What the database was filled with.
        closed_at: When we were told that the pull request is closed; None while it is open.
        told_at: When the last thing that we were told happened, by the clock of who told it.

    """

    pr: int
    created_at: datetime
    seen_at: datetime
    commit: str = ""
    seed: str | None = None
    closed_at: datetime | None = None
    told_at: datetime | None = None

    @classmethod
    def read(cls, comment: str | None) -> Self | None:
        """Return what *comment* says; None if it is not ours, or not to be understood."""
        try:
            found = json.loads(comment or "")
            if found[_MARK] != _VERSION or type(found["pr"]) is not int:
                return None
            return cls(
                found["pr"],
                _instant(found["created_at"]),
                _instant(found["seen_at"]),
                str(found.get("commit") or ""),
                found.get("seed"),
                _instant(found["closed_at"]) if found.get("closed_at") else None,
                _instant(found["told_at"]) if found.get("told_at") else None,
            )
        except (ValueError, TypeError, KeyError, AttributeError):
            return None

    def comment(self) -> str:
        """Return it as the comment."""
        return json.dumps({_MARK: _VERSION, **attrs.asdict(self)}, default=datetime.isoformat)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)

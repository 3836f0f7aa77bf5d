"""Secrets of the core that come from files."""

from pathlib import Path

import pytest

from energia.configuration.loading import load
from energia.settings import SecretStr


def test_the_token_of_health_may_be_in_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A platform mounts a secret as a file, with a line end that is no part of it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "token").write_text("geheim\n")

    found = load(environ={"ENERGIA_HEALTH__TOKEN_FILE": "token"})

    assert found.settings.health.token == SecretStr("geheim")
    assert "geheim" not in repr(found)

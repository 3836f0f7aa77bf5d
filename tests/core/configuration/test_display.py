"""What is shown of the configuration: values and origins, and no secret."""

from pathlib import Path

import attrs
import pytest

from energia.configuration.display import masked_url, shown
from energia.configuration.loading import Configuration, load
from energia.settings import SECRET, SecretStr


@attrs.frozen
class Broker:
    """A table within a table."""

    password: SecretStr = SecretStr("")


@attrs.frozen
class WithToken:
    """Settings of a plugin."""

    token: SecretStr = SecretStr("")
    key: str = attrs.field(default="", metadata=SECRET)
    more: list[SecretStr] = attrs.Factory(list)
    broker: Broker = Broker()
    path: str = "/metrics"


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder: no `config` is found by accident."""
    monkeypatch.chdir(tmp_path)


def effective(**environ: str) -> Configuration:
    """Load the configuration with just this environment."""
    return load(environ=environ)


@pytest.mark.parametrize(
    ("option", "environ", "origin"),
    [
        ("production", {"ENERGIA_PROFILE": "development"}, "--profile"),
        (None, {"ENERGIA_PROFILE": "production"}, "ENERGIA_PROFILE"),
        ("production", {"PR_NUMBER": "7"}, "PR_NUMBER"),
        (None, {}, "default"),
    ],
)
def test_the_profile_has_an_origin(
    option: str | None, environ: dict[str, str], origin: str
) -> None:
    """The option wins over the variable, and what names the profile is shown."""
    found = load(profile=option, environ=environ, allow_embedded=True)

    (row,) = (row for row in shown(found, {}) if row.path == "profile")
    assert (row.value, row.origin) == (f'"{found.settings.profile}"', origin)


def test_no_secret_is_shown() -> None:
    """Passwords and tokens are masked in `repr` and in what is shown."""
    found = effective(
        DATABASE_URL="postgresql://u:geh:ei@m@h/d",
        ENERGIA_HEALTH__TOKEN="geheim",
        ENERGIA_PLUGINS__METRICS_PROMETHEUS__TOKEN="geheim",
        ENERGIA_PLUGINS__METRICS_PROMETHEUS__PATH="/m",
        ENERGIA_PLUGINS__OTHER__PATH="geheim",
    )

    rows = {row.path: row for row in shown(found, {"metrics-prometheus": WithToken})}
    assert "geh" not in repr(found.settings) + repr(list(rows.values()))
    assert rows["database.url"].value == '"postgresql://u:***@h/d"'
    assert rows["health.token"].value == "***"
    assert rows["plugins.metrics-prometheus.token"].value == "***"
    assert rows["plugins.metrics-prometheus.path"].value == '"/m"'
    assert rows["plugins.other.path"].value == "***"
    assert rows["server.port"].value == "8080"


@pytest.mark.parametrize(
    ("key", "value"),
    [("token", '"x"'), ("key", '"x"'), ("more", '["x"]'), ("broker", '{password = "x"}')],
)
def test_a_plugin_may_mark_a_secret(tmp_path: Path, key: str, value: str) -> None:
    """By its type, by its metadata, or deeper down: all of such a value is masked."""
    file = tmp_path / "own.toml"
    file.write_text(f'[plugins.other]\n{key} = {value}\npath = "/m"')

    found = load(files=[file], environ={})

    rows = {row.path: row.value for row in shown(found, {"other": WithToken})}

    assert rows[f"plugins.other.{key}"] == "***"
    assert rows["plugins.other.path"] == '"/m"'


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("embedded:/srv/data", "embedded:/srv/data"),
        ("postgresql://h/d?user=u&password=geheim&sslmode=x", "***&sslmode=x"),
        ("host=h password='ge\\'h eim' user=u", "***user=u"),
        ("geheim", "***"),
    ],
)
def test_a_database_url_is_shown_without_its_password(url: str, masked: str) -> None:
    """Whatever form libpq takes."""
    assert "ge" not in masked_url(url).replace("energia", "")
    assert masked_url(url).replace(" ", "").endswith(masked.replace(" ", ""))

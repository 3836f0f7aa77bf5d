"""What is shown of the configuration: values and origins, and no secret."""

from pathlib import Path
from typing import Any

import attrs
import pytest

from energia.configuration.display import Shown, masked_url, shown
from energia.configuration.loading import Configuration, load
from energia.settings import SECRET, SecretStr


@attrs.frozen
class Broker:
    """A table within a table."""

    password: SecretStr = SecretStr("")
    host: str = ""


@attrs.frozen
class WithToken:
    """Settings of a plugin."""

    token: SecretStr = SecretStr("")
    key: str = attrs.field(default="", metadata=SECRET)
    more: list[SecretStr] = attrs.Factory(list)
    broker: Broker = Broker()
    brokers: list[Broker] = attrs.Factory(list)
    by_name: dict[str, Broker] = attrs.Factory(dict)
    headers: dict[str, SecretStr] = attrs.Factory(dict)
    either: SecretStr | int = 0
    anything: Any = None
    url: str = ""
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
        DATABASE_URL="postgresql://u:geh:eim@h/d",
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
    ("key", "value", "shown_at", "masked"),
    [
        ("token", '"x"', "token", "***"),
        ("key", '"x"', "key", "***"),
        ("more", '["x", "y"]', "more", '["***", "***"]'),
        ("broker", '{password = "x"}', "broker.password", "***"),
        ("brokers", '[{password = "x", host = "h"}]', "brokers",
         '[{"password": "***", "host": "h"}]'),
        ("by_name", '{a = {password = "x", host = "h"}}', "by_name.a.host", '"h"'),
        ("by_name", '{a = {password = "x", host = "h"}}', "by_name.a.password", "***"),
        ("headers", '{a = "x"}', "headers.a", "***"),
        ("either", '"x"', "either", "***"),
        ("anything", '"x"', "anything", "***"),
        ("broker", '"x"', "broker", "***"),
        ("unknown", '"x"', "unknown", "***"),
        ("token_file", '"/run/t"', "token_file", '"/run/t"'),
        ("url", '"https://u:x@h/p?k=x&day={start:%d}#f"', "url",
         '"https://u:***@h/p?k=***&day={start:%d}#f"'),
        ("url", '"https://x@h/p?x"', "url", '"https://***@h/p?x"'),
    ],
)  # fmt: skip
def test_a_plugin_may_mark_a_secret(
    tmp_path: Path, key: str, value: str, shown_at: str, masked: str
) -> None:
    """By its type or its metadata, however deep; what is beside it is shown, with its origin."""
    file = tmp_path / "own.toml"
    file.write_text(f'[plugins.other]\n{key} = {value}\npath = "/m"')

    found = load(files=[file], environ={})

    rows = {row.path: row for row in shown(found, {"other": WithToken})}
    assert rows[f"plugins.other.{shown_at}"] == Shown(
        f"plugins.other.{shown_at}", masked, str(file)
    )
    assert rows["plugins.other.path"].value == '"/m"'


def test_a_table_in_a_variable_is_masked_like_one_in_a_file() -> None:
    """Its values come from that variable; what is no table where one should be is hidden."""
    found = effective(
        ENERGIA_PLUGINS__OTHER__BY_NAME='{"a": {"password": "geheim", "host": "h"}}',
        ENERGIA_PLUGINS__OTHER__BROKER="geheim",
        ENERGIA_PLUGINS__OTHER__BROKERS__X="geheim",
    )

    rows = {row.path: row for row in shown(found, {"other": WithToken})}
    variable = "ENERGIA_PLUGINS__OTHER__BY_NAME"
    host = Shown("plugins.other.by_name.a.host", '"h"', variable)
    assert rows["plugins.other.by_name.a.host"] == host
    assert rows["plugins.other.by_name.a.password"].origin == variable
    assert "geheim" not in str(rows)


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

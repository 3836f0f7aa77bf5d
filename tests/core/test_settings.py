"""The layers of the configuration, their faults, and where each value comes from."""

from pathlib import Path

import pytest

from energia.configuration.loading import Configuration, load
from energia.errors import ConfigurationError

SAFE = {"DATABASE_URL": "postgresql://energia@db/energia"}


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in an empty folder: no `config` is found by accident."""
    monkeypatch.chdir(tmp_path)


def effective(*files: Path, **environ: str) -> Configuration:
    """Load the configuration with just this environment."""
    return load(environ=environ, files=files)


def messages(**environ: str) -> list[str]:
    """Return the faults of the configuration with this environment."""
    with pytest.raises(ConfigurationError) as caught:
        effective(**environ)
    return [fault.message for fault in caught.value.faults]


PRODUCTION = {"ENERGIA_PROFILE": "production", "DATABASE_URL": "postgresql://u@h/energia"}


def written(path: str, text: str) -> Path:
    """Write a file and return its path."""
    file = Path(path)
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    return file


def test_the_defaults_are_complete() -> None:
    """Development runs without a file and without a variable, for this machine only."""
    found = effective()

    assert (found.settings.profile, found.settings.server.host) == ("development", "127.0.0.1")
    assert found.settings.database.url == "embedded:"
    assert found.origin("server.host") == "default of profile development"
    assert found.origin("server.port") == "default"


def test_the_profiles_differ() -> None:
    """Production listens to all; a preview stops without the waits."""
    production = effective(ENERGIA_PROFILE="production", **SAFE).settings
    environ = {"ENERGIA_PROFILE": "production", "PR_NUMBER": "7"}
    preview = load(environ=environ, allow_embedded=True).settings

    assert (production.server.host, production.server.drain) == ("0.0.0.0", 17)
    assert (preview.server.drain_ready, preview.server.drain) == (0, 0)
    assert preview.server.shutdown_timeout == 4


def test_who_needs_a_token() -> None:
    """Production and previews ask for tokens; development does not, unless it is told to."""
    pull_request = {"PR_NUMBER": "7", "DATABASE_URL": "postgresql://u@h/app_pr_7"}
    loopback = [effective(HOST=host).settings for host in ("localhost", "::1", "127.0.0.2")]
    told = effective(HOST="0.0.0.0", ENERGIA_AUTH__REQUIRED="true").settings

    assert effective(**PRODUCTION).settings.auth.required
    assert load(environ=pull_request).settings.auth.required
    assert not load(
        environ={**pull_request, "ENERGIA_AUTH__REQUIRED": "false"}
    ).settings.auth.required
    assert [settings.auth.required for settings in (*loopback, told)] == [False] * 3 + [True]


def test_later_layers_win() -> None:
    """Default file, profile file, named files, environment, options: value by value."""
    written("config/default.toml", "[server]\nport = 1\ndrain = 1\n[health]\nperiod = 1\ntimeout=1")
    written("config/development.toml", "[server]\nport = 2\ndrain = 2\n[health]\nperiod = 2")
    named = written("own.toml", "[server]\nport = 3\ndrain = 3")
    options = {"server.port": ("--port", 5)}

    found = load(environ={"ENERGIA_CONFIG": str(named), "PORT": "4"}, options=options)

    server, health = found.settings.server, found.settings.health
    assert (server.port, server.drain, health.period, health.timeout) == (5, 3, 2, 1)
    assert found.origin("server.port") == "--port"
    assert found.origin("server.drain") == "own.toml"
    assert found.origin("health.period") == "config/development.toml"
    assert found.origin("health.timeout") == "config/default.toml"


def test_the_folder_of_the_files_can_be_named() -> None:
    """`ENERGIA_CONFIG_DIR` replaces `./config`, and must exist."""
    written("config/default.toml", "nonsense")
    written("elsewhere/default.toml", "[server]\nport = 7")

    assert effective(ENERGIA_CONFIG_DIR="elsewhere").settings.server.port == 7
    assert messages(ENERGIA_CONFIG_DIR="nowhere") == ["ENERGIA_CONFIG_DIR: nowhere is not a folder"]


def test_variables_become_their_types() -> None:
    """Numbers are read as such, lists are JSON arrays, hyphens of plugins are underscores."""
    found = effective(
        ENERGIA_HEALTH__PERIOD="1.5",
        ENERGIA_PLUGINS__ENABLED='["tariff-*", "demo"]',
        ENERGIA_PLUGINS__TARIFF_TIME_OF_USE__DATA="x",
    )

    assert found.settings.health.period == 1.5
    assert found.settings.plugins.enabled == ("tariff-*", "demo")
    assert found.settings.plugins.settings == {"tariff-time-of-use": {"data": "x"}}
    assert found.origin("health.period") == "ENERGIA_HEALTH__PERIOD"


def test_a_plugin_has_its_table() -> None:
    """`[plugins.<name>]` of files and variables is merged, for the plugin to judge."""
    file = written("own.toml", '[plugins.metrics-prometheus]\ntoken = "a"\npath = "/m"')

    found = effective(file, ENERGIA_PLUGINS__METRICS_PROMETHEUS__TOKEN="b")

    assert found.settings.plugins.settings == {"metrics-prometheus": {"token": "b", "path": "/m"}}


def test_a_secret_may_be_in_a_file() -> None:
    """`<NAME>_FILE` names a file whose content is the value."""
    written("secret", "postgresql://u:p@h/d\n")

    found = effective(DATABASE_URL_FILE="secret")

    assert found.settings.database.url == "postgresql://u:p@h/d"
    assert found.origin("database.url") == "DATABASE_URL_FILE"
    assert messages(DATABASE_URL_FILE="none") == [
        "DATABASE_URL_FILE: database.url: the file cannot be read: No such file or directory"
    ]
    assert messages(ENERGIA_DATABASE__URL_FILE="secret", DATABASE_URL="x") == [
        "DATABASE_URL, ENERGIA_DATABASE__URL_FILE: database.url: is set twice"
    ]


def test_all_faults_are_told_at_once() -> None:
    """Each names its file or variable, the path, and the nearest name."""
    written("bad.toml", "[database]\npool_siez = 1\n[server]\nprot = 1\nport = true")
    written("worse.toml", "[database")

    found = messages(
        ENERGIA_CONFIG="bad.toml:worse.toml:none.toml",
        ENERGIA_DATABASE__SIEZ="3",
        ENERGIA_PLUGINS__ENABLED="tariff-*",
        ENERGIA_HEALTH__PERIOD="0",
    )

    assert sorted(one.replace("'", "") for one in found) == [
        "ENERGIA_DATABASE__SIEZ: there is no such setting"
        " (did you mean ENERGIA_DATABASE__POOL_SIZE?)",
        "ENERGIA_HEALTH__PERIOD: health.period: must be more than 0",
        "ENERGIA_PLUGINS__ENABLED: plugins.enabled: expected an array,"
        ' written as JSON: ["tariff-*"]',
        "bad.toml: database.pool_siez: there is no such field (did you mean pool_size?)",
        "bad.toml: server.port: expected a whole number",
        "bad.toml: server.prot: there is no such field (did you mean port?)",
        "none.toml: cannot be read: No such file or directory",
        "worse.toml: not TOML: Expected ] at the end of a table declaration (at end of document)",
    ]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"ENERGIA_PROFILE": "prod"}, "there is no profile 'prod' (did you mean 'production'?)"),
        ({"PORT": ""}, "PORT: server.port: expected a whole number"),
        ({"ENERGIA_PLUGINS__ENABLED": "a*, b"}, 'expected an array, written as JSON: ["a*", "b"]'),
        ({"DATABASE_URL": ""}, "DATABASE_URL: database.url is empty"),
        (
            {"DATABASE_URL": " ", "ENERGIA_PROFILE": "production"},
            "DATABASE_URL: database.url is empty",
        ),
        ({"DATABASE_URL_FILE": "/dev/null"}, "DATABASE_URL_FILE: database.url is empty"),
        ({"PORT": "1", "ENERGIA_SERVER__PORT": "2"}, "PORT and ENERGIA_SERVER__PORT differ"),
        ({"ENERGIA_server__port": "1"}, "ENERGIA_server__port: there is no such setting"),
        ({"ENERGIA_PLUGINS__SETTINGS": "{}"}, "ENERGIA_PLUGINS__SETTINGS: there is no such"),
        ({"ENERGIA_SERVER__DRAIN": "20"}, "ENERGIA_SERVER__DRAIN: server.drain_ready + "),
        ({"ENERGIA_SERVER__DRAIN": "20"}, "more than server.stop_grace, 30 s"),
        (
            {"ENERGIA_SERVER__TRUSTED_PROXIES": '["10.0.0.1/8"]'},
            "ENERGIA_SERVER__TRUSTED_PROXIES: server.trusted_proxies: 10.0.0.1/8 has host bits",
        ),
        ({"DATABASE_URL": "mysql://u@h/d"}, "DATABASE_URL: database.url is not a PostgreSQL URL"),
        ({"ENERGIA_JOBS__GRACE": "31"}, "jobs.grace is 31 s, more than 3 times jobs.heartbeat"),
        ({"ENERGIA_PREVIEW__TTL": "599"}, "preview.ttl is 599 s, less than twice preview.lease"),
        ({"ENERGIA_PROFILE": "production"}, "database.url: production needs DATABASE_URL"),
        (
            {"DATABASE_URL": "postgresql://u:geheim@h/app_pr_${PR_NUMBER}"},
            "database.url: ${PR_NUMBER} is replaced in a preview only",
        ),
        (
            {"DATABASE_URL": "host=h dbname=pr_$PR_NUMBER"},
            "${PR_NUMBER} is replaced in a preview only",
        ),
        ({"DATABASE_URL": "embedded:/srv/${PR_NUMBER:-0}"}, "in a preview only, and only as is"),
        (
            {"ENERGIA_PROFILE": "production", "DATABASE_URL": "embedded:"},
            "production does not run on the embedded server without --allow-embedded",
        ),
        ({"HOST": "0.0.0.0"}, "set auth.required, or listen on 127.0.0.1"),
        ({"HOST": "::"}, "set auth.required, or listen on 127.0.0.1"),
        ({"HOST": "energia.example.com"}, "set auth.required, or listen on 127.0.0.1"),
        (
            {"ENERGIA_AUTH__REQUIRED": "false", **PRODUCTION},
            "auth.required: production needs tokens",
        ),
        ({"ENERGIA_HEALTH__TOKEN": "changeme", **PRODUCTION}, "health.token: the secret is one"),
        (
            {"ENERGIA_PLUGINS__METRICS_PROMETHEUS__TOKEN": "Laptop", **PRODUCTION},
            "plugins.metrics-prometheus.token: the secret is one that everybody tries",
        ),
    ],
)
def test_what_does_not_fit_is_refused(environ: dict[str, str], message: str) -> None:
    """A misspelt, contradictory or dangerous configuration does not start."""
    (found,) = messages(**environ)

    assert message in found
    assert "geheim" not in found


def test_a_misspelt_list_of_plugins_is_refused() -> None:
    """A value under `[plugins]` is no plugin's table."""
    file = written("own.toml", 'profile = "production"\n[plugins]\nenabeld = ["*"]')

    with pytest.raises(ConfigurationError) as caught:
        effective(file)

    assert [fault.message for fault in caught.value.faults] == [
        "own.toml: the profile is set by ENERGIA_PROFILE or --profile, not in a file",
        "own.toml: plugins.enabeld: there is no such field (did you mean 'enabled'?)",
    ]


def test_fewer_connections_than_jobs_is_a_warning() -> None:
    """Jobs that need a second connection would wait for each other."""
    few = effective(ENERGIA_JOBS__CONCURRENCY="10").warnings
    enough = effective(ENERGIA_JOBS__CONCURRENCY="9").warnings

    assert [warning.partition(":")[0] for warning in few] == [
        "jobs.concurrency is 10 and database.pool_size 10"
    ]
    assert enough == ()


def test_production_may_be_told_to_run_embedded() -> None:
    """`--allow-embedded` is the word of somebody who means it."""
    environ = {"ENERGIA_PROFILE": "production"}

    assert load(environ=environ, allow_embedded=True).settings.database.url == "embedded:"

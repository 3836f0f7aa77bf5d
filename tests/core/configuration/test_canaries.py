"""No secret leaves the process: one is planted in every setting that may hold one.

Settings are found from their classes, the core's and those of all plugins that are installed; a new
one is planted too, without a word here.
"""

import asyncio
import json
import logging
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import attrs
import pytest
import structlog

from energia import log
from energia.configuration.display import shown
from energia.configuration.loading import Configuration, load
from energia.configuration.values import bare, fields, is_secret, structure
from energia.db.migrate import CORE_MIGRATIONS, migrate
from energia.db.pool import Pool
from energia.errors import ConfigurationError, EnergiaError
from energia.plugins import Plugins
from energia.settings import Log, Outgoing, PluginSelection, SecretStr, Settings
from tests.serving import Serving, make_core

CANARY: Final = "kanarienvogel"
URL: Final = f"https://user:{CANARY}@127.0.0.1:1/p?token={CANARY}"
TOKEN: Final = f"{CANARY}-of-health"
#: What settings with a canary need beside it, by their names.
FILLERS: Final = {
    "currency": "EUR",
    "path": "/nowhere.json",
    "issuer": "https://id.example/",
    "audience": ["energia"],
    "repositories": ["acme/energia"],
    "format": "csv",
}
_NOTHING: Final = object()


def planted(type_: Any, name: str = "") -> Any:
    """Return a value of a type with a canary wherever it may hold one, or `_NOTHING`."""
    type_ = bare(type_)
    if type_ is SecretStr:
        return CANARY
    if type_ is str and "url" in name:
        return URL
    if isinstance(type_, type) and attrs.has(type_):
        return _table(type_)
    arguments = get_args(type_)
    if get_origin(type_) is dict:
        item = planted(arguments[1], name)
        return _NOTHING if item is _NOTHING else {"one": item}
    if get_origin(type_) in (list, tuple):
        item = planted(arguments[0], name)
        return _NOTHING if item is _NOTHING else [item]
    return _NOTHING


def _table(type_: type) -> Any:
    table = dict[str, Any]()
    types = fields(type_)
    for field in attrs.fields(type_):
        secret = is_secret(field, types[field.name]) and "url" not in field.name
        table[field.name] = CANARY if secret else planted(types[field.name], field.name)
    found = {name: it for name, it in table.items() if it is not _NOTHING}
    needed = {
        field.name: FILLERS[field.name]
        for field in attrs.fields(type_)
        if field.name in FILLERS and (found or field.default is attrs.NOTHING)
        if field.name != "path" or field.default is attrs.NOTHING
    }
    return {**needed, **found} or _NOTHING


def tables() -> dict[str, dict[str, Any]]:
    """Return the settings of every plugin that may hold a secret."""
    states = [state for state in Plugins.surveyed() if state.settings is not None]
    found = {state.name: planted(state.settings) for state in states}
    return {name: it for name, it in found.items() if it is not _NOTHING and CANARY in str(it)}


def configured(**more: Any) -> Settings:
    """Return settings with canaries in all places."""
    core = planted(Settings)
    core.pop("plugins", None)
    settings = structure(core, Settings)
    health = attrs.evolve(settings.health, token=SecretStr(TOKEN))
    selection = PluginSelection(settings=tables())
    return attrs.evolve(settings, health=health, plugins=selection, **more)


def said(error: BaseException) -> str:
    """Return all that an error says, in whatever way."""
    faults = error.faults if isinstance(error, EnergiaError) else ()
    return "".join([str(error), repr(error), str(faults), *traceback.format_exception(error)])


def test_the_canaries_are_where_secrets_are() -> None:
    """At least where we know of some: a walk that finds nothing would prove nothing."""
    found = tables()
    feed = found["price-feed-http"]["feeds"]["one"]

    assert (feed["token"], feed["headers"], feed["url"]) == (CANARY, {"one": CANARY}, URL)
    assert set(found) >= {"auth-jwt", "bill-webhook", "metrics-prometheus", "preview-github"}
    core = planted(Settings)
    assert core["database"]["url"] == core["preview"]["admin_url"] == URL
    assert core["health"]["token"] == CANARY


@pytest.mark.parametrize("known", [True, False])
def test_config_show_has_none(known: bool) -> None:
    """From files and from variables, whether the classes of the settings are known or not."""
    classes = {state.name: state.settings for state in Plugins.surveyed()} if known else {}
    settings = configured()
    variables = {
        f"ENERGIA_PLUGINS__{name}__{key}".replace("-", "_").upper(): (
            it if isinstance(it, str) else json.dumps(it)
        )
        for name, table in settings.plugins.settings.items()
        for key, it in table.items()
    }
    rows = shown(Configuration(settings, {}), classes)
    rows += shown(load(environ=variables), classes)

    assert [row for row in rows if CANARY in row.value] == []
    assert CANARY not in repr(settings)
    if known:
        paths = {row.path: row.value for row in rows}
        assert paths["plugins.price-feed-http.feeds.one.headers.one"] == "***"
        assert paths["plugins.price-feed-http.feeds.one.currency"] == '"EUR"'


def _wrong() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield settings that do not fit, each with a canary at the wrong place."""
    for name, table in tables().items():
        yield name, {**table, "unknown": CANARY}
        for key, value in table.items():
            for other in (
                [value],
                {"unknown": value},
                [[CANARY]],
                7,
                f"{CANARY}://",
                f'["{CANARY}"',
            ):
                yield name, {**table, key: other}


def test_errors_of_wrong_settings_have_none() -> None:
    """The value of a setting is not quoted, whatever is wrong with it; nor by a traceback."""
    refusals = list[str]()
    for name, table in _wrong():
        try:
            Plugins.installed(PluginSelection(enabled=(name,), settings={name: table}))
        except EnergiaError as error:
            refusals.append(said(error))
    for section, table in planted(Settings).items():
        for key in table if section != "plugins" else ():
            with pytest.raises(ConfigurationError) as refusal:
                structure({section: {key: [CANARY], CANARY[:3]: CANARY}}, Settings)
            refusals.append(said(refusal.value))

    assert len(refusals) > 20
    assert [it for it in refusals if CANARY in it] == []


async def test_a_service_tells_none(
    database: str,
    pool: Pool,
    serving: Serving,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Not its log, however much it logs; not its health, plugins, metrics, documents or errors."""
    settings = configured(outgoing=Outgoing(allow=("127.0.0.1",)))
    plugins = Plugins.installed(settings.plugins)
    await migrate(database, {**CORE_MIGRATIONS, **plugins.migrations()})
    core = make_core(plugins=plugins, settings=settings, pool=pool)
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    log.configure(Log(level="debug"))
    told = dict[str, str]()
    try:
        async with serving(core) as client:
            await asyncio.sleep(0.5)
            bearer = {"Authorization": f"Bearer {TOKEN}"}
            scraper = {"Authorization": f"Bearer {CANARY}"}
            paths = ("/health", "/v1/plugins", "/openapi.json", "/v1/price-series", "/v1/nothing")
            for path, headers in [(path, bearer) for path in paths] + [("/metrics", scraper)]:
                async with client.get(path, headers=headers) as answer:
                    told[path] = await answer.text()
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
    captured = capfd.readouterr()
    told["log"] = captured.out + captured.err

    assert [name for name, text in told.items() if CANARY in text] == []
    assert "price_feed_fails" in told["log"]
    assert "energia_build_info" in told["/metrics"]
    assert '"output"' in told["/health"]

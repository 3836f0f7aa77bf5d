"""Load the effective configuration: all layers, all faults at once, each value with its origin.

typed-settings was tried: it has no provenance, ignores misspelt variables and knows the type of a
plugin's setting too late, so that its loaders would all have been replaced.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatch
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Final, get_args

import attrs

from energia.configuration import database, layers
from energia.configuration.database import PullRequest, completed, derived
from energia.configuration.layers import DEFAULT, Key, Value
from energia.configuration.values import structure
from energia.errors import ConfigurationError, Fault, did_you_mean
from energia.outgoing.addresses import Allowed
from energia.settings import MISSED_HEARTBEATS, Jobs, Profile, Server, Settings

#: What examples have for a secret; production refuses them.
_PLACEHOLDERS: Final = frozenset(
    (
        *("admin", "changeme", "change-me", "change_me", "default", "energia", "example"),
        *("laptop", "password", "secret", "test", "token"),
    )
)
#: Where the service's own paths begin; no base path may be taken for one.
_ROOTS: Final = ("v1", "health", "docs", "metrics", "openapi.json")
PROFILES: Final[tuple[str, ...]] = get_args(Profile)


@attrs.frozen
class Configuration:
    """The effective configuration.

    Attributes:
        settings: What is set.
        origins: Where each value that is not a default comes from, by path: `server.port`.
        warnings: What was set and is ignored.

    """

    settings: Settings
    origins: Mapping[str, str]
    warnings: tuple[str, ...] = ()

    def origin(self, path: str) -> str:
        """Return where the value of *path* comes from.

        A secret may come from a file; a value in a table, from the variable of the whole table.
        """
        steps = path.split(".")
        for length in range(len(steps), 0, -1):
            above = ".".join(steps[:length])
            if origin := self.origins.get(f"{above}_file") or self.origins.get(above):
                return origin
        return DEFAULT

    def located(self, fault: Fault) -> Fault:
        """Return a fault that says which files or variables set what it is about.

        Those are the setting of its pointer, and others that its message names; none is named where
        all of them have their defaults.
        """
        named = dict.fromkeys([fault.pointer or "", *re.findall(r"[\w.-]+", fault.message)])
        origins = dict.fromkeys(self.origin(path) for path in named)
        sources = [origin for origin in origins if not origin.startswith(DEFAULT)]
        where = f"{', '.join(sources)}: " if sources else ""
        return attrs.evolve(fault, message=f"{where}{fault.message}")

    @contextmanager
    def locating(self) -> Iterator[None]:
        """Let an error within say which files or variables set what does not fit."""
        try:
            yield
        except ConfigurationError as error:
            if not error.faults:
                raise
            faults = [self.located(fault) for fault in error.faults]
            raise type(error)(_detail(faults), faults) from error


def load(
    *,
    profile: str | None = None,
    files: Sequence[Path] = (),
    options: Mapping[str, tuple[str, object]] | None = None,
    environ: Mapping[str, str] | None = None,
    allow_embedded: bool = False,
) -> Configuration:
    """Return the effective configuration.

    Args:
        profile: Overrides `ENERGIA_PROFILE`; `development` if there is neither. Where the
            environment names a pull request, the profile is `preview` whatever they say.
        files: TOML files over those of `ENERGIA_CONFIG`.
        options: Values of command-line options by path, each with the option's name.
        environ: The environment; that of the process if None.
        allow_embedded: Let production and previews run on the embedded server.

    Raises:
        ConfigurationError: Something does not fit; the faults name all of it.

    """
    environ = os.environ if environ is None else environ
    faults: list[Fault] = []
    pull_request = derived(environ, faults)
    name, origin = _profile(profile, environ, pull_request)
    if name not in PROFILES:
        raise _refusal([*faults, Fault("unknown_profile", _unknown_profile(name))])
    lowest_first = [layers.defaults(name)]
    lowest_first += [layers.of_file(path, faults) for path in _paths(name, files, environ)]
    lowest_first.append(layers.of_environment(environ, faults))
    lowest_first.append(_of_options(options or {}))
    values = {("profile",): Value(name, origin), **layers.merged(lowest_first)}
    if pull_request:
        values["pull_request",] = Value(pull_request.number, pull_request.origin)
    warnings = layers.without_productions(values) if name == "preview" else ()
    effective = _effective(values, faults, allow_embedded)
    more = (*_switched_off(effective.settings), *_few_connections(effective.settings))
    return attrs.evolve(effective, warnings=(*warnings, *more))


def _profile(
    option: str | None, environ: Mapping[str, str], pull_request: PullRequest | None
) -> tuple[str, str]:
    """Return the profile, and what names it."""
    if pull_request:
        return "preview", pull_request.origin
    if option:
        return option, "--profile"
    if variable := environ.get("ENERGIA_PROFILE"):
        return variable, "ENERGIA_PROFILE"
    return "development", DEFAULT


def _paths(profile: str, files: Sequence[Path], environ: Mapping[str, str]) -> list[Path]:
    """Return the files to read; those of the folder may be absent, the named ones may not."""
    variable = environ.get("ENERGIA_CONFIG_DIR")
    folder = Path(variable or "config")
    optional = [folder / "default.toml", folder / f"{profile}.toml"]
    if variable and not folder.is_dir():
        raise _refusal([Fault("no_folder", f"ENERGIA_CONFIG_DIR: {folder} is not a folder")])
    named = [Path(name) for name in environ.get("ENERGIA_CONFIG", "").split(os.pathsep) if name]
    return [path for path in optional if path.is_file()] + named + list(files)


def _of_options(options: Mapping[str, tuple[str, object]]) -> dict[Key, Value]:
    return {tuple(path.split(".")): Value(value, name) for path, (name, value) in options.items()}


def _switched_off(settings: Settings) -> list[str]:
    """Say which plugins have settings in a preview and do not run there."""
    plugins = settings.plugins
    return [
        f"plugins.{name} has settings, and is switched off in a preview"
        for name in plugins.settings
        if settings.profile == "preview"
        if any(fnmatch(name, pattern) for pattern in plugins.disabled)
    ]


def _few_connections(settings: Settings) -> Iterator[str]:
    """Say that jobs may wait for each other: each needs up to two connections at once."""
    jobs, connections = settings.jobs.concurrency, settings.database.pool_size
    if jobs >= connections:
        yield (
            f"jobs.concurrency is {jobs} and database.pool_size {connections}: jobs that need "
            "a second connection wait for each other; let there be twice as many connections"
        )


def _effective(
    values: Mapping[Key, Value], faults: list[Fault], allow_embedded: bool
) -> Configuration:
    origins = {".".join(key): value.origin for key, value in values.items()}
    try:
        settings = completed(_settings(layers.tables(values)))
    except ConfigurationError as error:
        raise _refusal(faults + [_with_origin(fault, origins) for fault in error.faults]) from None
    effective = Configuration(settings, origins)
    if not faults:
        broken = broken_rules(settings, effective.origin("database.url"), allow_embedded)
        faults = [effective.located(fault) for fault in broken]
    if faults:
        raise _refusal(faults)
    return effective


def _settings(tables: dict[str, Any]) -> Settings:
    """Structure all but the plugins' own tables: their classes are known to the plugins only."""
    plugins = tables.get("plugins")
    own: dict[str, Any] = {}
    if isinstance(plugins, dict):
        own = {name: table for name, table in plugins.items() if isinstance(table, dict)}
        tables["plugins"] = {key: value for key, value in plugins.items() if key not in own}
    settings = structure(tables, Settings)
    return attrs.evolve(settings, plugins=attrs.evolve(settings.plugins, settings=own))


# Rules over several settings.


def broken_rules(settings: Settings, database_origin: str, allow_embedded: bool) -> list[Fault]:
    """Return the rules that *settings* break, each with the path it is about.

    *database_origin* says where the database URL comes from.
    """
    return [
        *_preview(settings),
        *_lease(settings),
        *database.broken_rules(settings, database_origin, allow_embedded),
        *_stopping(settings),
        *_grace(settings.jobs),
        *_proxies(settings.server),
        *_access(settings),
        *_outgoing(settings),
    ]


def _preview(settings: Settings) -> Iterator[Fault]:
    """Require a pull request of a preview."""
    if settings.profile == "preview" and settings.pull_request is None:
        message = "profile preview without a pull request: set PR_NUMBER"
        yield Fault("no_pull_request", message, "profile")


def _lease(settings: Settings) -> Iterator[Fault]:
    """Let a preview miss a sign of life, and still not be taken for dead."""
    preview = settings.preview
    if preview.ttl < 2 * preview.lease:
        message = (
            f"preview.ttl is {preview.ttl:g} s, less than twice preview.lease, {preview.lease:g} s"
        )
        yield Fault("ttl_too_short", message, "preview.ttl")


def _stopping(settings: Settings) -> Iterator[Fault]:
    """All waits of a stop end before the platform kills the process.

    aiohttp may spend the shutdown time-out twice: waiting for requests, and cancelling them.
    """
    server = settings.server
    longest = server.drain_ready + server.drain + 2 * server.shutdown_timeout
    if longest > server.stop_grace:
        message = (
            f"server.drain_ready + server.drain + 2 * server.shutdown_timeout is {longest:g} s, "
            f"more than server.stop_grace, {server.stop_grace:g} s"
        )
        yield Fault("stop_too_slow", message, "server.stop_grace")


def _grace(jobs: Jobs) -> Iterator[Fault]:
    """Let nobody take a worker that stops for dead while it finishes what it has begun."""
    if jobs.grace > MISSED_HEARTBEATS * jobs.heartbeat:
        message = (
            f"jobs.grace is {jobs.grace:g} s, more than {MISSED_HEARTBEATS} times jobs.heartbeat, "
            f"{jobs.heartbeat:g} s: what a worker still finishes would be begun by another"
        )
        yield Fault("grace_too_long", message, "jobs.grace")


def _proxies(server: Server) -> Iterator[Fault]:
    """Require networks of the proxies, and a base path that is none of the service's own."""
    for network in server.trusted_proxies:
        try:
            ip_network(network)
        except ValueError as error:
            path = "server.trusted_proxies"
            yield Fault("unknown_value", f"{path}: {error}", path)
    if server.base_path.split("/")[1:2] in ([name] for name in _ROOTS):
        message = f"server.base_path: the service has {server.base_path} itself"
        yield Fault("unknown_value", message, "server.base_path")


def _access(settings: Settings) -> Iterator[Fault]:
    """Nobody serves an open API by accident."""
    if settings.profile == "production":
        yield from _open_production(settings)
        return
    is_open = settings.profile == "development" and not settings.auth.required
    if is_open and not _is_loopback(settings.server.host):
        message = (
            f"server.host is {settings.server.host}, where others may ask, and no token is "
            "needed: set auth.required, or listen on 127.0.0.1"
        )
        yield Fault("open_to_all", message, "server.host")


def _open_production(settings: Settings) -> Iterator[Fault]:
    if not settings.auth.required:
        yield Fault("open_to_all", "auth.required: production needs tokens", "auth.required")
    secrets = {"health.token": settings.health.token.get_secret_value()} | {
        f"plugins.{plugin}.{name}": str(value)
        for plugin, table in settings.plugins.settings.items()
        for name, value in table.items()
        if name in ("token", "secret", "password")
    }
    for path, secret in secrets.items():
        if secret.lower() in _PLACEHOLDERS:
            message = f"{path}: the secret is one that everybody tries: openssl rand -hex 32"
            yield Fault("default_secret", message, path)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return False


def _outgoing(settings: Settings) -> Iterator[Fault]:
    """Require networks and hosts of what may be asked."""
    for entry in settings.outgoing.allow:
        try:
            Allowed.of([entry])
        except ValueError as error:
            yield Fault("unknown_value", f"outgoing.allow: {error}", "outgoing.allow")


# What is said of what does not fit.


def _with_origin(fault: Fault, origins: Mapping[str, str]) -> Fault:
    """Say which file or variable a fault is in."""
    path = fault.pointer or ""
    below = [key for key in origins if f"{key}.".startswith((f"{path}.", f"{path}_file."))]
    above = [key for key in origins if path.startswith(f"{key}.")]
    sources = dict.fromkeys(origins[key] for key in below + above)
    return attrs.evolve(fault, message=f"{', '.join(sources) or DEFAULT}: {fault.message}")


def _unknown_profile(name: str) -> str:
    return f"there is no profile {name!r}{did_you_mean(name, PROFILES)}: {', '.join(PROFILES)}"


def _refusal(faults: list[Fault]) -> ConfigurationError:
    return ConfigurationError(_detail(faults), faults)


def _detail(faults: list[Fault]) -> str:
    return faults[0].message if len(faults) == 1 else f"the configuration has {len(faults)} faults"

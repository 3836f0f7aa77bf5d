"""The configuration: what can be set, and its defaults. Times are in seconds.

`docs/reference/configuration.md` lists all of it for operators; `energia.configuration` reads it.
"""

from typing import Annotated, Any, Final, Literal

import attrs
from msgspec import Meta

Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=1)]
Profile = Literal["development", "production", "preview"]

#: The metadata of a field that holds a secret in a plain string.
SECRET: Final = {"secret": True}


@attrs.frozen(repr=False)
class SecretStr:
    """A text that is not shown: not by `repr`, not in a log, not by `energia config show`."""

    _value: str

    def get_secret_value(self) -> str:
        """Return the text itself."""
        return self._value

    def __bool__(self) -> bool:
        """Tell whether there is any text."""
        return bool(self._value)

    def __repr__(self) -> str:
        return "SecretStr('***')"


#: A path without a slash at its end, or none at all.
BASE_PATH: Final = "((/[A-Za-z0-9._~-]+)+)?"


_BASE_PATH_WORDS: Final = {"words": "a path such as /energia, without a slash at its end"}


@attrs.frozen
class Server:
    """Where the service listens, and how it stops.

    A stop goes through three waits, which together must end within `stop_grace`: the platform
    kills the process after that.

    Attributes:
        host: The address to listen on.
        port: The port; 0 lets the system choose one.
        drain_ready: For how long it stays ready after SIGTERM: until the platform knows.
        drain: For how long it is not ready and serves on: until the proxy has looked away.
        shutdown_timeout: For how long it finishes the requests that were begun.
        stop_grace: What the platform allows for all of it.
        https_only: For how many seconds browsers shall come by HTTPS only; 0 says nothing.
        trusted_proxies: The networks of proxies that are believed what they say of a request
            (`X-Forwarded-For`, `-Proto`, `-Host`, `-Prefix`), such as `10.0.0.0/8`.
        base_path: The path below which clients see the service, such as `/energia`, where the
            proxy does not say it.

    """

    host: str = "0.0.0.0"  # noqa: S104 - in a container; development has 127.0.0.1
    port: Annotated[int, Meta(ge=0, le=65535)] = 8080
    drain_ready: Seconds = 2.0
    drain: Seconds = 17.0
    shutdown_timeout: Seconds = 5.0
    stop_grace: Seconds = 30.0
    https_only: Annotated[int, Meta(ge=0)] = 0
    trusted_proxies: tuple[str, ...] = ()
    base_path: Annotated[str, Meta(pattern=f"^{BASE_PATH}$", extra=_BASE_PATH_WORDS)] = ""


@attrs.frozen
class Log:
    """What is logged, and how.

    Attributes:
        level: What is less important is left out; `debug` has the requests for health too.
        format: `json`, a line an object; `text`, for people; `auto` is text on a terminal.

    """

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


#: An origin, as browsers send it: no path, no slash at the end; or all.
Origin = Annotated[
    str,
    Meta(
        pattern=r"^(\*|https?://[^/\s*]+)$",
        extra={"words": "an origin such as https://app.example.com, without a path, or *"},
    ),
]
HeaderName = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9-]+$", extra={"words": "the name of a header, of A-Z a-z 0-9 -"})
]


@attrs.frozen
class Cors:
    """What pages of other origins may do in a browser.

    Attributes:
        origins: The origins whose pages may send requests and read answers, such as
            `https://app.example.com`; `*` is all of them. None by default.
        headers: The headers that their requests may have.
        max_age: For how long a browser remembers it, in seconds.

    """

    origins: tuple[Origin, ...] = ()
    headers: tuple[HeaderName, ...] = (
        *("Authorization", "Content-Type", "X-Request-Id"),
        *("If-Match", "If-None-Match", "Idempotency-Key", "Prefer"),
    )
    max_age: Annotated[int, Meta(ge=0)] = 600


@attrs.frozen
class Database:
    """How PostgreSQL is reached.

    Attributes:
        url: A libpq URL; `embedded:` or `embedded:/folder` is a server of our own.
        pool_size: How many connections there are at most.
        acquire_timeout: How long a request waits for a connection.
        connect_timeout: How long a connection may take to be made.
        statement_timeout: How long a statement may take.
        lock_timeout: How long a statement may wait for a lock.
        replica_url: A libpq URL of a streaming replica, which answers what it may; empty: none.
        replica_age: For how long an answer from the replica may leave out what others wrote: what
            this process has written is always in it. 0: nothing may be missing.
        cache_bytes: How many bytes of readings a process keeps at hand, so that of what is read
            again only what has changed is sent by the database. 0: none.

    """

    url: str = attrs.field(default="embedded:", repr=False, metadata=SECRET)
    pool_size: Count = 10
    acquire_timeout: Seconds = 5.0
    connect_timeout: Seconds = 5.0
    statement_timeout: Seconds = 30.0
    lock_timeout: Seconds = 3.0
    replica_url: str = attrs.field(default="", repr=False, metadata=SECRET)
    replica_age: Seconds = 0.0
    cache_bytes: Annotated[int, Meta(ge=0)] = 16 * 1024**2


@attrs.frozen
class Health:
    """How health is probed.

    Attributes:
        period: The time between two checks of a probe.
        timeout: How long one check may take.
        database_grace: For how long a critical component may be away before the service is not
            ready.
        loop_timeout: For how long the event loop may be held up before the service is not alive.
        token: Who sends it sees the details; nobody does where it is empty.

    """

    period: Annotated[float, Meta(gt=0)] = 3.0
    timeout: Annotated[float, Meta(gt=0)] = 2.0
    database_grace: Seconds = 30.0
    loop_timeout: Annotated[float, Meta(gt=0)] = 10.0
    token: SecretStr = attrs.field(default=SecretStr(""), metadata=SECRET)


@attrs.frozen
class Auth:
    """Who may use the service.

    Attributes:
        required: Whether a request needs a token, but for what is public: by default in production
            and previews. Without, the service listens on the loopback only.
        cache: For how long what is known of a token holds, in seconds: within it a revocation is
            seen by all replicas.
        away: For how long a known token goes on being taken while the database is away, in seconds.
        cache_size: How many tokens are remembered, and as many that are none.

    """

    required: bool = False
    cache: Annotated[float, Meta(ge=0, le=60)] = 5.0
    away: Seconds = 300.0
    cache_size: Count = 10_000


#: What looks for gaps of the last 31 days looks at blocks alone: younger days are not archived.
ARCHIVE_AGE: Final = "^P([2-9]|[1-9][0-9]{1,2})M$|^P[1-9][0-9]{0,2}Y$"
ARCHIVE_AGE_WORDS: Final = "months or years, two months at least, such as P18M or P2Y"


@attrs.frozen
class Readings:
    """How readings are stored.

    Attributes:
        live_grace: For how long after a day is over its new readings do not count as a revision.
        retention: For how long readings are kept, in months or years (`P5Y`); for ever without it.
        archive: Beyond which age days go to the archive, in months or years (`P2Y`), two months at
            least; without it they do so by `energia archive` alone.
        imports_retention: For how long imports of sources are kept that have left nothing.

    """

    live_grace: Seconds = 7200.0
    retention: (
        Annotated[
            str,
            Meta(
                pattern="^P[1-9][0-9]{0,2}[MY]$",
                extra={"words": "months or years, such as P18M or P5Y"},
            ),
        ]
        | None
    ) = None
    archive: (
        Annotated[
            str,
            Meta(
                pattern=ARCHIVE_AGE,
                extra={"words": ARCHIVE_AGE_WORDS},
            ),
        ]
        | None
    ) = None
    imports_retention: Annotated[float, Meta(ge=86_400)] = 31_557_600.0


@attrs.frozen
class Feeds:
    """How price feeds are asked.

    Attributes:
        poll: How often to look whether a feed is due, in seconds.
        retry_first: The pause after the first failure; it doubles with each.
        retry_most: The longest pause.
        retry_after_most: The longest pause that a source may ask for.

    """

    poll: Annotated[float, Meta(gt=0)] = 30.0
    retry_first: Annotated[float, Meta(gt=0)] = 5.0
    retry_most: Annotated[float, Meta(gt=0)] = 900.0
    retry_after_most: Annotated[float, Meta(gt=0)] = 86_400.0


@attrs.frozen
class Sources:
    """How sources of readings are run. Times are in seconds.

    Attributes:
        lease: How long a replica that died holds up those that would run its sources.
        retry_first: The pause after the first failure; it doubles with each.
        retry_most: The longest pause.

    """

    lease: Annotated[float, Meta(gt=0)] = 6.0
    retry_first: Annotated[float, Meta(gt=0)] = 1.0
    retry_most: Annotated[float, Meta(gt=0)] = 60.0


#: A worker that has not been heard of for so many heartbeats is dead.
MISSED_HEARTBEATS: Final = 3


@attrs.frozen
class Jobs:
    """What is done beside requests.

    Attributes:
        concurrency: How many tasks the service itself does at once; 0: none, `energia worker` does.
        poll: How often to look for what is due, beside what the database tells of.
        heartbeat: How often a worker says that it lives; after three that are missing, what it was
            doing is begun again by another.
        grace: For how long a worker that stops finishes what it has begun; at most three
            heartbeats, for it gives none meanwhile.
        retention: For how long a job that has ended is kept, and its file.
        contracts: A bill run over more contracts is a job, whether or not that was asked for.
        import_bytes: The same for a file of more bytes.

    """

    concurrency: Annotated[int, Meta(ge=0)] = 2
    poll: Annotated[float, Meta(gt=0)] = 5.0
    heartbeat: Annotated[float, Meta(gt=0)] = 10.0
    grace: Seconds = 15.0
    retention: Annotated[float, Meta(gt=0)] = 2_592_000.0
    contracts: Count = 5000
    import_bytes: Count = 1024**3


@attrs.frozen
class Webhooks:
    """What is told to receivers, and how stubbornly. Times are in seconds.

    Attributes:
        timeout: How long a receiver may take to answer.
        pauses: The pause after each try that fails; after the last one the event is given up.
        retention: For how long events are kept, with what became of them.
        period: How often to look for gaps, prices that are late, contracts that end, and bills that
            would be other ones.
        gap_after: For how long a channel has had no reading until that is a gap.
        contract_days: How many days before a contract ends that is told.

    """

    timeout: Annotated[float, Meta(gt=0)] = 15.0
    pauses: Annotated[tuple[Annotated[float, Meta(gt=0)], ...], Meta(max_length=50)] = (
        *(5.0, 300.0, 1800.0, 7200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0),
    )
    retention: Annotated[float, Meta(gt=0)] = 2_592_000.0
    period: Annotated[float, Meta(gt=0)] = 900.0
    gap_after: Annotated[float, Meta(ge=3600, le=2_592_000)] = 172_800.0
    contract_days: Annotated[int, Meta(ge=1, le=366)] = 30


@attrs.frozen
class Outgoing:
    """Whom this service asks, and how: webhooks, price feeds, keys of token issuers.

    Attributes:
        allow: What may be reached besides public addresses: networks and hosts, such as
            `10.0.0.0/8`, `::1`, `erp.example` or `*.internal.example`.
        timeout: How long a request may take that states no time of its own.
        answer_bytes: How many bytes of an answer are read, unless its reader says otherwise.

    """

    allow: tuple[str, ...] = ()
    timeout: Annotated[float, Meta(gt=0)] = 10.0
    answer_bytes: Count = 4 * 1024**2


@attrs.frozen
class Limits:
    """What a request may ask for; what is over a limit is refused by its name.

    Attributes:
        body_bytes: The bytes of a JSON body, after inflation.
        import_bytes: The bytes of a file, after inflation.
        inflation: How many bytes one compressed byte may inflate to, in all of a body.
        header_time: How long the headers of a request may take, in seconds; also the first ones,
            from the connection on.
        stall: For how long a body that is being sent may pause, in seconds.
        send_stall: For how long a client may take nothing of an answer that waits, in seconds.
        request_time: How long a request may take until its answer begins, in seconds.
        marks: How many quotes, commas, colons and brackets a JSON body may have, as what a value
            costs has little to do with its bytes; of readings, only brackets count.
        depth: How deep arrays and objects may be nested in a JSON body.
        rows: How many readings one body or file may have.
        problems: How many faults are listed; all are counted.
        slots: How many slots a query or a price may be about.
        memory_bytes: How many bytes the JSON bodies and the readings of all requests together may
            take in memory; a slot counts as 40.
        concurrency: How many requests may be answered at once.
        caller_concurrency: How many of one caller.
        cache_bytes: The bytes of calendars and the like that prices share in memory.
        pricing: How much work a price may be, in units of `energia.costing.budget`: about 0.1 ms
            of a processor each.
        lines: How many lines one bill, or one bill period of a cost, may have.
        estimate_share: Which share of the slots of a channel may be estimated in one bill period.
        workers: How many threads compute prices, answers and the like beside the event loop.
        queue: How many requests may wait for one of them.

    """

    body_bytes: Count = 64 * 1024**2
    import_bytes: Count = 2 * 1024**3
    inflation: Count = 200
    header_time: Annotated[float, Meta(gt=0)] = 30.0
    stall: Annotated[float, Meta(gt=0)] = 30.0
    send_stall: Annotated[float, Meta(gt=0)] = 20.0
    request_time: Annotated[float, Meta(gt=0)] = 900.0
    marks: Count = 1_000_000
    depth: Count = 100
    rows: Count = 20_000_000
    problems: Count = 1000
    slots: Count = 3_000_000
    memory_bytes: Count = 320 * 1024**2
    cache_bytes: Count = 64 * 1024**2
    concurrency: Count = 2000
    caller_concurrency: Count = 1000
    pricing: Count = 60_000
    lines: Count = 5000
    estimate_share: Annotated[float, Meta(ge=0, le=1)] = 0.5
    workers: Count = 3
    queue: Count = 64


@attrs.frozen
class Rate:
    """How fast one caller may ask; each replica counts for itself.

    Attributes:
        requests: How many requests by the second; 0 does not count them.
        cost: How many units by the second, of what requests turn out to cost: a unit is about a
            slot that is read or priced, or 100 bytes of a body; 0 does not count them.
        burst: What comes in within so many seconds may be spent at once.

    """

    requests: Annotated[float, Meta(ge=0)] = 0.0
    cost: Annotated[float, Meta(ge=0)] = 0.0
    burst: Annotated[float, Meta(gt=0)] = 10.0


@attrs.frozen
class Audit:
    """What is kept of who changed what.

    Attributes:
        retention: For how long an entry is kept.

    """

    # At least a day: the database refuses to delete what is newer.
    retention: Annotated[float, Meta(ge=86_400, le=3_155_760_000)] = 157_788_000.0


@attrs.frozen
class Idempotency:
    """What is kept of requests that have an Idempotency-Key.

    Attributes:
        retention: For how long a key, with the answer to its request, is kept.

    """

    retention: Annotated[float, Meta(ge=3600, le=31_536_000)] = 86_400.0


@attrs.frozen
class Preview:
    """The database of each pull request: how a preview makes its own, how production ends them.

    Attributes:
        admin_url: Production: the role that owns the previews' databases, as a libpq URL. A
            preview ignores it.
        maintenance_database: The database to be in while others are made and dropped.
        template: The database to copy; by default the server's own.
        seed: What a new database is filled with: `none`, or what a plugin offers, such as `demo`.
        connections: How many connections a preview's database takes.
        lease: How often a running preview says that it is there.
        ttl: For how long a preview may be silent before its database is dropped.
        closed_grace: For how long sessions keep the database of a closed pull request.
        reap_period: How often production looks for databases to drop.
        reap_limit: How many it drops at a time.
        reap_dry_run: Only say what would be dropped.

    """

    admin_url: str = attrs.field(default="", repr=False, metadata=SECRET)
    maintenance_database: str = "postgres"
    template: str | None = None
    seed: str = "none"
    connections: Count = 20
    lease: Annotated[float, Meta(gt=0)] = 300.0
    ttl: Annotated[float, Meta(gt=0)] = 259_200.0
    closed_grace: Seconds = 900.0
    reap_period: Annotated[float, Meta(gt=0)] = 600.0
    reap_limit: Count = 20
    reap_dry_run: bool = False


@attrs.frozen
class PluginSelection:
    """Which plugins run, and their own settings.

    Attributes:
        enabled: Shell patterns over the names of those that run.
        disabled: Shell patterns over the names of those that do not, whatever `enabled` says.
        settings: The table of each plugin; the plugin knows its class.

    """

    enabled: tuple[str, ...] = ("*",)
    disabled: tuple[str, ...] = ()
    settings: dict[str, dict[str, Any]] = attrs.field(factory=dict, repr=False)


@attrs.frozen
class Settings:
    """The whole configuration.

    Attributes:
        profile: What the service is for.
        pull_request: The number of the pull request that a preview shows; nobody sets it, it is
            derived from what the platform says.

    """

    profile: Profile = "development"
    pull_request: int | None = None
    server: Server = Server()
    log: Log = Log()
    cors: Cors = Cors()
    database: Database = Database()
    auth: Auth = Auth()
    health: Health = Health()
    readings: Readings = Readings()
    feeds: Feeds = Feeds()
    sources: Sources = Sources()
    jobs: Jobs = Jobs()
    webhooks: Webhooks = Webhooks()
    outgoing: Outgoing = Outgoing()
    limits: Limits = Limits()
    rate: Rate = Rate()
    audit: Audit = Audit()
    idempotency: Idempotency = Idempotency()
    preview: Preview = Preview()
    plugins: PluginSelection = PluginSelection()

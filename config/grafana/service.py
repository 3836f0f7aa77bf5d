"""The dashboard of the service."""

from typing import Final

from model import Dashboard, Panel
from queries import JOB, REQUESTS, gauge, quantile, rate

ERRORS: Final = rate(f"{REQUESTS}_count", "", 'status=~"5.."')
ALL: Final = rate(f"{REQUESTS}_count")

SERVICE: Final = Dashboard(
    "energia-service",
    "Energia: service",
    "Requests, database and process, over all containers of a job.",
    "app_ready",
    {
        "State": [
            Panel(
                "Ready", "Containers that serve; two for a moment while one replaces another.",
                "none", {"ready": gauge("app_ready", "sum")}, "stat",
            ),
            Panel(
                "Running", "What runs: version and commit.", "none",
                {"{{version}} {{commit}} {{env}}": gauge(
                    "energia_build_info", "sum", "version, commit, env")}, "stat",
            ),
            Panel(
                "Up for", "Since the youngest process started.", "s",
                {"up for": f"time() - {gauge('process_start_time_seconds')}"}, "stat",
            ),
            Panel(
                "Health checks", "1 passes, 0.5 warns, 0 fails.", "none",
                {"{{check}}": gauge("health_check_status", "min", "check")}, most=1,
            ),
            Panel(
                "Draining", "Containers that have been asked to stop and serve on.", "none",
                {"draining": gauge("app_draining", "sum")},
            ),
            Panel(
                "Migrations", "Migrations of the release that the database lacks.", "none",
                {"pending": gauge("db_migrations_pending")}, "stat",
            ),
        ],
        "Requests": [
            Panel(
                "Requests", "Answers per second by route.", "reqps",
                {"{{route}}": rate(f"{REQUESTS}_count", "route")},
            ),
            Panel(
                "Statuses", "Answers per second by status; 499 is a client that went away.",
                "reqps", {"{{status}}": rate(f"{REQUESTS}_count", "status")},
            ),
            Panel(
                "Errors", "The share of answers that are server errors.", "percentunit",
                {"errors": f"({ERRORS} or {ALL} * 0) / {ALL}"},
            ),
            Panel(
                "Duration", "Of all requests.", "s",
                {f"p{share * 100:.0f}": quantile(share, REQUESTS) for share in (0.5, 0.95, 0.99)},
            ),
            Panel(
                "Slow routes", "The 95th percentile of each route.", "s",
                {"{{route}}": quantile(0.95, REQUESTS, "route")},
            ),
            Panel(
                "In flight", "Requests that are being answered.", "none",
                {"in flight": gauge("http_requests_in_flight", "sum")},
            ),
            Panel(
                "Exceptions", "Errors that requests ended with, by class, those of clients too.",
                "reqps", {"{{exception}}": rate("http_exceptions_total", "exception")},
            ),
        ],
        "Database": [
            Panel(
                "Database", "Whether it answers.", "bool_yes_no",
                {"up": gauge("db_up", "max")}, "stat",
            ),
            Panel(
                "Connections", "Of all containers' pools.", "none",
                {"{{state}}": gauge("db_pool_size", "sum", "state"),
                 "most": gauge("db_pool_max", "sum")},
            ),
            Panel(
                "Waits", "For a connection: how long, and how many wait now.", "s",
                {"p95": quantile(0.95, "db_pool_wait_seconds")},
            ),
            Panel(
                "Waiting", "Requests that wait for a connection.", "none",
                {"waiting": gauge("db_pool_pending", "sum")},
            ),
            Panel(
                "Failures", "Waits without success, and connections that could not be opened.",
                "ops", {"time-outs": rate("db_pool_timeouts_total"),
                        "failures": rate("db_pool_failures_total")},
            ),
            Panel(
                "Statements", "Per second, by their first word.", "ops",
                {"{{operation}}": rate("db_query_duration_seconds_count", "operation")},
            ),
            Panel(
                "Statements' duration", "The 95th percentile.", "s",
                {"{{operation}}": quantile(0.95, "db_query_duration_seconds", "operation")},
            ),
        ],
        "Process": [
            Panel(
                "Event loop", "How much later than asked a task is woken.", "s",
                {"p50": quantile(0.5, "event_loop_lag_seconds"),
                 "p99": quantile(0.99, "event_loop_lag_seconds")},
            ),
            Panel(
                "Processor", "Cores in use.", "none",
                {"cores": rate("process_cpu_seconds_total")},
            ),
            Panel(
                "Memory", "Of the largest process.", "bytes",
                {"resident": gauge("process_resident_memory_bytes")},
            ),
            Panel(
                "Tasks", "Tasks of the event loop.", "none",
                {"tasks": gauge("asyncio_tasks")},
            ),
            Panel(
                "Files", "The share of file descriptors that are open.", "percentunit",
                {"open": f"max (process_open_fds{{{JOB}}} / process_max_fds{{{JOB}}})"},
            ),
            Panel(
                "Garbage", "Collections per second by generation.", "ops",
                {"{{generation}}": rate("python_gc_collections_total", "generation")},
            ),
        ],
    },
)  # fmt: skip

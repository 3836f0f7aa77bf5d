"""The dashboard of the environments of pull requests."""

from typing import Final

from model import Dashboard, Panel
from queries import JOB, gauge

NOT_OPEN: Final = 'state!="open"'
OF_PREVIEW: Final = f'energia_build_info{{{JOB}, env="preview"}}'


def of_preview(metric: str) -> str:
    """Return a gauge of each preview, by its pull request."""
    return f"max by (pr) ({metric}{{{JOB}}} * on (instance) group_left (pr) {OF_PREVIEW})"


PREVIEWS: Final = Dashboard(
    "energia-previews",
    "Energia: previews",
    "The environments of pull requests, and their databases.",
    "energia_build_info",
    {
        "Databases": [
            Panel(
                "Databases", "Of pull requests, by state.", "none",
                {"{{state}}": gauge("energia_previews", "max", "state")},
            ),
            Panel(
                "Orphans", "Databases of closed or silent pull requests, or not ours.", "none",
                {"orphans": f"sum ({gauge('energia_previews', 'max', 'state', NOT_OPEN)})"}, "stat",
            ),
        ],
        "Environments": [
            Panel(
                "Running", "Previews that are scraped.", "none",
                {"previews": f"count ({OF_PREVIEW})"}, "stat",
            ),
            Panel(
                "Ready", "Which of them are ready.", "bool_yes_no",
                {"#{{pr}}": of_preview("app_ready")},
            ),
            Panel(
                "Memory", "Of each.", "bytes",
                {"#{{pr}}": of_preview("process_resident_memory_bytes")},
            ),
            Panel(
                "Connections", "Database connections in use by each.", "none",
                {"#{{pr}}": f'max by (pr) (db_pool_size{{{JOB}, state="used"}}'
                            f" * on (instance) group_left (pr) {OF_PREVIEW})"},
            ),
        ],
    },
)  # fmt: skip

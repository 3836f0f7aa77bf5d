"""Expressions of PromQL, each summed over all containers of the chosen jobs."""

from typing import Final

JOB: Final = 'job=~"$job"'
#: The histogram of requests.
REQUESTS: Final = "http_request_duration_seconds"


def rate(metric: str, by: str = "", *labels: str) -> str:
    """Return the summed rate of a counter."""
    grouped = f"sum by ({by})" if by else "sum"
    return f"{grouped} (rate({metric}{{{', '.join((JOB, *labels))}}}[$__rate_interval]))"


def quantile(share: float, metric: str, by: str = "") -> str:
    """Return a quantile of a histogram."""
    summed = rate(f"{metric}_bucket", ", ".join(filter(None, (by, "le"))))
    return f"histogram_quantile({share}, {summed})"


def gauge(metric: str, how: str = "max", by: str = "", *labels: str) -> str:
    """Return a gauge over all containers."""
    grouped = f"{how} by ({by})" if by else how
    return f"{grouped} ({metric}{{{', '.join((JOB, *labels))}}})"

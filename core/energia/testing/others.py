"""Checks of what else a plugin offers: sources, probes and routes."""

import inspect
from collections.abc import Iterator

from energia.core import Probe
from energia.metering.sources import Source
from energia.testing.outcome import Failed, Outcome, outcome_of
from energia.web.routes import Route


def of_probe(probe: Probe) -> Iterator[Outcome]:
    """Yield the outcome of each check of a probe."""
    yield outcome_of(f"probe {probe.name}", _documented, probe)


def of_source(source: Source) -> Iterator[Outcome]:
    """Yield the outcome of each check of a source."""
    yield outcome_of(f"source {source.name}", _documented, source)


def of_route(route: Route) -> Iterator[Outcome]:
    """Yield the outcome of each check of a route."""
    yield outcome_of(f"route {route.method} {route.path}", _route_documented, route)


def _documented(subject: object) -> None:
    """The class says what it is."""
    if not inspect.getdoc(type(subject)):
        raise Failed(f"{type(subject).__name__} has no docstring")


def _route_documented(route: Route) -> None:
    """The handler says what it does, and the path begins with a version."""
    if not inspect.getdoc(route.handler):
        raise Failed("the handler has no docstring, which is its description")

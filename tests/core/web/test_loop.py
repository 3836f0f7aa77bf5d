"""The event loop of the service."""

import asyncio
import sys
from types import ModuleType

import pytest

from energia.web.lifecycle import loop_factory


def test_uvloop_is_used_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra `fast` brings it, and no setting is needed."""
    uvloop = ModuleType("uvloop")
    uvloop.new_event_loop = asyncio.SelectorEventLoop  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "uvloop", uvloop)

    assert loop_factory() is asyncio.SelectorEventLoop


def test_the_service_runs_without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then the loop is the standard library's."""
    monkeypatch.setitem(sys.modules, "uvloop", None)

    assert loop_factory() is asyncio.new_event_loop

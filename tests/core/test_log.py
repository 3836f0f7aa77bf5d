"""Log lines are JSON, and say no more than they should."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import Literal

import pytest
import structlog

from energia import log
from energia.settings import Log


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Leave logging as it was."""
    root, filters = logging.getLogger(), logging.getLogger("aiohttp.server").filters
    handlers, level, filtered = root.handlers[:], root.level, filters[:]
    yield
    root.handlers[:], filters[:] = handlers, filtered
    root.setLevel(level)
    structlog.reset_defaults()


def test_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Our lines and those of libraries are JSON objects with level and time."""
    log.configure()
    structlog.get_logger("a").info("started", port=80)
    structlog.get_logger("a").debug("hidden")
    logging.getLogger("library").warning("%s happened", "it")
    first, second = map(json.loads, capsys.readouterr().err.splitlines())

    assert first["event"] == "started"
    assert first["port"] == 80
    assert first["level"] == "info"
    assert first["timestamp"].endswith("Z")
    assert (second["event"], second["level"]) == ("it happened", "warning")


def test_a_line_as_any_writer_of_json_has_it(capsys: pytest.CaptureFixture[str]) -> None:
    """A value of any kind is in a line as `json.dumps` writes it, with what its context says."""
    log.configure()
    said = {"text": 'é "\\\n', "count": 3, "seconds": 1e-06, "many": ["a", 1], "none": None}
    with structlog.contextvars.bound_contextvars(request_id="req_1"):
        structlog.get_logger("a").warning("said", exc_info=False, **said)
    (line,) = capsys.readouterr().err.splitlines()
    found = json.loads(line)

    assert line == json.dumps(found)
    assert found.pop("timestamp").endswith("Z")
    assert found == {**said, "event": "said", "request_id": "req_1", "level": "warning"}


@pytest.mark.parametrize("level", ["debug", "info", "error"])
def test_whether_a_level_is_logged(level: Literal["debug", "info", "error"]) -> None:
    """What costs something to say is said where lines of its level are written."""
    log.configure(Log(level=level))

    assert log.is_logged(logging.DEBUG) == (level == "debug")
    assert log.is_logged(logging.INFO) == (level != "error")


def test_a_stream_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody reads the log any more, the service goes on."""
    read, write = os.pipe()
    with open(write, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        log.configure()
        os.close(read)
        structlog.get_logger("a").info("started")
        with suppress(BrokenPipeError):
            stream.close()


def test_exception_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """A traceback is a field of its line."""
    log.configure()
    try:
        raise KeyError("x")
    except KeyError:
        structlog.get_logger("a").exception("unhandled")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())

    assert "Traceback" in line["exception"]
    assert line["level"] == "error"


def test_client_faults_are_no_errors(capsys: pytest.CaptureFixture[str]) -> None:
    """What a client does wrong below HTTP is not logged as an error."""
    log.configure()
    try:
        raise ConnectionResetError("gone")
    except ConnectionResetError:
        logging.getLogger("aiohttp.server").exception("Unhandled exception")
    (line,) = map(json.loads, capsys.readouterr().err.splitlines())

    assert line["level"] == "info"
    assert "exception" not in line


def test_a_person_reads_text(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal a line is text with its fields, not JSON."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1")
    log.configure()
    structlog.get_logger("a").info("started", port=80)

    line = capsys.readouterr().err
    assert "started" in line
    assert "port" in line
    assert not line.startswith("{")


@pytest.mark.parametrize("terminal", [True, False])
@pytest.mark.parametrize(("form", "is_json"), [("json", True), ("text", False)])
def test_the_settings_say_how(
    form: Literal["json", "text"],
    is_json: bool,
    terminal: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever the lines go, and from which level on."""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    monkeypatch.setenv("NO_COLOR", "1")
    log.configure(Log(level="warning", format=form))
    structlog.get_logger("a").info("hidden")
    structlog.get_logger("a").warning("shown")
    (line,) = capsys.readouterr().err.splitlines()

    assert "shown" in line
    assert line.startswith("{") == is_json
    assert "\x1b" not in line


def test_a_long_list_is_brief_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """A line fits a screen; a machine gets all of it."""
    for form in ("text", "json"):
        log.configure(Log(format=form))
        structlog.get_logger("a").info("ready", plugins=("a", "b", "c", "d", "e"), unknown=())
    text, line = capsys.readouterr().err.splitlines()

    assert "a, b, c, and 2 more" in text
    assert "none" in text
    assert json.loads(line)["plugins"] == ["a", "b", "c", "d", "e"]


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_line_quotes_a_password(
    form: Literal["json", "text"], capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither ours nor one of a library, nor the traceback of an error that nobody caught."""
    log.configure(Log(format=form))
    try:
        raise ValueError("no answer from https://u:hush@h/?api_key=hush&x=1")
    except ValueError as error:
        structlog.get_logger("a").error("failed", reason=str(error), exc_info=error)
        logging.getLogger("library").exception("%s", error)
    said = capsys.readouterr().err

    assert "hush" not in said
    assert said.count("https://u:***@h/?api_key=***&x=1") >= 4

"""Formats are checked by all that may come in, probes and routes lightly."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import attrs
import pytest

from energia import Emit, Problem, Reading, Routes, file_lines
from energia.metering.decoders import Decoder
from energia.plugins import Plugins
from energia.testing import Failed, check_decoder, decoders, others
from energia.testing.outcome import Outcome

BUNDLED = Plugins.installed()
#: Formats whose times are seconds, the six digits of a telegram, or within an archive.
NO_DATES = ("dsmr", "excel", "green_button", "home_assistant")


@attrs.frozen
class NoOptions:
    """Nothing is to be said."""


@attrs.frozen
class Needed:
    """Something is to be said."""

    meter: str


class Lines:
    """Reads a time stamp and a value from each line, and believes all of them."""

    name = "lines"
    options: type = NoOptions
    examples: tuple[bytes, ...] = (b"1000 1.5\n2000 2\n",)

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read a file."""
        for number, line in enumerate(b"".join(chunks).splitlines(), start=1):
            start, value = line.decode().split()
            yield Reading(number, Decimal(value), start=int(start))


class Local(Lines):
    """Takes local times for UTC, without a word about hours that come twice."""

    examples = (b"2026-03-02 00:00,1\n2026-03-02 01:00,2\n",)

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read a file."""
        for number, line in file_lines(chunks, 1000):
            try:
                stamp, value = line.decode().split(",")
                start = datetime.fromisoformat(stamp).replace(tzinfo=ZoneInfo("America/New_York"))
                yield Reading(number, Decimal(value.strip()), start=int(start.timestamp()))
            except (ValueError, ArithmeticError):
                yield Problem(number, "bad_row", "no row")


class Floats(Lines):
    """Yields what nobody can store exactly."""

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read a file."""
        for number, _ in file_lines(chunks, 1000):
            yield Reading(number, 0.5, start=0)  # type: ignore[arg-type]


class Moments(Lines):
    """Yields moments in place of seconds."""

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read a file."""
        for number, _ in file_lines(chunks, 1000):
            start = datetime(2026, 1, 1, tzinfo=UTC)
            yield Reading(number, Decimal(1), start=start)  # type: ignore[arg-type]


class Unnumbered(Lines):
    """Tells problems without their lines."""

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read nothing."""
        for _ in file_lines(chunks, 1000):
            yield Problem(0, "bad_row", "no row")


class Pieces(Lines):
    """Takes each chunk for whole lines."""

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read a file."""
        for number, chunk in enumerate(chunks, start=1):
            yield Reading(number, Decimal(len(chunk)), start=0)


class Silent(Lines):
    """States no example, and wants to be told something."""

    options: type = Needed
    examples = ()


class Wrong(Lines):
    """States an example that it does not read."""

    def decode(self, chunks: Iterable[bytes], options: Any) -> Iterator[Reading | Problem]:
        """Read nothing."""
        yield Problem(2, "no_value", "no value")


class Blind(Lines):
    """Recognizes nothing."""

    def sniff(self, head: bytes) -> bool:
        """Tell nothing."""
        return False


class Credulous(Lines):
    """Recognizes everything."""

    def sniff(self, head: bytes) -> bool:
        """Take any file."""
        return True


def of(decoder: Decoder) -> dict[str, tuple[str, str]]:
    """Return what became of each check of a format."""
    return {one.check: (one.state, one.detail) for one in decoders.of_decoder(decoder)}


@pytest.mark.parametrize("name", sorted(BUNDLED.decoders()))
def test_bundled_formats_pass(name: str) -> None:
    """Examples are read, damage is told, and nothing is skipped."""
    found = list(decoders.of_decoder(BUNDLED.decoders()[name]))

    assert [one for one in found if one.state == "failed"] == []
    skipped = {one.check for one in found if one.state == "skipped"}
    assert skipped <= ({"clock_changes_are_told"} if name in NO_DATES else set())


def test_a_decoder_that_crashes_is_found() -> None:
    """Cut off, damaged or empty: a value error is no answer."""
    found = of(Lines())

    assert found["examples_are_read"] == ("passed", "")
    assert found["pieces_do_not_matter"] == ("passed", "")
    assert found["damage_is_told"][0] == found["anything_is_told"][0] == "failed"
    assert "ValueError for " in found["damage_is_told"][1]


def test_a_decoder_that_needs_whole_chunks_is_found() -> None:
    """A chunk ends anywhere."""
    assert of(Pieces())["pieces_do_not_matter"] == (
        "failed",
        "a file that comes byte by byte gives other readings",
    )


def test_a_decoder_that_collects_the_file_is_found() -> None:
    """A line that never ends would fill the memory, and so would what an archive inflates to."""
    found = of(Lines())["an_endless_line_is_not_held"]

    assert found == ("failed", "it holds over 64 MiB of what does not end")
    assert of(Local())["an_endless_line_is_not_held"] == ("passed", "")
    assert of(Local())["bombs_are_told"] == ("passed", "")


def test_a_decoder_that_takes_local_time_for_another_is_found() -> None:
    """Two o'clock does not exist in New York on 14 March 2021: its slot is that of three."""
    state, detail = of(Local())["clock_changes_are_told"]

    assert state == "failed"
    assert detail.startswith("on 2021-03-14 the slot of ")


@pytest.mark.parametrize(
    ("decoder", "fault"),
    [
        (Floats(), "a value is a finite Decimal or None"),
        (Moments(), "whole seconds since 1970-01-01T00:00Z"),
        (Unnumbered(), "lines are counted from 1"),
    ],
)
def test_what_nobody_can_use_is_found(decoder: Decoder, fault: str) -> None:
    """Numbers are exact, and problems say where they are."""
    state, detail = of(decoder)["damage_is_told"]

    assert state == "failed"
    assert detail.endswith(fault)


def test_a_decoder_that_takes_the_files_of_others_is_found() -> None:
    """`format=auto` could not tell them apart."""
    state, detail = of(Credulous())["other_formats_are_not_recognized"]

    assert state == "failed"
    assert detail.endswith("is recognized: format=auto cannot tell")


def test_a_decoder_is_checked_in_a_test_of_its_own() -> None:
    """All that fails is named; checks may be left out."""
    with pytest.raises(Failed) as failed:
        check_decoder(Local())

    assert str(failed.value).startswith("lines does not conform:\n  clock_changes_are_told: on ")
    check_decoder(Local(), without=["clock_changes_are_told"])


def test_a_decoder_that_does_not_know_its_files_is_found() -> None:
    """Nor may it take any file for one of its own; one without `sniff` is not asked."""
    check = "examples_are_recognized"

    assert of(Blind())[check] == ("failed", "example 1 is not recognized")
    assert of(Credulous())[check] == ("failed", "an empty file is recognized")
    assert check not in of(Lines())


def test_what_cannot_be_looked_at_is_skipped() -> None:
    """The reason is told."""
    assert set(of(Silent()).values()) == {("skipped", "its options have no defaults")}


def test_an_example_that_is_not_read_is_found() -> None:
    """The line and the problem are told."""
    assert of(Wrong())["examples_are_read"] == ("failed", "example 1, line 2: no value")


def test_sources_have_a_description() -> None:
    """It is the docstring of their class."""

    class Silent:
        name = "silent"

        async def run(self, emit: Emit) -> None:
            pass

    (found,) = others.of_source(Silent())

    assert found == Outcome("source silent", "documented", "failed", "Silent has no docstring")


def test_routes_have_a_description() -> None:
    """It is the docstring of the handler."""
    routes = Routes()

    @routes.get("/v1/acme")
    async def acme() -> str:
        return ""

    (route,) = routes
    (found,) = others.of_route(route)

    assert found == Outcome(
        "route GET /v1/acme",
        "route_documented",
        "failed",
        "the handler has no docstring, which is its description",
    )


def test_bundled_routes_and_probes_pass() -> None:
    """All of them say what they are."""
    found = [one for route in BUNDLED.routes() for one in others.of_route(route)]
    found += [one for probe in BUNDLED.probes() for one in others.of_probe(probe)]

    assert {one.state for one in found} == {"passed"}

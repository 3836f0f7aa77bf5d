"""Formats, probes and routes are checked lightly."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

import attrs
import pytest

from energia import Problem, Reading, Routes
from energia.metering.decoders import Decoder
from energia.plugins import Plugins
from energia.testing import others
from energia.testing.outcome import Outcome

BUNDLED = Plugins.installed()


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
    return {one.check: (one.state, one.detail) for one in others.of_decoder(decoder)}


@pytest.mark.parametrize("name", sorted(BUNDLED.decoders()))
def test_bundled_formats_pass(name: str) -> None:
    """Examples are read, damage is told, and nothing is skipped."""
    assert {one.state for one in others.of_decoder(BUNDLED.decoders()[name])} == {"passed"}


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

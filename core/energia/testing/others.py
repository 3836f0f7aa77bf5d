"""Checks of what else a plugin offers: formats of meter files, probes, routes."""

import inspect
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from random import Random
from typing import Final

from energia.contract import HasExamples, HasPresets, HasSniff
from energia.convert import TEXT
from energia.core import Probe
from energia.errors import EnergiaError, Invalid
from energia.metering.decoders import HEAD, Decoder, Problem, Reading, Run
from energia.metering.mappings import presets
from energia.testing.outcome import Failed, Outcome, Skipped, outcome_of
from energia.web.routes import Route

#: So many damaged copies of each example of a file are read.
_DAMAGED: Final = 300
_FILES: Final = (b"", b"\n", b"\x00", b"\xff\xfe\x00", b"\xef\xbb\xbf", b"{", b"a,b\n1,2\n", b'"')
_OF_READING: Final = (Reading, Run, Problem)


def of_decoder(decoder: Decoder) -> Iterator[Outcome]:
    """Yield the outcome of each check of a format."""
    for check in (_examples_are_read, _pieces_do_not_matter, _damage_is_told, _anything_is_told):
        yield outcome_of(f"format {decoder.name}", check, decoder)
    if isinstance(decoder, HasSniff):
        yield outcome_of(f"format {decoder.name}", _examples_are_recognized, decoder)
    if isinstance(decoder, HasPresets):
        yield outcome_of(f"format {decoder.name}", _presets_are_options, decoder)


def of_probe(probe: Probe) -> Iterator[Outcome]:
    """Yield the outcome of each check of a probe."""
    yield outcome_of(f"probe {probe.name}", _documented, probe)


def of_route(route: Route) -> Iterator[Outcome]:
    """Yield the outcome of each check of a route."""
    yield outcome_of(f"route {route.method} {route.path}", _route_documented, route)


def _examples_are_read(decoder: Decoder) -> None:
    """Each file of `examples` gives readings and no problem."""
    options = _options(decoder)
    for number, content in enumerate(_examples(decoder), start=1):
        items = list(decoder.decode([content], options))
        if problems := [item for item in items if isinstance(item, Problem)]:
            raise Failed(f"example {number}, line {problems[0].line}: {problems[0].message}")
        if not items:
            raise Failed(f"example {number} has no reading")


def _pieces_do_not_matter(decoder: Decoder) -> None:
    """A file that comes byte by byte is the same file."""
    options = _options(decoder)
    for content in _examples(decoder):
        whole = list(decoder.decode([content], options))
        pieces = [content[start : start + 1] for start in range(len(content))]
        if list(decoder.decode(pieces, options)) != whole:
            raise Failed("a file that comes byte by byte gives other readings")


def _examples_are_recognized(decoder: Decoder) -> None:
    """`sniff` knows each file of `examples`, not an empty one, and fails on none."""
    assert isinstance(decoder, HasSniff)
    for number, content in enumerate(_examples(decoder), start=1):
        if decoder.sniff(content[:HEAD]) is not True:
            raise Failed(f"example {number} is not recognized")
        for length in range(len(content[:HEAD])):
            decoder.sniff(content[:length])
    for content in _FILES:
        if not isinstance(decoder.sniff(content), bool):
            raise Failed("`sniff` returns something else than True and False")
    if decoder.sniff(b""):
        raise Failed("an empty file is recognized")


def _presets_are_options(decoder: Decoder) -> None:
    """Each of `presets` has options of the decoder, which fit together."""
    for name, preset in presets({decoder.name: decoder}).items():
        try:
            TEXT.structure(preset.texts, decoder.options)
        except Invalid as error:
            raise Failed(f"the preset {name!r}: {error.detail}") from None


def _damage_is_told(decoder: Decoder) -> None:
    """A file that is cut off or damaged never crashes the decoder."""
    options, random = _options(decoder), Random(1)
    for content in _examples(decoder):
        for length in range(len(content)):
            _survives(decoder, options, content[:length])
        for _ in range(_DAMAGED):
            damaged = bytearray(content)
            for _ in range(random.randint(1, 4)):
                damaged[random.randrange(len(damaged))] = random.randrange(256)
            _survives(decoder, options, bytes(damaged))


def _anything_is_told(decoder: Decoder) -> None:
    """Bytes of any kind never crash the decoder; hypothesis draws some, where it is installed."""
    options = _options(decoder)
    for content in _FILES:
        _survives(decoder, options, content)
    if find_spec("hypothesis") is None:
        return
    from hypothesis import HealthCheck, given, settings
    from hypothesis import strategies as st

    @settings(
        database=None, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck)
    )
    @given(st.binary(max_size=300))
    def survives(content: bytes) -> None:
        _survives(decoder, options, content)

    survives()


def _survives(decoder: Decoder, options: object, content: bytes) -> None:
    try:
        for item in decoder.decode([content], options):
            if not isinstance(item, _OF_READING):
                raise Failed(f"it yields {item!r}, which is no Reading, no Run and no Problem")
    except EnergiaError:
        return
    except Failed:
        raise
    except Exception as error:
        shown = content if len(content) < 60 else content[:60] + b"..."
        raise Failed(f"{type(error).__name__} for {shown!r}: {error}") from error


def _options(decoder: Decoder) -> object:
    try:
        return TEXT.structure({}, decoder.options)
    except Invalid:
        raise Skipped("its options have no defaults") from None


def _examples(decoder: Decoder) -> Sequence[bytes]:
    if not isinstance(decoder, HasExamples) or not decoder.examples:
        raise Skipped("it states no examples: examples = (b'...',) on its class")
    return decoder.examples


def _documented(subject: object) -> None:
    """The class says what it is."""
    if not inspect.getdoc(type(subject)):
        raise Failed(f"{type(subject).__name__} has no docstring")


def _route_documented(route: Route) -> None:
    """The handler says what it does, and the path begins with a version."""
    if not inspect.getdoc(route.handler):
        raise Failed("the handler has no docstring, which is its description")

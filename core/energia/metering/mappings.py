"""Mappings: options of a format under one name, as decoders ship them or clients store them.

A mapping that a client has stored goes before a preset of the same name. It is only ever used where
a request names it; an option that the request says as well has the value of the request.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import attrs
from msgspec import Meta

from energia.codes import Country
from energia.contract import HasPresets
from energia.convert import TEXT, Id, dumps, structure
from energia.convert.faults import Faults
from energia.db.queries import load
from energia.db.tenant import Queries
from energia.errors import Invalid, NotFound, did_you_mean
from energia.metering.decoders import Decoder

SQL: Final = load(__package__)
#: So many names are looked at to find the one that was meant.
_NEAR: Final = 1000

Name = Annotated[
    str,
    Meta(
        pattern="^[a-z][a-z0-9_]{0,63}$",
        extra={"words": "a letter of a-z, and then at most 63 of a-z 0-9 _"},
    ),
]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Value = Annotated[str, Meta(max_length=4000)] | int | bool
Options = Annotated[
    dict[Name, Value],
    Meta(
        min_length=1,
        max_length=100,
        description="Options of the format, as `GET /v1/formats` lists them.",
        examples=[{"delimiter": ";", "decimal": ",", "timezone": "Europe/Vienna"}],
    ),
]


@attrs.frozen(kw_only=True)
class CsvMapping:
    """How a table is read, under a name.

    Attributes:
        id: What an import says as `mapping`.
        about: What files it is for.
        operator: Who writes such files.
        country: Where.
        options: The options of the format, by name.
        formats: The formats that take these options; ignored in a request.
        preset: Whether it comes with a plugin, and nobody has stored it; ignored in a request.

    """

    id: Id | None = None
    about: Text | None = None
    operator: Text | None = None
    country: Country | None = None
    options: Options
    formats: tuple[str, ...] | None = None
    preset: bool | None = None

    @property
    def said(self) -> "CsvMapping":
        """What a client says of it."""
        return attrs.evolve(self, formats=None, preset=None)

    @property
    def texts(self) -> dict[str, str]:
        """The options as the query of a request has them."""
        return {name: _text(value) for name, value in self.options.items()}

    def under(self, said: Mapping[str, str]) -> dict[str, str]:
        """Return the options with *said* over them; an empty text takes an option away."""
        dropped = {name for name in self.options if said.get(name) == ""}
        merged = {**self.texts, **said}
        return {name: value for name, value in merged.items() if name not in dropped}

    def refuse_other(self, format_: str) -> None:
        """Refuse a format that does not take these options; raises `Invalid`."""
        if self.formats and format_ not in self.formats:
            names = " and ".join(self.formats)
            message = f"the mapping {self.id!r} is for the format {names}, not for {format_[:40]}"
            raise Invalid.of("wrong_format", message, "/query/mapping")


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def document(texts: Mapping[str, Any], id_: str | None = None) -> CsvMapping:
    """Return the mapping of a flat document: options beside `about`, `operator` and `country`.

    Raises `Invalid`.
    """
    own = {name: texts[name] for name in ("about", "operator", "country") if name in texts}
    options = {name: value for name, value in texts.items() if name not in own}
    return structure({"id": id_, **own, "options": options}, CsvMapping)


def presets(decoders: Mapping[str, Decoder]) -> dict[str, CsvMapping]:
    """Return the presets of all decoders by name, each with the formats that have it."""
    found: dict[str, CsvMapping] = {}
    for format_, decoder in sorted(decoders.items()):
        for name, stated in decoder.presets.items() if isinstance(decoder, HasPresets) else ():
            one = found.get(name) or attrs.evolve(document(stated, name), formats=(), preset=True)
            found[name] = attrs.evolve(one, formats=(*(one.formats or ()), format_))
    return dict(sorted(found.items()))


def checked(decoders: Mapping[str, Decoder], mapping: CsvMapping) -> CsvMapping:
    """Return *mapping* with the formats that take its options.

    Raises:
        Invalid: None does; the faults are those of the format that has the fewest.

    """
    formats, refused = _tried(decoders, mapping)
    if not formats and not refused:
        raise Invalid.of("unknown_format", "no format that is loaded has mappings")
    if not formats:
        error = min(refused, key=lambda one: len(one.faults))
        faults = Faults()
        faults.add(error, "/options")
        raise Invalid(error.detail, faults.kept, faults.counts)
    return attrs.evolve(mapping, formats=formats, preset=False)


def _tried(
    decoders: Mapping[str, Decoder], mapping: CsvMapping
) -> tuple[tuple[str, ...], list[Invalid]]:
    formats, refused = [], []
    for format_, decoder in sorted(decoders.items()):
        if isinstance(decoder, HasPresets):
            try:
                TEXT.structure(mapping.texts, decoder.options)
                formats.append(format_)
            except Invalid as error:
                refused.append(error)
    return tuple(formats), refused


@attrs.frozen
class Mappings:
    """The mappings of an organization: those that it has stored, and the presets below them."""

    queries: Queries
    decoders: Mapping[str, Decoder]

    async def put(self, mapping: CsvMapping) -> tuple[CsvMapping, bool]:
        """Store a mapping, which has an id; return it, and whether it was made.

        Raises `Invalid` if no format takes its options.
        """
        valid = checked(self.decoders, mapping)
        text = dumps(valid.said).decode()
        created = await self.queries.fetch(bool, SQL["csv_mapping_put"], str(mapping.id), text)
        return valid, created[0]

    async def get(self, id_: str) -> CsvMapping:
        """Return a mapping; raises `NotFound`."""
        found = await self._find(id_)
        if found is None:
            raise NotFound(f"there is no mapping {id_!r}")
        return found

    async def named(self, name: str) -> CsvMapping:
        """Return the mapping that an import names; raises `Invalid`, with what may be meant."""
        found = await self._find(name)
        if found is None:
            names = [str(one.id) for one in await self.page("", _NEAR)]
            message = f"there is no mapping {name!r}{did_you_mean(name, names)}"
            raise Invalid.of("unknown_mapping", message, "/query/mapping")
        return found

    async def _find(self, id_: str) -> CsvMapping | None:
        rows = await self.queries.fetch(self._stored, SQL["csv_mapping_get"], id_)
        return rows[0] if rows else presets(self.decoders).get(id_)

    async def page(self, after: str, limit: int) -> Sequence[CsvMapping]:
        """Return at most *limit* mappings that come after *after*, by id."""
        rows = await self.queries.fetch(self._stored, SQL["csv_mapping_list"], after, limit)
        below = {id_: one for id_, one in presets(self.decoders).items() if id_ > after}
        together = {**below, **{str(one.id): one for one in rows}}
        return [together[id_] for id_ in sorted(together)][:limit]

    async def delete(self, id_: str) -> None:
        """Delete a mapping that was stored; raises `NotFound`."""
        if not await self.queries.execute(SQL["csv_mapping_delete"], id_):
            raise NotFound(f"no mapping {id_!r} is stored")

    def _stored(self, document: Any) -> CsvMapping:
        """Return a mapping as it was stored, with the formats that take it today."""
        mapping = structure(document, CsvMapping)
        return attrs.evolve(mapping, formats=_tried(self.decoders, mapping)[0], preset=False)

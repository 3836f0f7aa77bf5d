"""Mappings of tables under names: those that are stored, and the presets of plugins."""

import attrs

from energia.core import Core
from energia.db.holds import holding
from energia.db.pool import Tenant
from energia.errors import Invalid, NotFound
from energia.metering.mappings import CsvMapping, Mappings
from energia.web.resources import (
    READERS,
    WRITERS,
    CsvMappingId,
    Cursor,
    Limit,
    Page,
    examples,
    page,
    place_of,
)
from energia.web.routes import Created, Routes

routes = Routes(tag="Readings", reads=(*READERS, *WRITERS), writes=WRITERS)


@routes.get("/v1/csv-mappings")
async def list_csv_mappings(
    core: Core, tenant: Tenant, limit: Limit = 100, cursor: Cursor = ""
) -> Page[CsvMapping]:
    """List the mappings by id: those that are stored, and the presets that none of them hides."""
    listed = await _mappings(core, tenant).page(place_of(cursor), limit + 1)
    return page(listed, limit, lambda mapping: str(mapping.id))


@routes.get("/v1/csv-mappings/{csv_mapping}", errors=(NotFound,), holds=holding("csv_mapping"))
async def get_csv_mapping(csv_mapping: CsvMappingId, core: Core, tenant: Tenant) -> CsvMapping:
    """Return a mapping, or the preset of that name where none is stored."""
    return await _mappings(core, tenant).get(csv_mapping)


@routes.put("/v1/csv-mappings/{csv_mapping}", examples=examples("csv_mappings"))
async def put_csv_mapping(
    csv_mapping: CsvMappingId, body: CsvMapping, core: Core, tenant: Tenant
) -> CsvMapping | Created[CsvMapping]:
    """Store a mapping or replace it; its options must be those of a format.

    From then on it goes before a preset of the same name. Readings that came in by it stay.
    """
    if body.id not in (None, csv_mapping):
        raise Invalid.of("wrong_id", f"the path says {csv_mapping!r}", "/id")
    named = attrs.evolve(body, id=csv_mapping)
    stored, created = await _mappings(core, tenant).put(named)
    return Created(f"/v1/csv-mappings/{csv_mapping}", stored) if created else stored


@routes.delete("/v1/csv-mappings/{csv_mapping}", errors=(NotFound,))
async def delete_csv_mapping(csv_mapping: CsvMappingId, core: Core, tenant: Tenant) -> None:
    """Delete a mapping that is stored; a preset of its name counts again."""
    await _mappings(core, tenant).delete(csv_mapping)


def _mappings(core: Core, tenant: Tenant) -> Mappings:
    return Mappings(tenant, core.plugins.decoders())

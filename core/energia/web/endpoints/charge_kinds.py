"""Charge kinds: what tariffs can be made of."""

from typing import Any

import attrs

from energia.convert.schema import schema_of, tagged
from energia.core import Core
from energia.web.pages import Page
from energia.web.routes import Routes

routes = Routes(tag="Catalogue")


@attrs.frozen
class ChargeKind:
    """A kind of charge.

    Attributes:
        kind: What a charge of a tariff says in `kind`.
        plugin: The plugin that offers it.
        description: What it charges.
        schema: A JSON Schema of the charge.

    """

    kind: str
    plugin: str
    description: str
    schema: dict[str, Any]


@routes.get("/v1/charge-kinds")
async def list_charge_kinds(core: Core) -> Page[ChargeKind]:
    """List the kinds of charge that the loaded plugins offer, with the JSON Schema of each."""
    kinds = [_kind(core, kind, charge) for kind, charge in sorted(core.plugins.charges().items())]
    return Page(tuple(kinds), None)


def _kind(core: Core, kind: str, charge: type) -> ChargeKind:
    schema = schema_of(charge)
    # The class is a component of its own schema; its tag is no field of the class.
    own = schema["$defs"][schema["$ref"].rpartition("/")[2]]
    tagged(own, charge, kind)
    description = own.get("description", "")
    return ChargeKind(kind, core.plugins.charge_provider(kind).name, description, schema)

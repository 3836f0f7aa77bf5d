"""The importer `urdb`: rates of the US utility rate database.

Every field that is not read is a warning; what cannot be priced is refused, with pointers into the
source. See docs/tariff-import.md.
"""

from energia import TariffImporter, hookimpl
from energia_plugins.tariff_urdb.importer import UrdbImporter

__all__ = ["UrdbImporter"]


@hookimpl
def register_tariff_importers() -> list[TariffImporter]:
    """Offer the importer."""
    return [UrdbImporter()]

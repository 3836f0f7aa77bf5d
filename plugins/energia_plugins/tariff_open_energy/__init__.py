"""Later."""

from energia import TariffImporter, hookimpl


@hookimpl
def register_tariff_importers() -> list[TariffImporter]:
    """Offer the importer."""
    return []

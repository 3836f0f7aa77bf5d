"""The importer `open-energy-tariffs`: entries of the open-energy-tariffs collection, version 1."""

from energia import TariffImporter, hookimpl
from energia_plugins.tariff_open_energy.importer import OpenEnergyImporter

__all__ = ["OpenEnergyImporter"]


@hookimpl
def register_tariff_importers() -> list[TariffImporter]:
    """Offer the importer."""
    return [OpenEnergyImporter()]

"""The importer `ratebook`: tariffs of the ratebook data set (cbetz/ratebook), schema version 0.

Each is a rate of the US rate database with fields of its own, a list of fixed charges and rules of
holidays. It is read as such a rate; faults and warnings point into the source all the same.
"""

from energia import TariffImporter, hookimpl
from energia_plugins.tariff_ratebook.importer import RatebookImporter

__all__ = ["RatebookImporter"]


@hookimpl
def register_tariff_importers() -> list[TariffImporter]:
    """Offer the importer."""
    return [RatebookImporter()]

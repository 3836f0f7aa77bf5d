"""The importer `open-energy-tariffs`."""

from decimal import Decimal
from typing import Any

import pytest

from energia import Imported, ImportOptions, Invalid
from energia.plugins import Plugins
from energia.pricing.importing import imported
from energia_plugins import tariff_open_energy
from energia_plugins.tariff_open_energy import OpenEnergyImporter
from tests.core.pricing.documents import CONVERTER

META = {"provider": "Acme", "plan": "Night", "currency": "AUD", "timezone": "Australia/Sydney"}
BANDS = [
    {"id": "peak", "name": "Peak", "rate": Decimal("0.4")},
    {"id": "off", "name": "Off peak", "rate": Decimal("0.2")},
]
SCHEDULE = [
    {"days": "all", "from": "00:00", "to": "24:00", "band": "off"},
    {"days": "weekday", "from": "16:00", "to": "21:00", "band": "peak"},
]


def entry(meta: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Return an entry."""
    plan = {"kind": "tou", "import": {"bands": BANDS, "schedule": SCHEDULE}}
    return {"meta": META | (meta or {}), "tariff": plan | fields}


def read(document: object, **options: Any) -> Imported:
    """Import a document, of which a tariff comes."""
    asked = ImportOptions(**{"timezone": "Australia/Sydney", **options})
    imported(OpenEnergyImporter(), document, asked, CONVERTER)
    return OpenEnergyImporter().read(document, asked)


def refused(document: object) -> dict[str | None, str]:
    """Return the codes of what is refused, by pointer."""
    with pytest.raises(Invalid) as error:
        read(document)
    return {fault.pointer: fault.code for fault in error.value.faults}


def test_the_plugin_offers_the_format() -> None:
    """By its hook, register_tariff_importers."""
    plugins = Plugins.of(tariff_open_energy=tariff_open_energy)

    assert list(plugins.tariff_importers()) == ["open-energy-tariffs"]


def test_bands_are_painted_one_over_the_other() -> None:
    """The last interval is the first rule."""
    found = read(entry()).tariff

    (charge,) = found["versions"][0]["charges"]
    assert (found["name"], found["currency"]) == ("Acme: Night", "AUD")
    assert charge["rates"] == {"peak": "0.4", "off": "0.2"}
    assert [one["period"] for one in charge["schedule"]["rules"]] == ["peak", "off"]


def test_seasons_have_rates_of_their_own() -> None:
    """Months are counted from 0 and may run over the end of the year."""
    bands = [{**BANDS[0], "seasonRates": {"summer": Decimal("0.6")}}, BANDS[1]]
    seasons = [{"id": "summer", "name": "Summer", "from": 11, "to": 1}]
    document = entry(seasons=seasons, **{"import": {"bands": bands, "schedule": SCHEDULE}})

    (charge,) = read(document).tariff["versions"][0]["charges"]

    assert charge["rates"]["peak_summer"] == "0.6"
    assert charge["schedule"]["rules"][0]["season"] == {"from": "12-01", "to": "02-29"}


def test_what_the_source_leaves_open_is_told() -> None:
    """When it begins, whose tiers count together, whether holidays are weekends."""
    bands = [
        {**BANDS[0], "tiers": [{"rate": Decimal(1), "upTo": 10}, {"rate": Decimal(2)}]},
        BANDS[1],
    ]
    weekend = {"days": "weekend", "from": "16:00", "to": "21:00", "band": "off"}
    document = entry(**{"import": {"bands": bands, "schedule": [*SCHEDULE, weekend]}})

    told = {warning.pointer: warning.code for warning in read(document).warnings}

    assert told == {
        "/tariff/validFrom": "no_start",
        "/tariff/import/bands": "tier_scope",
        "/tariff/import/schedule/2/days": "holidays_as_weekends",
    }
    assert [one.code for one in read(entry(validFrom="2024-07-01")).warnings] == []


def test_supply_is_a_day_and_exports_are_sold() -> None:
    """A flat plan with a feed-in tariff."""
    fields = {"import": {"flatRate": Decimal("0.3")}, "export": {"flatRate": Decimal("0.08")}}
    document = entry(kind="flat", supply={"daily": Decimal("1.1")}, **fields)

    tariff = read(document, exports="include").tariff
    energy, supply, export = tariff["versions"][0]["charges"]

    assert energy["rate"] == "0.3"
    assert (supply["amount"], supply["per"]) == ("1.1", "day")
    assert (export["scheme"], export["rate"]) == ("net_billing", "0.08")
    assert len(read(document).tariff["versions"][0]["charges"]) == 2


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        (entry({"currency": "XX"}), "/meta/currency", "unknown_currency"),
        (entry({"unit": "MWh"}), "/meta/unit", "unknown_unit"),
        (entry(demand=[{"rate": 1}]), "/tariff/demand", "not_supported"),
        (entry(**{"import": {}}), "/tariff/import", "no_rate"),
        (entry(brand_new=1), "/tariff/brand_new", "unknown_field"),
        (
            entry(**{"import": {"bands": BANDS[:1], "schedule": SCHEDULE}}),
            "/tariff/import/schedule/0/band",
            "unknown_period",
        ),
        ({"energyratestructure": []}, "", "other_format"),
        ({"chargeOwner": "N1"}, "", "other_format"),
    ],
)
def test_what_cannot_be_priced_is_refused(document: object, pointer: str, code: str) -> None:
    """With a pointer; records of other services with a hint."""
    assert refused(document) == {pointer: code}


def test_a_gap_of_the_schedule_is_refused() -> None:
    """The tariff that would be made of it is checked."""
    document = entry(**{"import": {"bands": BANDS, "schedule": SCHEDULE[1:]}})

    with pytest.raises(Invalid) as error:
        read(document)

    assert {fault.code for fault in error.value.faults} == {"incomplete_schedule"}

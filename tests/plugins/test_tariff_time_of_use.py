"""The charge `energy.time_of_use`, with just its plugin loaded."""

from typing import Any

import pytest

from energia.metering.series import ACTUAL, ChannelGrid
from energia.metering.stretches import Stretch, laid
from energia.plugins import Plugins
from energia.pricing.engine import Cost, price
from energia.pricing.tariffs import Tariff, tariff_converter
from energia_plugins import tariff_time_of_use
from tests.core.pricing.documents import document, faults, instant, line, series

CONVERTER = tariff_converter(Plugins.of(tariff_time_of_use=tariff_time_of_use).charges())
SCHEDULE = {
    "default": "fora_ponta",
    "rules": [
        {"period": "ponta", "days": ["weekday"], "from": "17:30", "to": "20:30"},
        {
            "period": "intermediario",
            "days": ["weekday"],
            "from": "20:30",
            "to": "22:30",
            "season": {"from": "01-01", "to": "12-31"},
        },
    ],
}
RATES = {"ponta": "1.73992", "intermediario": "1.20499", "fora_ponta": "0.83447"}
#: A kilowatt-hour in each quarter of an hour of Good Friday 2026 and of the Thursday before it.
USAGE = series("2026-04-02T00:00:00-03:00", 900, [1_000_000] * 192)


def cost(rates: dict[str, Any], **version: Any) -> Cost:
    """Price the usage under the schedule."""
    charge = {"kind": "energy.time_of_use", "schedule": SCHEDULE, "rates": rates}
    body = document([charge], "America/Sao_Paulo", "BRL", **version)
    return price(CONVERTER.structure(body, Tariff), {"import": USAGE}, USAGE.start, USAGE.end)


def test_the_plugin_offers_one_kind() -> None:
    """Only what the plugin brings is known."""
    plugins = Plugins.of(tariff_time_of_use=tariff_time_of_use)

    assert list(plugins.charges()) == ["energy.time_of_use"]


def test_each_period_is_a_line() -> None:
    """A working day has 12 quarters of peak and 8 beside it; a holiday has none."""
    found = cost(RATES, holidays=["2026-04-03"])

    assert [(one.code, one.quantity, one.amount) for one in found.lines] == [
        ("energy.time_of_use.ponta", "12", "20.88"),
        ("energy.time_of_use.intermediario", "8", "9.64"),
        ("energy.time_of_use.fora_ponta", "172", "143.53"),
    ]
    assert found.total == "174.05"


def test_without_the_holiday_both_days_have_a_peak() -> None:
    """Holidays are data of the version."""
    assert line(cost(RATES), "energy.time_of_use.ponta").quantity == "24"


def test_a_period_may_have_components() -> None:
    """A rate of several parts makes a line for each, next to plain rates."""
    rates = RATES | {"ponta": {"components": {"te": "0.5", "tusd": "1.23992"}}}

    found = cost(rates, holidays=["2026-04-03"])

    codes = [one.code.removeprefix("energy.time_of_use.") for one in found.lines]
    assert codes == ["ponta.te", "ponta.tusd", "intermediario", "fora_ponta"]
    assert line(found, "energy.time_of_use.ponta.te").amount == "6.00"
    assert line(found, "energy.time_of_use.ponta.te").period == "ponta"


def test_a_period_that_the_window_does_not_have_makes_no_line() -> None:
    """A weekend is charged at one rate."""
    weekend = series("2026-04-04T00:00:00-03:00", 3600, [250_000] * 48)
    charge = {"kind": "energy.time_of_use", "schedule": SCHEDULE, "rates": RATES}
    tariff = CONVERTER.structure(document([charge], "America/Sao_Paulo", "BRL"), Tariff)

    found = price(tariff, {"import": weekend}, weekend.start, weekend.end)

    assert [one.period for one in found.lines] == ["fora_ponta"]
    assert found.total == "10.01"


# Registers of periods.

REGISTERS = {"day": "import.day", "night": "import.night"}
DAILY = {"default": "day", "rules": [{"period": "night", "from": "22:00", "to": "06:00"}]}


def registers(**fields: Any) -> Tariff:
    """Return a tariff whose periods registers of the meter measure."""
    charge = {
        "kind": "energy.time_of_use",
        "registers": REGISTERS,
        "rates": {"day": "0.30", "night": "0.15"},
        **fields,
    }
    return CONVERTER.structure(document([charge], "Europe/Paris", "EUR"), Tariff)


def test_registers_may_measure_the_periods() -> None:
    """A meter of day and night is read once a bill: no schedule, and no intervals, are needed."""
    start, end = instant("2026-03-01T00:00:00+01:00"), instant("2026-03-31T00:00:00+02:00")
    grid = ChannelGrid(3600)
    usage = {
        role: laid([Stretch(start, end, kwh * 1_000_000, ACTUAL)], grid, start, end)
        for role, kwh in (("import.day", 200), ("import.night", 100))
    }

    found = price(registers(), usage, start, end)

    assert [(one.code, one.description, one.quantity, one.amount) for one in found.lines] == [
        ("energy.time_of_use.day", "Energy, day", "200", "60.00"),
        ("energy.time_of_use.night", "Energy, night", "100", "15.00"),
    ]


@pytest.mark.parametrize(
    ("fields", "pointer", "code"),
    [
        ({"registers": None}, "/schedule", "schedule_or_registers"),
        ({"schedule": DAILY}, "/schedule", "schedule_or_registers"),
        ({"registers": {**REGISTERS, "peak": "import.peak"}}, "/rates", "missing_rate"),
        ({"registers": {"day": "import.day"}}, "/rates/night", "unknown_period"),
        (
            {"registers": {**REGISTERS, "night": "gas_volume.import"}},
            "/registers/night",
            "wrong_unit",
        ),
    ],
)
def test_registers_that_do_not_fit_are_refused(
    fields: dict[str, Any], pointer: str, code: str
) -> None:
    """When the tariff is read."""
    assert faults(lambda: registers(**fields)) == {f"/versions/0/charges/0{pointer}": code}

"""`docs/how-to/plugins.md` is true: its plugin is loaded as written, and prices."""

import re
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import numpy as np

from energia.metering.series import Series
from energia.plugins import Plugins
from energia.pricing.engine import price
from energia.pricing.tariffs import Tariff, tariff_converter

DOCS = (Path(__file__).parents[1] / "docs/how-to/plugins.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", DOCS, re.DOTALL)


def plugin() -> ModuleType:
    """Return the module of the first Python block."""
    source = next(text for language, text in BLOCKS if language == "python")
    module = ModuleType("acme_levy")
    exec(compile(source, "acme_levy.py", "exec"), module.__dict__)
    return module


def test_the_plugin_is_short() -> None:
    """A complete tariff plugin has under 40 lines."""
    source = next(text for language, text in BLOCKS if language == "python")

    assert len(source.splitlines()) < 40


def test_the_plugin_prices() -> None:
    """150 kWh with an allowance of 100 cost 100 at the one rate and 50 at the other."""
    plugins = Plugins.of(tariff_acme_levy=plugin())
    charge = {"kind": "acme.levy", "allowance_kwh": "100", "rate": "0.01", "rate_above": "0.04"}
    tariff = tariff_converter(plugins.charges()).structure(
        {
            "name": "Acme",
            "currency": "EUR",
            "timezone": "UTC",
            "versions": [{"valid_from": "1970-01-01", "charges": [charge]}],
        },
        Tariff,
    )
    usage = Series(0, 3600, np.full(24, 6_250_000, np.int64), np.ones(24, np.int8))

    cost = price(tariff, {"import": usage}, 0, 86_400)

    assert [(line.code, Decimal(line.amount)) for line in cost.lines] == [
        ("acme.levy.within", Decimal("1.00")),
        ("acme.levy.above", Decimal("2.00")),
    ]
    assert cost.total == "3.00"

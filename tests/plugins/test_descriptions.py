"""What lines are called where a tariff does not say: words for people, in its language."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import pytest

from energia import Charge
from energia.plugins import Plugins
from energia.testing import Pricing
from energia.testing.case import MONDAY
from energia.testing.conformance import cases
from energia.time import DAY

PRICING = Pricing.of()
KINDS = dict(Plugins.installed(hook="register_charges").charges())
SCHEDULE = {
    "default": "fora_ponta",
    "rules": [{"period": "ponta", "days": ["all"], "from": "01:00", "to": "02:00"}],
}
FLAT = {"kind": "energy.flat", "code": "base", "rate": "0.30"}


def called(charges: Mapping[str, Any] | Sequence[Mapping[str, Any]], **given: Any) -> list[str]:
    """Return what the lines of a bill are called in Portuguese, of 250 kWh in three hours."""
    cost = PRICING(charges, [100, 100, 50], **{"language": "pt-BR", **given})
    return [line.description for line in cost.lines]


@pytest.mark.parametrize(
    ("charge", "names"),
    [
        ({"kind": "energy.flat", "rate": "0.3"}, ["Energia"]),
        (
            {"kind": "energy.flat", "components": {"te": "0.3", "tusd": "0.5"}},
            ["Energia, TE", "Energia, TUSD"],
        ),
        (
            {"kind": "energy.time_of_use", "schedule": SCHEDULE,
             "rates": {"ponta": "1.7", "fora_ponta": "0.8"}},
            ["Energia, ponta", "Energia, fora ponta"],
        ),
        (
            {"kind": "energy.tiered", "unit": "kWh",
             "tiers": [{"up_to": "100", "rate": "0.1"}, {"up_to": "200", "rate": "0.2"},
                       {"rate": "0.3"}]},
            ["Consumo, faixa 1 (até 100 kWh)", "Consumo, faixa 2 (acima de 100 até 200 kWh)",
             "Consumo, faixa 3 (acima de 200 kWh)"],
        ),
        (
            {"kind": "demand.contracted", "contracted": "50", "rate": "10", "interval": "PT1H",
             "overrun": {"tolerance_percent": "5", "multiplier": "2"}},
            ["Demanda contratada", "Demanda contratada, ultrapassagem"],
        ),
        ({"kind": "fixed", "amount": "10", "per": "day"}, ["Encargo fixo"]),
        ({**FLAT, "description": "Fornecimento"}, ["Fornecimento"]),
        (
            {"kind": "energy.time_of_use", "description": "Consumo", "schedule": SCHEDULE,
             "rates": {"ponta": {"components": {"te": "0.3", "tusd": "1.4"}},
                       "fora_ponta": {"components": {"te": "0.3", "tusd": "0.5"}}}},
            ["Consumo, ponta, TE", "Consumo, ponta, TUSD",
             "Consumo, fora ponta, TE", "Consumo, fora ponta, TUSD"],
        ),
        (
            {"kind": "energy.tiered", "description": "Fornecimento",
             "tiers": [{"up_to": "100", "rate": {"components": {"te": "0.1", "tusd": "0.2"}}},
                       {"rate": {"components": {"te": "0.2", "tusd": "0.3"}}}]},
            ["Fornecimento, TE, faixa 1 (até 100 kWh)",
             "Fornecimento, TUSD, faixa 1 (até 100 kWh)",
             "Fornecimento, TE, faixa 2 (acima de 100 kWh)",
             "Fornecimento, TUSD, faixa 2 (acima de 100 kWh)"],
        ),
        ({**FLAT, "code": "verde"}, ["Energia, verde"]),
    ],
    ids=lambda value: value["kind"] if isinstance(value, dict) else None,
)  # fmt: skip
def test_lines_have_names_of_the_field(charge: Mapping[str, Any], names: list[str]) -> None:
    """Parts of a rate and periods tell them apart, also where the tariff has a description."""
    assert sorted(called(charge)) == sorted(names)


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("pt-BR", ["Energia, base", "ICMS 18%", "Desconto 5%"]),
        ("en", ["Energy, base", "ICMS 18%", "Discount 5%"]),
        (None, ["Energy, base", "ICMS 18%", "Discount 5%"]),
    ],
)
def test_taxes_and_discounts_have_their_rates(language: str | None, names: list[str]) -> None:
    """English is what a tariff speaks that does not say."""
    tax = {"kind": "tax", "form": "add_on", "taxes": [{"name": "icms", "rate": "0.18"}]}
    discount = {"kind": "percent", "percent": "-5"}

    assert called([FLAT, tax, discount], language=language) == names


def test_a_rate_has_the_comma_of_its_language() -> None:
    """PIS is 1,23% in Portuguese, and 1.23% in English."""
    tax = {"kind": "tax", "form": "add_on", "taxes": [{"name": "pis", "rate": "0.0123"}]}

    assert called([FLAT, tax], language="pt-BR")[-1] == "PIS 1,23%"
    assert called([FLAT, tax], language="en")[-1] == "PIS 1.23%"


def test_a_step_has_the_name_of_its_line() -> None:
    """What comes later speaks of lines as they are called."""
    tax = {"kind": "tax", "form": "add_on", "taxes": [{"name": "icms", "rate": "0.18"}]}
    cost = PRICING([FLAT, tax], [1], language="pt-BR")

    assert [step.description for step in cost.details[1].steps] == ["Energia, base"]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_line_is_called_by_a_code(kind: str) -> None:
    """Whatever the example of a kind charges, in both languages, and not the same in both."""
    class_: type[Charge] = KINDS[kind]
    texts: dict[str, list[str]] = {}
    for language in ("en", "pt-BR"):
        texts[language] = []
        for case in cases(class_, PRICING):
            tariff = case.tariff()
            versions = tuple(attrs.evolve(one, language=language) for one in tariff.versions)
            cost = case.priced(attrs.evolve(tariff, versions=versions), MONDAY, MONDAY + 3 * DAY)
            texts[language] += [
                line.description
                for line, detail in zip(cost.lines, cost.details, strict=True)
                if detail.charge == case.code
            ]

    codes = re.compile(rf"_|\b{re.escape(kind)}\b" if "." in kind else "_")
    assert [text for told in texts.values() for text in told if codes.search(text)] == []
    named = [pair for pair in zip(*texts.values(), strict=True) if not _is_of_the_author(pair[0])]
    assert [one for one, other in named if one == other] == []


def _is_of_the_author(text: str) -> bool:
    """Tell whether the example names its lines itself: the name of a tax, a description."""
    return re.match(r"^(ICMS|PIS|COFINS|VAT|GST)\b", text) is not None

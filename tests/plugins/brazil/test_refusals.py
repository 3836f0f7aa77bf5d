"""What the kit refuses, and that it says in Portuguese where to mend it."""

from typing import Any

import pytest

from tests.plugins.brazil.customers import refused

HOME: dict[str, Any] = {"distributor": "light", "subgroup": "B1", "from": "2026-08-01"}
RATES = {"unico": {"te": "0.30", "tusd": "0.40"}}
WHITE = dict.fromkeys(("ponta", "intermediario", "fora_ponta"), RATES["unico"])


@pytest.mark.parametrize(
    ("request_", "code", "pointer", "words"),
    [
        (
            {"distributor": "Ligth"},
            "unknown_distributor",
            "/distributor",
            ["'Ligth'", "será light?", "/v1/brazil/distributors"],
        ),
        (
            {"distributor": "CPFL"},
            "unknown_distributor",
            "/distributor",
            ["cpfl-paulista", "cpfl-piratininga", "cpfl-santa-cruz"],
        ),
        (
            {"distributor": "EDF"},
            "unknown_distributor",
            "/distributor",
            ["'EDF'", "distributors.json"],
        ),
        (
            {"municipality": "Rio de Janiero"},
            "unknown_municipality",
            "/municipality",
            ["será Rio de Janeiro?", "overrides.lighting"],
        ),
        (
            {"municipality": "Paraty"},
            "unknown_municipality",
            "/municipality",
            ["Paraty (RJ)", "Rio de Janeiro", "overrides.lighting"],
        ),
        (
            {"municipality": "rio de janeiro", "from": "2025-07-01"},
            "unknown_municipality",
            "/municipality",
            ["em 01/07/2025", "a partir de 01/01/2026", "overrides.lighting"],
        ),
        (
            {"subgroup": "A4"},
            "unknown_tariff",
            "/modality",
            ["A4 convencional de Light", "A4 é azul ou verde"],
        ),
        (
            {"distributor": "cedrap", "subgroup": "A4", "modality": "verde"},
            "unknown_tariff",
            "/subgroup",
            ["subgrupo A4 de CEDRAP", "há B1, B3"],
        ),
        (
            {"distributor": "cpfl-paulista", "modality": "branca", "from": "2025-11-04"},
            "unknown_tariff",
            "/from",
            ["comece em 08/04/2026"],
        ),
        (
            {"subgroup": "B3", "class": "baixa_renda"},
            "wrong_class",
            "/class",
            ["do subgrupo B1, e não do B3"],
        ),
        (
            {"overrides": {"rates": {"unico": {"te": "0.3", "tusd": "550.25"}}}},
            "implausible_price",
            "/overrides/rates/unico/tusd",
            ["550,25 R$/kWh parece ser R$/MWh", "seria 0,55025"],
        ),
        (
            {"overrides": {"rates": {"unico": {"demand": "18090"}}}},
            "implausible_price",
            "/overrides/rates/unico/demand",
            ["18.090 R$/kW"],
        ),
        (
            {"overrides": {"flags": {"2026-11": "0.01885"}}},
            "implausible_price",
            "/overrides/flags/2026-11",
            ["R$/MWh", "0,01885 parece ser R$/kWh", "seria 18,85"],
        ),
        (
            {"overrides": {"icms": [{"rate": "18"}]}},
            "out_of_range",
            "/overrides/icms/0/rate",
            ["18 % é 0.18"],
        ),
        (
            {"overrides": {"lighting": {"kind": "fixed", "amount": "30", "per": "ciclo"}}},
            "unknown_value",
            "/overrides/lighting/per",
            ["bill"],
        ),
        (
            {"from": "1999-12-31"},
            "unknown_tariff",
            "/from",
            ["31/12/1999", "Light", "B1 convencional", "15/03/2025", "overrides.rates"],
        ),
        (
            {
                "distributor": "cedrap",
                "modality": "branca",
                "registers": True,
                "overrides": {"rates": {"ponta": RATES["unico"]}},
            },
            "unknown_tariff",
            "/overrides/rates/intermediario",
            ["overrides.rates.intermediario"],
        ),
        (
            {"distributor": "cedrap", "modality": "branca", "overrides": {"rates": WHITE}},
            "unknown_postos",
            "/overrides/postos",
            ["postos de CEDRAP em 01/08/2026", "overrides.postos", "distributors.json"],
        ),
        (
            {"distributor": "cedrap", "overrides": {"rates": RATES}},
            "unknown_pis_cofins",
            "/overrides/pis_cofins",
            ["PIS e COFINS de CEDRAP", "overrides.pis", "overrides.cofins"],
        ),
        (
            {"from": "2016-01-01", "overrides": {"rates": RATES}},
            "unknown_icms",
            "/overrides/icms",
            ["ICMS de RJ (residencial)", "01/01/2016", "overrides.icms"],
        ),
        (
            {"from": "2027-05-01", "overrides": {"rates": RATES}},
            "unknown_flag",
            "/overrides/flags",
            ["2027-05", "overrides.flags"],
        ),
        (
            {"registers": True},
            "unused_registers",
            "/registers",
            ["branca", "registrador por posto"],
        ),
        (
            {
                "distributor": "celesc",
                "modality": "branca",
                "registers": True,
                "from": "2026-05-01",
            },
            "unsupported_registers",
            "/registers",
            ["overrides.icms"],
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_refusal_names_its_place_and_setting(
    request_: dict[str, Any], code: str, pointer: str, words: list[str]
) -> None:
    """A pointer into the request, and in words what to say instead."""
    found = refused(**{**HOME, **request_})

    assert (found["code"], found["pointer"]) == (code, pointer)
    assert [word for word in words if word not in f"{found['message']}"] == []

"""What the generator writes for a customer with distributed generation."""

from collections.abc import Mapping
from typing import Any, Final

from tests.core.pricing.documents import faults, read
from tests.plugins.brazil.customers import made

TAXES: Final = {"pis": "0.01", "cofins": "0.05"}
CEMIG: Final[Mapping[str, Any]] = {
    "distributor": "cemig",
    "subgroup": "B1",
    "phases": "bifasico",
    "generation": {"type": "gd2"},
    "from": "2026-06-01",
}

EDP: Final = {"distributor": "edp-es", "subgroup": "B1", "generation": {"type": "gd1"}}


def scee(request: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return the charge of the first version of the tariff of a request."""
    charges = made(**{**request, **more}).tariff["versions"][0]["charges"]
    (found,) = (one for one in charges if one["kind"] == "brazil.scee")
    return dict(found)


def test_the_share_of_fio_b_is_that_of_the_year() -> None:
    """60 % of 0.268171 in 2026, by ANEEL's component of the SCEE."""
    assert scee(CEMIG)["dues"] == [
        {"name": "fiob", "types": ["gd2"], "share": "0.60", "price": "0.268171"}
    ]


def test_a_year_begins_with_a_version() -> None:
    """What GD II pays of Fio B rises on 1 January: 15 % in 2023, 30 % in 2024."""
    request = {**CEMIG, "from": "2023-11-10", "overrides": TAXES}
    found = made(**request).tariff["versions"]

    shares = {
        version["valid_from"]: due["share"]
        for version in found
        for charge in version["charges"]
        for due in charge.get("dues", ())
    }
    assert (shares["2023-11-10"], shares["2024-01-01"]) == ("0.15", "0.30")


def test_the_price_of_fio_b_must_be_known() -> None:
    """It is refused by the setting that says it, and not billed as nothing."""
    request = {
        "distributor": "light",
        "subgroup": "B1",
        "generation": {"type": "gd2"},
        "from": "2026-09-01",
    }

    assert faults(lambda: made(**request)) == {"/overrides/rates/unico/fio_b": "unknown_component"}


def test_gd3_pays_what_the_request_says_of_components() -> None:
    """Fio A and the charges are in no table: the request must say them, and is told all at once."""
    known = {"TUSD_FioA": "0.05", "TUSD_PeD": "0.01", "TUSD_TFSEE": "0.002", "TE_PeD": "0.001"}
    request = {
        "distributor": "edp-es",
        "subgroup": "B1",
        "generation": {"type": "gd3"},
        "from": "2026-04-01",
    }

    assert faults(lambda: made(**request)) == {
        f"/overrides/components/{name}": "unknown_component" for name in known
    }
    found = scee(request, overrides={"components": known})["dues"]
    assert {
        due["name"]: (due["component"], due["share"]) for due in found if "gd3" in due["types"]
    } == {
        "fiob": ("tusd", "1"),
        "fioa": ("tusd", "0.40"),
        "ped": ("te", "1"),
        "tfsee": ("tusd", "1"),
    }


def test_taxes_of_a_distributor_without_bills_are_an_assumption() -> None:
    """In Rio no bill was seen: that ICMS comes back on the TE alone is said in the answer."""
    request = {
        "distributor": "light",
        "subgroup": "B1",
        "generation": {"type": "gd1"},
        "from": "2026-09-01",
    }

    assert scee(request)["own_tags"] == {"tusd": ["sem_icms"], "te": []}
    told = [one.what for one in made(**request).assumptions]
    assert "como a energia compensada é cobrada" in told


def test_postos_of_the_branca_are_exchanged_by_te() -> None:
    """Light's ponta is worth 0.44138 and its fora ponta 0.28933."""
    found = scee(
        {"from": "2026-03-20"},
        distributor="light",
        subgroup="B1",
        modality="branca",
        generation={"type": "gd1"},
        overrides=TAXES,
    )

    assert found["weights"]["ponta"] == "0.44138"
    assert found["schedule"]["default"] == "fora_ponta"


def test_registers_of_postos_count_what_is_injected() -> None:
    """A meter of the branca has a register of each direction and posto."""
    found = scee(
        {"from": "2026-03-20"},
        distributor="light",
        subgroup="B1",
        modality="branca",
        registers=True,
        generation={"type": "gd1"},
        overrides={**TAXES, "icms": [{"rate": "0.18"}]},
    )

    assert found["registers"]["ponta"] == "export.ponta"
    assert "schedule" not in found


def test_a_contract_may_say_its_part_of_a_cooperative() -> None:
    """`shared` asks contracts for the percentages, and for what was injected."""
    own = {"type": "gd2", "shared": True, "injects": False}
    tariff = made(**{**CEMIG, "generation": own}).tariff
    part = {
        "unit": "casa",
        "percents": {"casa": "25", "loja": "75"},
        "injected": {"2026-07": "1000"},
    }

    assert faults(lambda: read(tariff).filled({})) == {"/parameters/rateio": "missing_parameter"}
    charges = read(tariff).filled({"rateio": part}).versions[0].charges
    (found,) = (one for one in charges if one.kind == "brazil.scee")
    assert found.sharing.percents["casa"] == 25  # type: ignore[attr-defined]


def test_a_request_may_say_which_taxes_there_are() -> None:
    """One customer of Cemig has PIS and COFINS on offset energy in 2026, and others do not."""
    said = {"offset_taxes": ["pis_cofins"], "credit_taxes": ["pis_cofins"]}
    usual, own = scee(CEMIG), scee(CEMIG, overrides=said)

    assert usual["consumed_tags"] == ["sem_icms", "sem_pis_cofins"]
    assert own["consumed_tags"] == ["sem_icms"]
    assert own["own_tags"] == {"total": ["sem_icms"]}


def test_icms_without_pis_and_cofins_has_them_in_its_base() -> None:
    """Espírito Santo: what is injected gives ICMS back, and PIS and COFINS stay in its base."""
    found = scee({**EDP, "from": "2025-11-28"})

    assert found["own_tags"] == {"tusd": ["pis_cofins_na_base"], "te": ["pis_cofins_na_base"]}


def test_group_a_has_credits_of_both_postos_and_no_minimum() -> None:
    """Who contracts demand pays that as the least; ponta and fora ponta are exchanged by TE."""
    found = scee(
        {"from": "2026-07-20"},
        distributor="cpfl-paulista",
        subgroup="A4",
        modality="azul",
        generation={"type": "gd1"},
    )

    assert set(found["weights"]) == {"ponta", "fora_ponta"}
    assert "minimum" not in found


def test_the_free_market_has_no_credits() -> None:
    """The SCEE is of captive customers: generation beside a contract of the ACL is refused."""
    request = {
        "distributor": "cpfl-paulista",
        "subgroup": "A4",
        "modality": "azul",
        "free_market": True,
        "generation": {"type": "gd1"},
        "from": "2026-07-20",
    }

    assert faults(lambda: made(**request)) == {"/generation": "no_scee"}

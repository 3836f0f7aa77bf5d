"""Sites, meters and contracts are made, changed, ended and deleted on pages."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import (
    tariff_demand_contracted,
    tariff_fixed,
    tariff_flat,
)
from energia_plugins.console import Console, Settings
from energia_plugins.console.forms import Form
from energia_plugins.console.pages.record_meters import with_channel, without_channel
from energia_plugins.console.records.fields import id_of
from energia_plugins.console.records.parameters import asked
from energia_plugins.console.words import words
from tests.plugins.console.people import Person
from tests.plugins.console.service import Service
from tests.plugins.console.test_import import IMPORT, METER, SITE
from tests.serving import Client, Serving, make_core

TARIFF: dict[str, Any] = {
    "name": "A4 verde",
    "currency": "BRL",
    "timezone": "America/Sao_Paulo",
    "versions": [
        {
            "valid_from": "2025-01-01",
            "charges": [
                {"kind": "energy.flat", "rate": "0.80"},
                {
                    "kind": "demand.contracted",
                    "description": "Demanda contratada",
                    "rate": "20",
                    "contracted": {"parameter": "contracted_kw"},
                },
                {
                    "kind": "fixed",
                    "description": "Iluminação pública",
                    "amount": {"parameter": "cosip", "default": "15.50"},
                    "per": "month",
                },
            ],
        }
    ],
}
PLAIN = {**TARIFF, "versions": [{"valid_from": "2025-01-01", "charges": [{"kind": "fixed"}]}]}
PLAIN["versions"][0]["charges"] = [{"kind": "energy.flat", "rate": "0.80"}]


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve the console, with nothing stored."""
    plugins = Plugins.of(
        console=Console(Settings()),
        flat=tariff_flat,
        demand=tariff_demand_contracted,
        fixed=tariff_fixed,
    )
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        yield client


async def an_inn(client: Client) -> None:
    """Store a site, a meter of one channel, and two tariffs."""
    await client.put("/v1/sites/pepira", json=SITE)
    await client.put("/v1/meters/uc-1", json={**METER, "channels": [IMPORT]})
    for name, tariff in (("verde", TARIFF), ("plana", PLAIN)):
        assert (await client.put(f"/v1/tariffs/{name}", json=tariff)).status == 201


async def get(client: Client, path: str) -> dict[str, Any]:
    """Return what the API says."""
    async with client.get(path) as answer:
        found: dict[str, Any] = await answer.json()
        return found


async def test_nothing_is_there_yet(client: Client) -> None:
    """Each section says so, and what to make first."""
    english = await Person(client).see("/console/records")
    portuguese = await Person(client, "pt-BR").see("/console/records")

    assert "There is no site yet." in english.text
    assert "New meter" not in english.text
    assert "Ainda não há local." in portuguese.text


async def test_a_site_a_meter_and_a_contract(client: Client) -> None:
    """They are made one after another, by what a person types, and are listed then."""
    for name, tariff in (("verde", TARIFF), ("plana", PLAIN)):
        await client.put(f"/v1/tariffs/{name}", json=tariff)
    person = Person(client, "pt-BR")

    new = await person.see("/console/records/new-site")
    site = await person.send(new, {"/name": "Pousada Pepira"})
    new = await person.see("/console/records/new-meter?site=pousada-pepira")
    meter = await person.send(new, {"/name": "Medidor principal", "/id": "4.002.118"})
    new = await person.see("/console/records/new-contract?meter=4.002.118&tariff=verde")
    typed = {"/start": "2026-01-01", "/end": "2026-12-31", "/parameters/contracted_kw": "40,5"}
    contract = await person.send(new, typed)
    records = await person.see("/console/records")

    assert site.path == "/console/records/sites/pousada-pepira?saved=yes"
    assert site.fields["/timezone"] == "America/Sao_Paulo"
    assert meter.status == 200, meter.text
    assert contract.path == "/console/records/contracts/4-002-118-2026?saved=yes"
    assert contract.fields["/end"] == "2026-12-31"
    assert contract.fields["/parameters/contracted_kw"] == "40,5"
    assert "Pousada Pepira Brasil America/Sao_Paulo BRL" in records.text
    assert "Consumo, kWh, 15 min" in records.text
    stored = await get(client, "/v1/contracts/4-002-118-2026")
    assert stored["end"] == "2027-01-01"
    assert stored["parameters"] == {"contracted_kw": "40.5"}


async def test_mistakes_are_at_their_fields(client: Client) -> None:
    """What is wrong stands at its field, in the language of the page, and nothing typed is lost."""
    await an_inn(client)
    person = Person(client, "pt-BR")

    page = await person.see("/console/records/new-site")
    site = await person.send(page, {"/name": "", "/currency": "reais"})
    page = await person.see("/console/records/new-meter")
    wrong = {"/name": "Anexo", "/channels/0/unit": "kvarh"}
    meter = await person.send(page, wrong)
    page = await person.see("/console/records/new-contract?meter=uc-1&tariff=verde")
    contract = await person.send(page, {"/start": "2026-02-01", "/end": "2026-01-01"})
    page = await person.see("/console/records/new-contract?meter=uc-1&tariff=verde")
    demand = await person.send(page, {"/start": "2026-02-01"})

    assert site.status == meter.status == contract.status == demand.status == 422
    assert site.fault("/name") == "Preencha este campo."
    assert site.fault("/currency").startswith("Essa moeda não existe.")
    assert site.fields["/currency"] == "reais"
    assert meter.fault("/channels/0/unit") == "Essa grandeza não se mede nesta unidade."
    assert meter.fields["/name"] == "Anexo"
    assert contract.fault("/end") == "O último dia não pode ser antes do primeiro."
    assert demand.fault("/parameters/contracted_kw") == "A tarifa precisa deste valor."


async def test_a_mistake_is_not_folded_away(client: Client) -> None:
    """What is rarely asked is open where something in it is wrong."""
    await an_inn(client)
    person = Person(client, "pt-BR")

    page = await person.see("/console/records/new-meter")
    refused = await person.send(page, {"/name": "Anexo", "/channels/0/max_power": "doze"})

    assert "<details open>" not in page.html
    assert refused.status == 422
    assert refused.fault("/channels/0/max_power")
    assert "<details open>" in refused.html


async def test_what_is_proposed_for_a_site_and_a_meter(client: Client) -> None:
    """What all sites have alike; where there are two sites, neither is taken for granted."""
    await an_inn(client)
    person = Person(client, "pt-BR")
    alone = await person.see("/console/records/new-meter")
    alike = await person.see("/console/records/new-site")
    abroad = {**SITE, "name": "Cottage", "country": "GB", "timezone": "Europe/London"}
    await client.put("/v1/sites/cottage", json={**abroad, "currency": "GBP"})

    among = await person.see("/console/records/new-meter")
    differing = await person.see("/console/records/new-site")

    assert alone.fields["/site"] == "pepira"
    assert among.fields["/site"] == ""
    assert alike.fields["/timezone"] == SITE["timezone"]
    assert differing.fields["/timezone"] == differing.fields["/currency"] == ""


async def test_countries_are_those_that_there_are(client: Client) -> None:
    """In the order of the alphabet, marks or not; nothing that is no country, nor such a zone."""
    text = (await Person(client, "pt-BR").see("/console/records/new-site")).text

    assert text.index("Áustria") < text.index("Azerbaijão") < text.index("Zimbábue")
    for other in ("Pseudobidirecional", "Região desconhecida", "União Europeia", "Etc/Unknown"):
        assert other not in text


async def test_two_of_one_name(client: Client) -> None:
    """A name that is taken is told at its field."""
    await an_inn(client)
    person = Person(client)

    page = await person.see("/console/records/new-site")
    taken = await person.send(page, {"/name": "Another inn", "/id": "pepira"})

    assert taken.status == 409
    assert taken.fault("/id").startswith("There is another one with this name already.")


async def test_what_somebody_else_has_changed_is_not_overwritten(client: Client) -> None:
    """It is told, with both values; saved again, it is put in the other's place."""
    await an_inn(client)
    person = Person(client)

    page = await person.see("/console/records/sites/pepira")
    await client.put("/v1/sites/pepira", json={**SITE, "name": "Pousada do Rio"})
    told = await person.send(page, {"/name": "Pousada Nova"})
    kept = await get(client, "/v1/sites/pepira")
    again = await person.send(told)

    assert told.status == 412
    assert "Somebody has changed this since you opened it." in told.text
    assert "Name Pousada do Rio Pousada Nova" in told.text
    assert kept["name"] == "Pousada do Rio"
    assert "Saved." in again.text
    assert (await get(client, "/v1/sites/pepira"))["name"] == "Pousada Nova"


async def test_channels_come_and_go(client: Client) -> None:
    """A channel is added and another taken away before the meter is saved; empty fields go."""
    await an_inn(client)
    person = Person(client)

    page = await person.see("/console/records/meters/uc-1")
    two = await person.send(page, {"do": "add"})
    nameless = await person.send(two, {"/name": ""})
    saved = await person.send(nameless, {"/channels/1/id": "export", "/name": ""})
    both = await get(client, "/v1/meters/uc-1")
    one = await person.send(saved, {"do": "remove-0"})
    await person.send(one)
    left = await get(client, "/v1/meters/uc-1")

    assert nameless.fault("/channels/1/id") == "Please fill this in."
    assert [channel["id"] for channel in both["channels"]] == ["import", "export"]
    assert "name" not in both
    assert [channel["id"] for channel in left["channels"]] == ["export"]


async def test_a_contract_ends(client: Client) -> None:
    """Its last day is the day before the end; emptied, it goes on; a value that is emptied goes."""
    await an_inn(client)
    person = Person(client)
    body = {
        "meter": "uc-1",
        "tariff": "verde",
        "start": "2026-01-01",
        "parameters": {"contracted_kw": 40, "cosip": "20"},
    }
    await client.put("/v1/contracts/uc", json=body)

    page = await person.see("/console/records/contracts/uc")
    ended = await person.send(page, {"/end": "2026-06-30"})
    end = (await get(client, "/v1/contracts/uc"))["end"]
    await person.send(ended, {"/end": "", "/parameters/cosip": ""})
    on = await get(client, "/v1/contracts/uc")

    assert page.fields["/parameters/contracted_kw"] == "40"
    assert "Without it: 15.50." in page.text
    assert end == "2026-07-01"
    assert "end" not in on
    assert on["parameters"] == {"contracted_kw": "40"}


async def test_another_tariff_asks_for_something_else(client: Client) -> None:
    """Its fields are shown before it is saved; what it does not ask for goes."""
    await an_inn(client)
    person = Person(client)
    body = {"meter": "uc-1", "tariff": "verde", "start": "2026-01-01"}
    await client.put("/v1/contracts/uc", json={**body, "parameters": {"contracted_kw": 40}})

    page = await person.see("/console/records/contracts/uc")
    plain = await person.send(page, {"/tariff": "plana", "do": "choose"})
    await person.send(page, {"/tariff": "plana"})

    assert "Nothing: it is the same for all its customers." in plain.text
    stored = await get(client, "/v1/contracts/uc")
    assert (stored["tariff"], stored["parameters"]) == ("plana", {})


async def test_a_site_with_meters_stays(client: Client) -> None:
    """It is said what is there; without meters it goes."""
    await an_inn(client)
    person = Person(client)

    full = await person.see("/console/records/sites/pepira/delete")
    await client.delete("/v1/meters/uc-1")
    question = await person.see("/console/records/sites/pepira/delete")
    gone = await person.send(question)

    assert "1 meter is there. Delete it, or move it to another site, before." in full.text
    assert "Medidor principal" in full.text
    assert gone.path == "/console/records"
    assert "There is no site yet." in gone.text


async def test_what_goes_with_a_meter(client: Client) -> None:
    """The question says how many readings and contracts go; the answer says why, and they go."""
    await an_inn(client)
    at = [f"2026-01-01T00:{minute}:00-03:00" for minute in ("00", "15", "30")]
    readings = [{"meter": "uc-1", "start": start, "value": 0.5} for start in at]
    sent = await client.post("/v1/readings", json={"readings": readings})
    assert sent.status == 200, await sent.text()
    body = {"meter": "uc-1", "tariff": "plana", "start": "2026-01-01"}
    await client.put("/v1/contracts/uc", json=body)
    person = Person(client, "pt-BR")

    question = await person.see("/console/records/meters/uc-1/delete")
    reasonless = await person.send(question)
    gone = await person.send(question, {"/reason": "pedido 17"})

    assert "Serão apagados: 3 leituras de 2026 e 1 contrato." in question.text
    assert (reasonless.status, reasonless.fault("/reason")) == (422, "Diga por quê.")
    assert gone.path == "/console/records"
    assert (await client.get("/v1/meters/uc-1")).status == 404


async def test_an_empty_meter_goes_at_once(client: Client) -> None:
    """Nothing goes with it, and no reason is asked for."""
    await an_inn(client)
    person = Person(client)

    question = await person.see("/console/records/meters/uc-1/delete")
    await person.send(question)

    assert "No reading and no contract goes with it." in question.text
    assert "Why it is deleted" not in question.text
    assert (await client.get("/v1/meters/uc-1")).status == 404


async def test_a_contract_is_deleted(client: Client) -> None:
    """It goes, and what it referred to stays."""
    await an_inn(client)
    body = {"meter": "uc-1", "tariff": "plana", "start": "2026-01-01"}
    await client.put("/v1/contracts/uc", json=body)
    person = Person(client)

    question = await person.see("/console/records/contracts/uc/delete")
    gone = await person.send(question)

    assert "The meter uc-1, its readings and the tariff stay." in question.text
    assert gone.path == "/console/records"
    assert "There is no contract yet." in gone.text


async def test_who_only_reads_sees_no_buttons(service: Service) -> None:
    """What a token does not allow is not shown: no making, no saving, no contracts, no import."""
    made = await service.client.put(
        "/v1/sites/pepira",
        json=SITE,
        headers={"Authorization": f"Bearer {await service.token()}"},
    )
    assert made.status == 201
    await service.sign_in("readings:read")

    records = await service.get("/console/records")
    site = await service.get("/console/records/sites/pepira")
    files = await service.get("/console/import")
    refused = await service.post("/console/records/new-site", {"/name": "Another"})

    assert "New site" not in records.text
    assert "Contracts" not in records.text
    assert "Save the site" not in site.text
    assert "Delete the site" not in site.text
    assert "Choose a file" not in files.text
    assert refused.status == 403


# What forms are made of.


def test_ids_are_made_of_names() -> None:
    """Accents and blanks go; what is too long is cut."""
    assert id_of("Pousada São João") == "pousada-sao-joao"
    assert id_of("UC 4.002.118", "2026") == "uc-4-002-118-2026"
    assert id_of("", "") == ""
    assert len(id_of("x" * 100)) == 64


def test_channels_of_a_form() -> None:
    """One is added behind the others; where one is taken away, those behind it move up."""
    two = with_channel(with_channel(Form({"/name": "A"})))
    one = without_channel(two, 0)

    assert two.get("/channels/1/direction") == "export"
    assert one.get("/channels/0/direction") == "export"
    assert "/channels/1/id" not in one.values
    assert one.get("/name") == "A"


def test_what_a_tariff_asks_for() -> None:
    """A parameter has the type of the field in whose place it stands."""
    schema = {
        "$ref": "#/$defs/Levy",
        "$defs": {
            "Levy": {
                "properties": {
                    "amount": {"$ref": "#/$defs/Amount", "description": "So much."},
                    "meters": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
                    "per": {"enum": ["day", "month"]},
                    "since": {"type": "string", "format": "date"},
                    "rates": {"additionalProperties": {"type": "boolean"}},
                    "events": {"type": "array", "items": {"type": "string"}},
                }
            },
            "Amount": {"type": ["string", "number"], "format": "decimal"},
        },
    }
    charge = {
        "kind": "levy",
        "amount": {"parameter": "a"},
        "meters": {"parameter": "b", "default": 1},
        "per": {"parameter": "c"},
        "since": {"parameter": "d"},
        "rates": {"peak": {"parameter": "e"}},
        "events": {"parameter": "f"},
    }
    tariff = {"versions": [{"valid_from": "2026-01-01", "charges": [charge]}]}

    found = {one.name: one for one in asked(tariff, [{"kind": "levy", "schema": schema}])}

    kinds = [found[name].kind for name in "abcdef"]
    assert kinds == ["number", "integer", "choice", "date", "boolean", "json"]
    assert found["a"].hint == "So much."
    assert (found["b"].default, found["b"].required) == ("1", False)
    assert found["c"].choices == ("day", "month")
    portuguese = words("pt-BR")
    assert found["a"].value("1.234,5", portuguese) == "1234.5"
    assert found["b"].value("2", portuguese) == 2
    assert found["e"].value("true", portuguese) is True
    assert found["f"].value("[1]", portuguese) == [1]
    assert found["f"].value("[", portuguese) == "["
    assert found["a"].typed("40.5", portuguese) == "40,5"

"""Importing files by clicks: what they say, how they are read, what is stored."""

import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import attrs
import pytest

from energia.db.pool import Pool
from energia.plugins import Plugins
from energia.settings import Settings
from energia_plugins import meter_csv, meter_octopus
from energia_plugins.console import Console
from energia_plugins.console import Settings as ConsoleSettings
from energia_plugins.console.imports.mappings import Sheet
from energia_plugins.console.imports.outcomes import Told
from energia_plugins.console.imports.pictures import days_picture
from energia_plugins.console.words import words
from tests.plugins.console.people import Person, Shown
from tests.serving import Client, Serving, make_core

SITE = {
    "name": "Pousada Pepira",
    "timezone": "America/Sao_Paulo",
    "country": "BR",
    "currency": "BRL",
}
IMPORT = {
    "id": "import",
    "quantity": "active_energy",
    "direction": "import",
    "unit": "kWh",
    "interval": "PT15M",
}
REACTIVE = {**IMPORT, "id": "reactive", "quantity": "reactive_energy", "unit": "kvarh"}
METER = {"site": "pepira", "name": "Medidor principal", "channels": [IMPORT, REACTIVE]}
#: Nine quarter-hours of the night of the first of November: 0.25, 0.5, ... 2.25 kWh.
_TOTAL = "11,3 kWh"


def memory(rows: int = 9, first: str = "01/11/2026 00:00") -> bytes:
    """Return an export of a meter as Brazilian ones are: semicolons, commas, dd/mm/yyyy."""
    start = datetime.strptime(first, "%d/%m/%Y %H:%M")
    lines = ["Unidade consumidora;4.002.118", "", "Data/Hora;Consumo (kWh);Reativo (kvarh)"]
    for row in range(rows):
        value = f"{(row % 96 + 1) / 4:.2f}".replace(".", ",")
        lines.append(f"{start + timedelta(minutes=15 * row):%d/%m/%Y %H:%M};{value};0,1")
    return "\r\n".join(lines).encode("latin-1")


@pytest.fixture(name="client")
async def _client(pool: Pool, serving: Serving) -> AsyncIterator[Client]:
    """Serve an inn with a meter of two channels."""
    console = Console(ConsoleSettings())
    plugins = Plugins.of(console=console, csv=meter_csv)
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        assert (await client.put("/v1/sites/pepira", json=SITE)).status == 201
        assert (await client.put("/v1/meters/uc-1", json=METER)).status == 201
        yield client


async def chosen(person: Person, data: bytes, name: str = "massa.csv", meter: str = "") -> Shown:
    """Choose a file, and see what it says."""
    page = await person.see("/console/import")
    return await person.send(page, {"meter": meter} if meter else {}, file=(name, data))


async def stored(client: Client, channel: str = "import") -> list[float | None]:
    """Return the readings of the first hours of November."""
    window = "start=2026-11-01&end=2026-11-02"
    async with client.get(f"/v1/meters/uc-1/readings?{window}&channel={channel}") as answer:
        return [value for value in (await answer.json())["values"] if value is not None]


async def test_a_brazilian_export_goes_through_by_clicks(client: Client) -> None:
    """Its semicolons, commas, dates and zone are found; it is seen, checked and then stored."""
    person = Person(client, "pt-BR")

    seen = await chosen(person, memory())
    checked = await person.send(seen, {"do": "check"})
    nothing_yet = await stored(client)
    done = await person.send(checked, {"do": "import"})

    assert seen.status == 200, seen.text
    assert f"9 valores em 1 nov. 2026: {_TOTAL} ao todo." in seen.text.replace("\xa0", " ")
    assert "01/11/2026 00:00;0,25;0,1" in seen.text
    assert seen.fields["timezone"] == "America/Sao_Paulo"
    assert seen.fields["channel"] == "import"
    assert "A guardar: 9 leituras novas." in checked.text
    assert nothing_yet == []
    assert "Guardado: 9 leituras novas." in done.text
    assert "/console/meters/uc-1?from=2026-11-01&amp;to=2026-11-02" in done.html
    assert await stored(client) == [0.25 * (row + 1) for row in range(9)]


async def test_what_a_file_does_not_say_is_asked(client: Client) -> None:
    """What is in doubt is marked with its reason, beside what is proposed."""
    seen = await chosen(Person(client), memory())

    assert "Please check. Day and month cannot be told apart in these rows." in seen.text
    assert "Please check. Other columns have numbers, too." in seen.text
    assert "Please check. The file does not name a channel." in seen.text
    assert "Consumo (kWh): 0,25" in seen.text


async def test_another_column_for_another_channel(client: Client) -> None:
    """What a person corrects is how the file is read then, and nothing else is made up."""
    person = Person(client)

    seen = await chosen(person, memory())
    other = {"value_column": "Reativo (kvarh)", "channel": "reactive", "do": "look"}
    again = await person.send(seen, other)
    done = await person.send(again, {"do": "import"})

    assert again.fields["value_column"] == "Reativo (kvarh)"
    assert "0.1 kvarh" in again.text.replace("\xa0", " ")
    assert "Please check." not in again.text
    assert "Stored: 9 new readings." in done.text
    assert await stored(client, "reactive") == [0.1] * 9


async def test_a_meter_that_is_chosen_later(client: Client) -> None:
    """Its channel and the zone of its site are filled in; nothing is stored before they show."""
    await client.put("/v1/meters/uc-2", json={**METER, "name": "Anexo"})
    person = Person(client)

    seen = await chosen(person, memory())
    moved = await person.send(seen, {"meter": "uc-1", "do": "import"})
    nothing_yet = await stored(client)
    done = await person.send(moved, {"do": "import"})

    assert seen.fields["timezone"] == ""
    assert moved.fields["timezone"] == "America/Sao_Paulo"
    assert moved.fields["channel"] == "import"
    assert "9 new readings would be stored. Nothing is stored yet." in moved.text
    assert nothing_yet == []
    assert "Stored: 9 new readings." in done.text


async def test_a_file_comes_again(client: Client) -> None:
    """What is stored already changes nothing, and the page says so."""
    person = Person(client)
    await person.send(await chosen(person, memory()), {"do": "import"})

    done = await person.send(await chosen(person, memory()), {"do": "import"})

    assert "Nothing has changed: what the file says was stored already." in done.text
    assert "stored already, the same 9" in done.text


async def test_wrong_lines_are_shown_as_they_are(client: Client) -> None:
    """An import with a wrong line stores nothing; without that line it stores the rest."""
    person = Person(client)
    data = memory() + b"\r\n01/11/2026 02:15;muito;0,1\r\n01/11/2026 02:30;2,5;0,1"

    seen = await chosen(person, data)
    refused = await person.send(seen, {"do": "import"})
    nothing = await stored(client)
    rest = await person.send(refused, {"do": "skip"})

    assert refused.status == 422
    assert "Nothing was stored." in refused.text
    assert "01/11/2026 02:15;muito;0,1" in refused.text
    assert "13 Not a number" in refused.text
    assert refused.text.count("Not a number") == 1
    assert nothing == []
    assert "Stored: 10 new readings." in rest.text
    assert "refused 1" in rest.text
    assert "01/11/2026 02:15;muito;0,1" in rest.text


async def test_a_layout_is_saved_used_and_deleted(client: Client) -> None:
    """How a file is read is kept under a name, reads the next file, and goes when one says so."""
    person = Person(client)
    seen = await chosen(person, memory())

    nameless = await person.send(seen, {"do": "save", "name": ""})
    saved = await person.send(seen, {"do": "save", "name": "Memória de massa"})
    home = await person.see("/console/import")
    next_one = await chosen(person, memory(first="02/11/2026 00:00"))
    used = await person.send(next_one, {"do": "use", "use": "memoria-de-massa"})
    question = await person.see("/console/import/layouts/memoria-de-massa/delete")
    gone = await person.send(question)

    assert (nameless.status, nameless.fault("name")) == (422, "Give it a name.")
    assert "The layout is saved as memoria-de-massa." in saved.text
    assert "memoria-de-massa massa.csv Delete" in home.text
    assert used.fields["value_column"] == "Consumo (kWh)"
    assert "9 values on 2 Nov 2026" in used.text.replace("\xa0", " ")
    assert "Readings that came in by it stay." in question.text
    assert "Saved layouts" not in gone.text


async def test_no_file_and_no_meter(client: Client) -> None:
    """A form without a file is shown again with what is wrong; so is a meter that nobody names."""
    person = Person(client)
    await client.put("/v1/meters/uc-2", json={**METER, "name": "Anexo"})

    empty = await chosen(person, b"")
    seen = await chosen(person, memory())

    assert (empty.status, empty.fault("file")) == (422, "Choose a file that is not empty.")
    assert seen.fields["meter"] == ""
    assert "The file does not name a meter: choose it." in seen.text


@pytest.mark.parametrize(
    "query",
    [
        "encoding=nonsense",
        "encoding=base64",
        "delimiter=%22",
        "delimiter=tab",
        "timezone=%2B03:00",
        "timezone=../..",
        "header=999999",
        "date_format=%25Q",
        "meter=nobody",
        "nonsense=1",
        "format=excel",
    ],
)
async def test_nonsense_is_told(client: Client, query: str) -> None:
    """Whatever a URL says of a file, its page shows what can be seen of it and what is wrong."""
    person = Person(client)
    seen = await chosen(person, memory(), meter="uc-1")
    path = seen.path.partition("?")[0]

    shown = await person.see(
        f"{path}?format=csv&{query}" if "format" not in query else f"{path}?{query}"
    )
    checked = await person.send(shown, {"do": "check"}) if shown.status < 400 else shown

    assert shown.status in (200, 404, 422), shown.text
    assert checked.status in (200, 404, 422), checked.text


async def test_a_file_waits_for_who_has_sent_it(client: Client) -> None:
    """A file that is not kept is told; one that is let go is not kept any more."""
    person = Person(client)
    seen = await chosen(person, memory())
    path = seen.path

    await person.send(seen, {"do": "forget"})
    gone = await person.see(path)

    assert gone.status == 404
    assert "choose it once again" in gone.text


async def test_a_form_of_another_site_keeps_nothing(client: Client, pool: Pool) -> None:
    """A file that a page of another site sends is refused before it is kept."""
    headers = {"Sec-Fetch-Site": "cross-site"}
    async with client.post("/console/import", data={"file": "x"}, headers=headers) as answer:
        assert answer.status == 403

    kept = await pool.tenant().fetch(int, "select count(*) from job")
    assert kept == [0]


async def test_nothing_was_imported_yet(client: Client) -> None:
    """The page says so, in both languages."""
    english = await Person(client).see("/console/import")
    portuguese = await Person(client, "pt-BR").see("/console/import")

    assert "Nothing was imported yet." in english.text
    assert "Nada foi importado ainda." in portuguese.text
    assert "Choose a file" in english.text
    assert "Escolha um arquivo" in portuguese.text


async def test_a_long_file_is_a_job(pool: Pool, serving: Serving) -> None:
    """A file over `jobs.import_bytes` is read by a job, which the page shows until its end."""
    jobs = attrs.evolve(Settings().jobs, import_bytes=1000, concurrency=1)
    settings = attrs.evolve(Settings(), jobs=jobs)
    plugins = Plugins.of(console=Console(ConsoleSettings()), csv=meter_csv)
    async with serving(make_core(plugins=plugins, pool=pool, settings=settings)) as client:
        await client.put("/v1/sites/pepira", json=SITE)
        await client.put("/v1/meters/uc-1", json=METER)
        person = Person(client)
        seen = await chosen(person, memory(96))
        page = await person.send(seen, {"do": "import"})
        assert page.path.startswith("/console/import/jobs/")
        while 'data-progress="on"' in page.html:
            page = await person.see(page.path)

        assert "Stored: 96 new readings." in page.text


async def test_what_is_seen_of_a_long_file(client: Client) -> None:
    """Of a file over a megabyte the beginning is shown, which is said; all of it is checked."""
    person = Person(client)
    data = memory(45_000, "01/01/2020 00:00")
    assert 1_000_000 < len(data) < 4_000_000

    seen = await chosen(person, data)
    checked = await person.send(seen, {"do": "check"})

    assert "Its first megabyte: " in seen.text
    assert "45,000 new readings would be stored." in checked.text


async def test_a_format_that_says_all_by_itself(pool: Pool, serving: Serving) -> None:
    """It is recognized, and nothing is asked but whose readings they are."""
    plugins = Plugins.of(console=Console(ConsoleSettings()), octopus=meter_octopus)
    async with serving(make_core(plugins=plugins, pool=pool)) as client:
        await client.put("/v1/sites/pepira", json=SITE)
        await client.put("/v1/meters/uc-1", json={**METER, "channels": [IMPORT]})
        person = Person(client)
        result = '{"consumption": 0.5, "interval_start": "2026-11-01T03:00:00Z", '
        result += '"interval_end": "2026-11-01T03:15:00Z"}'
        data = f'{{"count": 1, "next": null, "previous": null, "results": [{result}]}}'
        seen = await chosen(person, data.encode(), "octopus.json")
        done = await person.send(seen, {"do": "import"})

        assert "format=octopus" in seen.path
        assert "Columns" not in seen.text
        assert "Stored: 1 new reading." in done.text


def test_the_days_of_a_file() -> None:
    """Each has a bar of its height, however many channels it has; one day has no picture."""
    days = [
        {"day": "2026-11-01", "sum": "10", "slots": 96, "channel": "import"},
        {"day": "2026-11-01", "sum": "30", "slots": 96, "channel": "export"},
        {"day": "2026-11-02", "sum": "20", "slots": 96},
    ]

    drawn = days_picture(words("en"), days, "kWh")

    assert days_picture(words("en"), days[:2], "kWh") is None
    assert drawn is not None
    heights = re.findall(r'<rect [^>]*height="([0-9.]+)" class="grey"', drawn)
    assert heights == ["74", "37", "74", "37"]
    assert "kWh a day" in drawn
    assert "From 1 Nov 2026 to 2 Nov 2026" in drawn.replace("\xa0", " ")


def test_the_columns_of_a_text() -> None:
    """They are named by the row that has them; by places where names are missing or double."""
    named = Sheet.of(memory(2), {"delimiter": ";", "header": "named", "start_column": "Data/Hora"})
    double = Sheet.of(b"a;a;;b\n1;2;3;4", {"delimiter": ";"})
    nameless = Sheet.of(b"1,2\n3,4", {"header": "none"})

    assert named.columns == ("Data/Hora", "Consumo (kWh)", "Reativo (kvarh)")
    assert named.sample(1) == "0,25"
    assert double.columns == ("#1", "#2", "#3", "b")
    assert nameless.columns == ("#1", "#2")


def test_an_outcome_in_words() -> None:
    """It says what is stored, what would be, or that nothing is, and why."""
    names = ("received", "created", "unchanged", "corrected", "repeated", "superseded", "missing")
    none = {**dict.fromkeys(names, 0), "rejected": 0}
    english, portuguese = words("en"), words("pt-BR")

    both = {**none, "received": 3, "created": 2, "corrected": 1}
    assert Told.of(english, both).answer == "Stored: 2 new readings and 1 corrected reading."
    told = Told.of(portuguese, both, dry=True).answer
    assert told == "A guardar: 2 leituras novas e 1 leitura corrigida. Nada foi guardado ainda."
    wrong = Told.of(english, {**none, "received": 4, "rejected": 4}, dry=True)
    assert wrong.answer == "Nothing can be stored: 4 of 4 readings are refused."
    assert not wrong.stores

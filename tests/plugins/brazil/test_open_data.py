"""ANEEL's open data are read as they are published, and what is wrong in them is named."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from energia import Invalid
from energia_plugins.tariff_brazil.aneel import component_rows, flag_rows, tariff_rows
from energia_plugins.tariff_brazil.commands import brasil
from energia_plugins.tariff_brazil.inventory import news
from energia_plugins.tariff_brazil.table_files import File, Folder
from energia_plugins.tariff_brazil.tables import Tables, tables, tables_of
from tests.plugins.brazil.open_data import (
    COMPONENT_COLUMNS,
    FLAGS,
    TARIFF_COLUMNS,
    tariff_row,
    tariffs,
)

ROW = tariff_row("2026-03-15", "2027-03-14", "614,92", "297,71")
ECONOMIC = tariff_row("2026-03-15", "2027-03-14", "600,00", "290,00", basis="Base Econômica")
#: A component of Castro's, as ANEEL has it.
FIO_B = (
    "2026-01;REH;CASTRO-DIS;30460297000139;2025-07-30;2026-07-29;Tarifa de Aplicação;B1;"
    "Convencional;Residencial;Residencial;Não se aplica;Não se aplica;R$/MWh;TUSD_FioB;167,4807057"
)


def file(*rows: str, columns: str = TARIFF_COLUMNS) -> bytes:
    """Return a file in UTF-8 with semicolons."""
    return "\n".join([columns, *rows, ""]).encode()


def faults(read: Callable[[], object]) -> list[tuple[str, str]]:
    """Return the codes and messages of what is refused."""
    with pytest.raises(Invalid) as refused:
        read()
    return [(fault.code, fault.message) for fault in refused.value.faults]


def quoted(data: bytes) -> bytes:
    """Return a file whose texts are in quotation marks, with commas between the columns."""
    lines = data.decode().splitlines()
    return "\n".join(",".join(f'"{cell}"' for cell in line.split(";")) for line in lines).encode()


SHAPES: dict[str, Callable[[bytes], bytes]] = {
    "utf-8": lambda data: data,
    "utf-8 with a mark": lambda data: b"\xef\xbb\xbf" + data,
    "latin-1": lambda data: data.decode().encode("latin-1"),
    "commas and quotation marks": quoted,
    "lines of Windows": lambda data: data.replace(b"\n", b"\r\n"),
    "days of Brazil": lambda data: data.replace(b"2026-03-15", b"15/03/2026"),
    "instants": lambda data: data.replace(b"2026-03-15", b"2026-03-15T00:00:00"),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_shapes_of_years(shape: str) -> None:
    """Each reads as the others do: "Tarifa de Aplicação" alone, by its folded names."""
    rows = tariff_rows(SHAPES[shape](file(ECONOMIC, ROW)), "aneel")

    assert [(row.agent, row.start, row.tusd, row.te, row.unit) for row in rows] == [
        ("ENEL RJ", date(2026, 3, 15), Decimal("614.92"), Decimal("297.71"), "mwh")
    ]
    assert (rows[0].class_, rows[0].posto) == ("residencial", "nao se aplica")


def test_zero_is_a_comma_and_two_digits() -> None:
    """ANEEL writes `,00`; a date of the end may lack."""
    (row,) = tariff_rows(file(tariff_row("2026-03-15", "", "1.614,92", ",00")), "aneel")

    assert (row.tusd, row.te, row.end) == (Decimal("1614.92"), Decimal(0), None)


def test_components_have_their_unit_with_the_currency() -> None:
    """`R$/MWh` is the unit that tariffs spell `MWh`."""
    (row,) = component_rows(file(FIO_B, columns=COMPONENT_COLUMNS), "aneel")

    assert (row.unit, row.component, row.value) == ("mwh", "tusd fiob", Decimal("167.4807057"))


def test_components_are_of_their_distributor_and_day() -> None:
    """Castro's Fio B until July 2026, by any of its names, and no other's."""
    (row,) = tables().components_of(tables().distributor("Castro-DIS"))

    assert (row.start, row.end) == (date(2025, 7, 30), date(2026, 7, 29))
    assert row.value == Decimal("167.4807057")


def test_flags_in_both_shapes() -> None:
    """ANEEL's columns, and ours with a decimal point."""
    ours = b"competencia;bandeira;adicional_brl_mwh;fonte\n2026-08-01;Vermelha P1;44.63;ANEEL\n"
    theirs = (
        b"DatGeracaoConjuntoDados;DatCompetencia;NomBandeiraAcionada;VlrAdicionalBandeira\n"
        b"2026-09-28;2026-08-01;Vermelha P1;44,63\n"
    )

    found = [flag_rows(data, "aneel")[0] for data in (ours, theirs)]

    assert [(row.month, row.name, row.price) for row in found] == [
        (date(2026, 8, 1), "Vermelha P1", Decimal("44.63"))
    ] * 2
    assert [row.source for row in found] == ["ANEEL", "aneel"]


WRONG = {
    "an unknown day": (
        tariff_row("2026-13-01", "", "614,92", "1,00"),
        ("not_a_day", "linha 3: '2026-13-01' não é uma data como 31/12/2026"),
    ),
    "a decimal point": (
        tariff_row("2026-03-15", "", "614.92", "1,00"),
        ("not_a_number", "linha 3: '614.92' não é um número como 1.234,56"),
    ),
    "a price without its comma": (
        tariff_row("2026-03-15", "", "61492", "1,00"),
        (
            "implausible_price",
            "linha 3: '61492' passa de 10000 R$/MWh: não é plausível; o arquivo perdeu a vírgula "
            "decimal?",
        ),
    ),
    "a demand without its comma": (
        tariff_row("2026-03-15", "", "3497", ",00").replace("MWh", "kW"),
        (
            "implausible_price",
            "linha 3: '3497' passa de 1000 R$/kW: não é plausível; o arquivo perdeu a vírgula "
            "decimal?",
        ),
    ),
    "a line that was cut": (
        ROW[:40],
        ("wrong_columns", "linha 3: 2 colunas, e não 17: o arquivo está inteiro?"),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_errors_name_the_line(name: str) -> None:
    """Nothing is guessed: a row that is wrong refuses the file."""
    row, expected = WRONG[name]

    assert faults(lambda: tariff_rows(file(ROW, row), "aneel")) == [expected]


def test_the_highest_price_of_2026_is_plausible() -> None:
    """Enel's ponta of the verde for underground consumers, of open data."""
    ((row),) = tariff_rows(file(tariff_row("2026-03-15", "", "5066,34", "493,30")), "aneel")

    assert row.tusd == Decimal("5066.34")


def test_whole_numbers_alone_have_lost_their_commas() -> None:
    """`290,2` as `2902` is below every bound; that no price at all has cents is not."""
    rows = [tariff_row(f"2026-03-{day:02}", "", f"29{day:02}", "1402") for day in range(1, 15)]

    assert [code for code, _ in faults(lambda: tariff_rows(file(*rows), "x"))] == ["lost_decimals"]


def test_another_file_says_which_columns_it_lacks() -> None:
    """Such as that of the components in place of the tariffs."""
    ((code, message),) = faults(lambda: tariff_rows(file(FIO_B, columns=COMPONENT_COLUMNS), "x"))

    assert code == "not_aneel"
    assert "SigAgente" in message


def with_tariffs(data: bytes) -> Tables:
    """Return the tables with a file in place of ours."""
    given = File(name="tarifas.csv", origin="pasta", data=data)
    return tables_of(Folder({"tarifas.csv": given}))


def test_spellings_of_a_distributor_are_one() -> None:
    """Rows under several of its names, in any case and with other signs, are all its own."""
    spelt = ("CEMIG-D", "Cemig D", "CEMIG")
    rows = (
        tariff_row(f"202{year}-05-28", "", "600,10", "300,20").replace("ENEL RJ", name)
        for year, name in enumerate(spelt, 4)
    )

    found = with_tariffs(file(*rows))

    assert {row.agent for row in found.tariffs_of(found.distributor("cemig"))} == set(spelt)


def test_prices_of_bills_stay_beside_open_data() -> None:
    """Where Light bills otherwise than the open data say, its customers are billed so."""
    light = tariff_row("2026-07-04", "2027-03-14", "578,56", "302,00").replace(
        "ENEL RJ", "LIGHT SESA"
    )
    found = with_tariffs(file(light, light.replace("2026-07-04", "2026-03-15")))
    prices = {
        row.start: row.tusd
        for row in found.tariffs_of(found.distributor("light"))
        if row.modality == "convencional" and row.subclass == "residencial"
    }

    assert prices == {date(2026, 3, 15): Decimal("578.56"), date(2026, 7, 4): Decimal("645.93")}


def test_a_file_with_sources_takes_the_place_of_all() -> None:
    """It is somebody's own, and has what is to be billed."""
    row = f"{tariff_row('2026-07-04', '', '578,56', '302,00')};Despacho"

    found = with_tariffs(file(row, columns=f"{TARIFF_COLUMNS};Fonte"))

    assert [row.source for row in found.tariffs] == ["Despacho"]


def test_versions_tell_tables_apart() -> None:
    """The same files have the same version, another file another one."""
    one, two = (with_tariffs(tariffs(("2026-03-15", "", te, te))) for te in ("1,10", "1,20"))

    assert len({tables().version, one.version, two.version}) == 3
    assert tables_of(Folder()).version == tables().version


def test_what_is_new_in_a_file() -> None:
    """Rows of new days by distributor, rows that say otherwise, and agents that nobody is."""
    known = with_tariffs(tariffs(("2025-03-15", "2026-03-14", "600,10", "300,20")))
    stranger = ROW.replace("ENEL RJ", "LUZ DA LUA")
    changed = tariff_row("2025-03-15", "2026-03-14", "601,10", "300,20")

    found = news("novo.csv", file(ROW, changed, stranger), known)

    assert (found.name, found.rows, found.newest) == ("tarifas.csv", 3, date(2026, 3, 15))
    assert found.added == {"enel-rj": 1}
    ((what, before, after),) = found.changed
    assert what.startswith("enel-rj b1 convencional residencial")
    assert (before, after) == ("600,10 + 300,20", "601,10 + 300,20")
    assert found.unknown == ("LUZ DA LUA",)


def test_what_is_new_in_bandeiras() -> None:
    """The months that there were not."""
    later = FLAGS.replace(b"2026-", b"2031-").replace(b"2031-07-01", b"2026-07-01")

    found = news("bandeiras.csv", later, tables())

    assert (found.name, found.added) == ("bandeiras.csv", {"Verde": 5})


def test_a_file_of_something_else(tmp_path: Path) -> None:
    """It is said what a file of ANEEL's is."""
    ((code, _),) = faults(lambda: news("x.csv", b"a;b\n1;2\n", tables()))

    assert code == "not_aneel"


def run(*arguments: str) -> str:
    """Return what `energia brasil` prints."""
    result = CliRunner().invoke(brasil(None), arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_command_lists_the_tables() -> None:
    """With their rows, their newest day, and where they are from."""
    lines = run("tabelas").splitlines()

    assert [line.split()[0] for line in lines] == sorted(line.split()[0] for line in lines)
    (flags,) = (line for line in lines if line.startswith("bandeiras.csv"))
    assert flags.split()[2:4] == ["linhas", "até"]
    assert flags.endswith("desta versão do Energia")


def test_the_command_tells_what_is_new_in_a_file(tmp_path: Path) -> None:
    """Before it is put anywhere."""
    later = tariff_row("2031-03-15", "2032-03-14", "614,92", "297,71")
    (tmp_path / "novo.csv").write_bytes(file(later))

    assert run("tabelas", "--arquivo", f"{tmp_path}/novo.csv").splitlines() == [
        "tarifas.csv: 1 linhas, a mais nova de 15/03/2031",
        "novas: 1",
        "  enel-rj: 1",
        "mudadas: 0",
    ]

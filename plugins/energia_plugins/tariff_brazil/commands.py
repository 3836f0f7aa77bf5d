"""`energia brasil`: the kit on the command line; it speaks Portuguese."""

from datetime import date
from pathlib import Path
from typing import Any, Final

import click

from energia_plugins.tariff_brazil.questions.commands import commands_of, customer_of
from energia_plugins.tariff_brazil.questions.options import (
    CHANNEL,
    CLASS,
    MODALITY,
    PHASES,
    SUBGROUP,
    dia,
)

__all__ = ["brasil"]

_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER: Final = click.Path(exists=True, file_okay=False, path_type=Path)


def brasil(folder: str | None) -> click.Group:
    """Return the command of a service whose own tables are in a folder."""

    @click.group("brasil", short_help="Tarifas e contas do Brasil.")
    def group() -> None:
        """Tarifas e contas das distribuidoras do Brasil.

        As tabelas são as da instalação e as da pasta `data`. As que o serviço baixa ficam no banco
        de dados dele: só a API as usa.
        """

    @group.command("tarifa", short_help="Monta a tarifa de um cliente.")
    @click.option("--distribuidora", "--distributor", required=True, help="Nome ou sigla: light.")
    @click.option("--subgrupo", "--subgroup", type=SUBGROUP, help="B1, B3, A4 ... (B1)")
    @click.option("--classe", "--class", type=CLASS, help="residencial, comercial ...")
    @click.option(
        "--modalidade",
        "--modality",
        type=MODALITY,
        help="convencional, branca, verde, azul. (convencional)",
    )
    @click.option(
        "--ligacao",
        "--phases",
        type=PHASES,
        help="monofasico, bifasico, trifasico. (monofasico)",
    )
    @click.option("--municipio", "--municipality", help="Para a iluminação pública.")
    @click.option("--pedido", type=_FILE, help="JSON com o resto do cliente, como na API.")
    @click.option(
        "--desde", "--from", "from_", type=dia, required=True, help="Primeiro dia: 01/08/2026."
    )
    def tarifa(from_: date, **given: Any) -> None:
        """Monta a tarifa de um cliente e imprime o JSON."""
        from energia import dumps, structure
        from energia_plugins.tariff_brazil.document import brazilian_tariff
        from energia_plugins.tariff_brazil.request import TariffRequest
        from energia_plugins.tariff_brazil.tables import tables

        customer = {**customer_of(given, subgroup="B1"), "from": f"{from_}"}
        request = structure(customer, TariffRequest)
        click.echo(dumps(brazilian_tariff(request, tables(folder))).decode())

    @group.command("tabelas", short_help="Lista as tabelas, ou confere um arquivo.")
    @click.option(
        "--arquivo",
        "--file",
        "arquivo",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Arquivo da ANEEL: o que há de novo nele, antes de usá-lo.",
    )
    def tabelas(arquivo: Path | None) -> None:
        """Lista as tabelas da instalação e da pasta, ou diz o que um arquivo tem de novo."""
        from energia_plugins.tariff_brazil.inventory import news
        from energia_plugins.tariff_brazil.listing import news_lines, table_lines
        from energia_plugins.tariff_brazil.table_files import Folder
        from energia_plugins.tariff_brazil.tables import tables

        if arquivo is None:
            lines = table_lines(Folder.of(folder), tables(folder))
        else:
            lines = news_lines(news(arquivo.name, arquivo.read_bytes(), tables(folder)))
        click.echo("\n".join(lines))

    @group.command("demanda", short_help="Acha a demanda contratada de menor custo.")
    @click.option("--distribuidora", "--distributor", required=True, help="Nome ou sigla: light.")
    @click.option("--subgrupo", "--subgroup", type=SUBGROUP, help="A1 ... A4, AS (A4)")
    @click.option(
        "--modalidade", "--modality", type=MODALITY, help="A atual, para comparar: verde, azul."
    )
    @click.option(
        "--contratada",
        "--contracted",
        "contratada",
        multiple=True,
        metavar="[POSTO=]KW",
        help="O contrato atual: 180, ou ponta=120 e fora_ponta=162.",
    )
    @click.option("--pedido", "--request", "pedido", type=_FILE, help="O cliente, em JSON.")
    @click.option("--medidor", "--meter", help="Um medidor guardado; com --de e --ate.")
    @CHANNEL
    @click.option("--leituras", "--usage", "leituras", type=_FILE, help="Leituras, em JSON.")
    @click.option("--de", "--start", type=dia, help="Primeiro dia: 01/01/2026.")
    @click.option("--ate", "--end", type=dia, help="O dia depois do último: 01/01/2027.")
    @click.option("--grafico", "--plot", type=_FOLDER, help="Pasta para os gráficos (SVG).")
    @click.option("--json", "as_json", is_flag=True, help="Imprime o JSON da resposta.")
    def demanda(**given: Any) -> None:
        """Acha a demanda contratada de menor custo nos meses medidos, verde e azul.

        \b
        Exemplo:
          energia brasil demanda --distribuidora cpfl-paulista --subgrupo A3a --modalidade verde
            --contratada 180 --medidor UC-123 --de 01/01/2026 --ate 01/01/2027
        """
        from energia_plugins.tariff_brazil.questions.command import find

        find(folder, **given)

    for command in commands_of(folder):
        group.add_command(command)
    return group

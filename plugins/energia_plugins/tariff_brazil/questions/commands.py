"""`energia brasil branca`, `reajuste`, `conta`, `creditos`: questions, asked in Portuguese."""

import asyncio
import base64
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, TypeVar

import click

from energia_plugins.tariff_brazil.portuguese import number_text
from energia_plugins.tariff_brazil.questions.options import (
    CHANNEL,
    CLASS,
    MODALITY,
    PHASES,
    SUBGROUP,
    dia,
    mes,
)

__all__ = ["commands_of", "customer_of", "measured"]

F = TypeVar("F", bound=Callable[..., Any])


_FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW: Final = click.Path(dir_okay=False, path_type=Path)
_CUSTOMER: Final = (
    click.option("--distribuidora", "--distributor", required=True, help="Nome ou sigla: light."),
    click.option("--subgrupo", "--subgroup", type=SUBGROUP, help="B1, B3, A4 ... (B1)"),
    click.option("--classe", "--class", type=CLASS, help="residencial, comercial ..."),
    click.option(
        "--modalidade", "--modality", type=MODALITY, help="convencional, branca, verde, azul."
    ),
    click.option("--ligacao", "--phases", type=PHASES, help="monofasico, bifasico, trifasico."),
    click.option("--municipio", "--municipality", help="Para a iluminação pública."),
    click.option("--pedido", type=_FILE, help="JSON com o resto do cliente, como na API."),
    click.option(
        "--parametro",
        multiple=True,
        metavar="NOME=VALOR",
        help="O que a tarifa precisa saber: lighting_average_kwh=425.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Imprime a resposta da API."),
)
_USAGE: Final = (
    click.option("--medidor", "--meter", help="Um medidor guardado."),
    CHANNEL,
    click.option("--leituras", type=_FILE, help="JSON de `usage`, como em /v1/costs."),
    click.option("--de", type=dia, help="Primeiro dia: 01/08/2026."),
    click.option("--ate", type=dia, help="O dia depois do último."),
)
#: The options of a customer, by their names in the API.
_NAMES: Final = {
    "distribuidora": "distributor",
    "subgrupo": "subgroup",
    "classe": "class",
    "modalidade": "modality",
    "ligacao": "phases",
    "municipio": "municipality",
}


def _with(*options: Callable[[F], F]) -> Callable[[F], F]:
    def decorated(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return decorated


def commands_of(folder: str | None) -> list[click.Command]:
    """Return the commands of a service whose own tables are in a folder."""

    @click.command("branca", short_help="Convencional ou branca: qual custa menos?")
    @_with(*_CUSTOMER, *_USAGE)
    @click.option("--grafico", type=_NEW, help="Grava o gráfico, um SVG, neste arquivo.")
    def branca(grafico: Path | None, as_json: bool, **given: Any) -> None:
        """Compara a tarifa branca com a convencional, mês a mês, pelas leituras.

        \b
        Exemplo:
          energia brasil branca --distribuidora cpfl-piratininga --medidor casa
            --de 01/08/2025 --ate 01/08/2026 --grafico branca.svg
        """
        from energia_plugins.tariff_brazil.questions.branca import BrancaQuestion, answer

        found = _ask(folder, BrancaQuestion, answer, measured(given))
        if grafico is not None:
            grafico.write_text(found.plot, encoding="utf-8")
        _print(found, as_json, _branca)

    @click.command("reajuste", short_help="Quanto a conta seria antes do último reajuste?")
    @_with(*_CUSTOMER, *_USAGE)
    def reajuste(as_json: bool, **given: Any) -> None:
        """Calcula a conta com as tarifas de antes do último reajuste, e a diferença.

        \b
        Exemplo:
          energia brasil reajuste --distribuidora cemig --medidor casa
            --de 01/07/2026 --ate 01/08/2026
        """
        from energia_plugins.tariff_brazil.questions.readjustment import (
            ReadjustmentQuestion,
            answer,
        )

        found = _ask(folder, ReadjustmentQuestion, answer, measured(given))
        _print(found, as_json, lambda found: iter([found.texts["pt-BR"]]))

    @click.command("conta", short_help="Lê uma conta, PDF ou texto, e a confere.")
    @click.argument("arquivo", type=_FILE)
    @_with(*_CUSTOMER)
    @click.option("--medidor", "--meter", help="Um medidor guardado, em vez da energia impressa.")
    @CHANNEL
    @click.option("--de", type=dia, help="Primeiro dia da conta, se ela não o diz.")
    @click.option("--ate", type=dia, help="O dia depois do último.")
    @click.option("--tolerancia", default="0,03", show_default=True, help="Em reais, por linha.")
    def conta(arquivo: Path, tolerancia: str, as_json: bool, **given: Any) -> None:
        """Lê as linhas de uma conta e as compara com a tarifa da distribuidora.

        \b
        Exemplo:
          energia brasil conta agosto.pdf --distribuidora light --ligacao trifasico
        """
        from energia_plugins.tariff_brazil.portuguese import number
        from energia_plugins.tariff_brazil.questions.printed import BillQuestion, answer

        body = {**_subject(given), **_bill(arquivo), "tolerance": f"{number(tolerancia)}"}
        found = _ask(folder, BillQuestion, answer, body)
        _print(found, as_json, _conta)

    @click.command("creditos", short_help="Quanto valem os créditos, e quando expiram?")
    @_with(*_CUSTOMER)
    @click.option("--geracao", "--generation", help="gd1, gd2 ou gd3.")
    @click.option(
        "--mes", "--month", "month", type=mes, required=True, help="O mês da tarifa: 08/2026."
    )
    @click.option(
        "--credito",
        "saldos",
        multiple=True,
        required=True,
        metavar="MÊS=KWH",
        help="O saldo de um mês: 2025-11=120,5. Uma vez por mês.",
    )
    @click.option("--usados", help="Quantos kWh se compensam por mês, daqui em diante.")
    def creditos(
        geracao: str | None,
        month: str,
        saldos: tuple[str, ...],
        usados: str | None,
        as_json: bool,
        **given: Any,
    ) -> None:
        """Diz quanto valem os créditos da geração própria, e quais se perdem.

        \b
        Exemplo:
          energia brasil creditos --distribuidora cemig --ligacao bifasico --geracao gd2
            --mes 2026-08 --credito 2025-11=120,5 --credito 2026-03=40 --usados 30
        """
        from energia_plugins.tariff_brazil.portuguese import number
        from energia_plugins.tariff_brazil.questions.credits import CreditsQuestion, answer

        body = _subject({**given, "de": None, "ate": None})
        if geracao is not None:
            body["customer"] = {**body["customer"], "generation": {"type": geracao}}
        body["month"] = month
        body["ledger"] = [_credit(text) for text in saldos]
        if usados is not None:
            body["used"] = f"{number(usados)}"
        found = _ask(folder, CreditsQuestion, answer, body)
        _print(found, as_json, _creditos)

    return [branca, reajuste, conta, creditos]


def _ask(folder: str | None, question: Any, answer: Any, body: dict[str, Any]) -> Any:
    from energia import structure
    from energia.cli.trials import trial_of_command
    from energia_plugins.tariff_brazil.tables import tables

    return asyncio.run(answer(structure(body, question), tables(folder), trial_of_command))


def customer_of(given: dict[str, Any], **default: str) -> dict[str, Any]:
    """Return the customer of options: what they say, else their file, else *default*."""
    pedido = given["pedido"]
    more = _object(pedido) if pedido else {}
    said = {name: given.get(option) for option, name in _NAMES.items()}
    return {**default, **more, **_said(said)}


def _subject(given: dict[str, Any], subgroup: str = "B1") -> dict[str, Any]:
    """Return the body of a question."""
    leituras, start, end = given.get("leituras"), given["de"], given["ate"]
    return _said(
        {
            "customer": customer_of(
                given, subgroup=subgroup, **{"from": f"{start or '1990-01-01'}"}
            ),
            "parameters": dict(map(_parameter, given.get("parametro", ()))) or None,
            "meter": given.get("medidor"),
            "channels": _channels(given.get("canal", ())),
            "usage": _object(leituras) if leituras else None,
            "start": start and f"{start}",
            "end": end and f"{end}",
        }
    )


def _object(file: Path) -> dict[str, Any]:
    """Return the JSON object of a file; raises `click.UsageError`, which names the file."""
    from energia import EnergiaError, parse

    try:
        found: Any = parse(file.read_bytes())
    except EnergiaError as error:
        raise click.UsageError(f"{file} não é JSON: {error.detail}") from error
    if not isinstance(found, dict):
        raise click.UsageError(f"{file} não tem um objeto JSON, como {{...}}.")
    return found


def _channels(said: tuple[str, ...]) -> dict[str, list[str]] | None:
    """Return the channels of each role that options name; None where they name none."""
    found: dict[str, list[str]] = {}
    for text in said:
        role, separator, channel = text.partition("=")
        if not separator:
            raise click.UsageError(f"Diga --canal PAPEL=CANAL, e não {text!r}.")
        found.setdefault(role, []).append(channel)
    return found or None


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _parameter(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise click.UsageError(f"Diga --parametro NOME=VALOR, e não {text!r}.")
    return name, value


def measured(given: dict[str, Any], subgroup: str = "B1") -> dict[str, Any]:
    """Return the body of a question that needs readings."""
    if (given["medidor"] is None) == (given["leituras"] is None):
        raise click.UsageError("Diga --medidor, um medidor guardado, ou --leituras, um arquivo.")
    if given["medidor"] is not None and None in (given["de"], given["ate"]):
        raise click.UsageError("Com --medidor, diga --de e --ate: de quando até quando.")
    return _subject(given, subgroup)


def _bill(file: Path) -> dict[str, str]:
    """Return the bill of a file: a PDF, or a text in UTF-8 or Latin-1."""
    data = file.read_bytes()
    if data.startswith(b"%PDF"):
        return {"pdf": base64.b64encode(data).decode()}
    if b"\0" in data:
        raise click.UsageError(f"{file} não é um PDF nem um texto.")
    try:
        return {"text": data.decode("utf-8-sig")}
    except UnicodeDecodeError:
        return {"text": data.decode("latin-1")}


def _print(found: Any, as_json: bool, lines: Callable[[Any], Iterator[str]]) -> None:
    if as_json:
        from energia import dumps

        click.echo(dumps(found).decode())
        return
    for line in lines(found):
        click.echo(line)
    for assumption in found.assumptions:
        click.echo(f"suposto: {assumption.what} ({assumption.setting})", err=True)


def _branca(found: Any) -> Iterator[str]:
    yield found.texts["pt-BR"]
    yield f"{'mês':8}{'kWh':>12}{'ponta':>12}{'convencional':>15}{'branca':>15}{'diferença':>13}"
    for month in found.months:
        energy = "".join(f"{_energy(kwh):>12}" for kwh in (month.kwh, month.ponta))
        costs = (month.convencional, month.branca)
        money = "".join(f"{_number(cost):>15}" for cost in costs)
        yield f"{month.month:8}{energy}{money}{_number(month.difference):>13}"


def _credit(text: str) -> dict[str, str]:
    from energia_plugins.tariff_brazil.portuguese import number

    month, separator, kwh = text.partition("=")
    if not separator:
        raise click.UsageError(f"Diga --credito MÊS=KWH, como 2025-11=120,5, e não {text!r}.")
    return {"month": mes(month), "kwh": f"{number(kwh)}"}


def _creditos(found: Any) -> Iterator[str]:
    yield found.texts["pt-BR"]
    yield f"{'mês':8}{'kWh':>12}{'vale até':>12}{'R$/kWh':>12}{'R$':>12}{'perdidos':>12}"
    for one in found.credits:
        lost = "" if one.lost is None else _energy(one.lost)
        cells = (_energy(one.kwh), one.expires, _number(one.price), _number(one.worth), lost)
        yield f"{one.month:8}" + "".join(f"{cell:>12}" for cell in cells)


def _conta(found: Any) -> Iterator[str]:
    yield from found.texts["pt-BR"]
    yield f"{'linha':36}{'tarifa':>14}{'conta':>14}{'diferença':>12}  "
    for line in found.check.lines:
        amount = line.amount
        if amount.billed in (None, "0.00") and amount.supplier is None:
            continue
        cells = (amount.billed, amount.supplier, amount.difference)
        widths = (14, 14, 12)
        numbers = "".join(
            f"{'' if cell is None else _number(cell):>{width}}"
            for cell, width in zip(cells, widths, strict=True)
        )
        yield f"{line.description[:35]:36}{numbers}  {_RESULTS[amount.result]}"
    paid = found.check.total
    yield f"{'total':36}{_number(paid.billed):>14}{_number(paid.supplier):>14}"
    for row in found.printed.unread:
        yield f"não lida: {row}"


_RESULTS: Final = {
    "match": "confere",
    "within_tolerance": "confere, na tolerância",
    "unknown": "só de um lado",
    "mismatch": "DIFERE",
}


def _number(text: str) -> str:
    return number_text(Decimal(text))


def _energy(text: str) -> str:
    """Return kWh as exactly as a bill has them: without zeros at the end."""
    kwh = Decimal(text)
    return number_text(kwh.quantize(Decimal(1)) if kwh == int(kwh) else kwh.normalize())

"""A supplier's bill held beside ours: typed, or read from its text."""

import re
from html import unescape
from http import HTTPStatus

from aiohttp import FormData

from tests.plugins.brazil.test_bill_text import pdf
from tests.plugins.console import inn
from tests.plugins.console.service import Answer, Service

_FIELD = re.compile(r'name="(/[^"]*)"[^>]*? value="([^"]*)"')
#: What the inn's supplier prints, in the order of our lines: quantity and amount.
_PRINTED = (
    ("100", "125.00"),
    ("100", "62.50"),
    ("420", "105.00"),
    ("50", "625.00"),
    ("10", "250.00"),
    ("", "10.00"),
)


async def _form(service: Service, bill: str, **headers: str) -> dict[str, str]:
    """Return the form with everything as it is printed."""
    page = await service.get(f"/console/bills/{bill}/check", **headers)
    fields = {name: unescape(value) for name, value in _FIELD.findall(page.html)}
    for index, (quantity, amount) in enumerate(_PRINTED):
        fields[f"/lines/{index}/quantity"] = quantity
        fields[f"/lines/{index}/amount"] = amount
    return {**fields, "/total": "1177.50"}


async def test_all_is_right(open_service: Service) -> None:
    """The rows have the names of our lines; a bill that is ours is right, line by line."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    form = await _form(open_service, bill)
    assert form["/lines/0/description"] == "Consumo, ponta, TUSD"
    assert form["/lines/5/description"] == "Iluminação pública"
    assert form["/lines/6/description"] == ""

    page = await open_service.post(f"/console/bills/{bill}/check", form)
    assert page.status == HTTPStatus.OK
    assert "The supplier's bill is right, line by line." in page.text


async def test_what_differs_and_why(open_service: Service) -> None:
    """A difference is explained by the quantity or by the price; a line of one side is told."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    form = await _form(open_service, bill)
    form |= {"/lines/0/quantity": "104", "/lines/0/amount": "130.00"}
    form |= {"/lines/2/amount": "126.00", "/lines/5/amount": "", "/total": "1210.00"}
    form |= {"/lines/6/description": "Fine", "/lines/6/amount": "12.50"}

    page = await open_service.post(f"/console/bills/{bill}/check", form)
    assert "The supplier charges BRL 32.50 more: to be asked about: 4 lines." in page.text
    assert "They have 4 kWh more than we. At our price that is BRL 5.00, which is all" in page.text
    assert "their price would be BRL 0.30 per kWh, ours is BRL 0.25 per kWh." in page.text
    assert "We charge it, and it is not on their bill." in page.text
    assert "Fine \N{EN DASH} 12.50" in page.text
    assert "add up to BRL 1,206.00, and their total is BRL 1,210.00" in page.text


async def test_numbers_as_they_are_typed(open_service: Service) -> None:
    """In Portuguese numbers have a decimal comma, and dots between the thousands."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    form = await _form(open_service, bill)
    form = {name: text.replace(".", ",") for name, text in form.items()}
    form |= {"/lines/0/code": "consumo.ponta.tusd", "/total": "1.177,50", "/lines/0/quantity": ""}
    codes = await _form(open_service, bill)
    form |= {name: text for name, text in codes.items() if name.endswith("/code")}
    page = await open_service.post(f"/console/bills/{bill}/check", form, Accept_Language="pt-BR")
    assert "A conta da distribuidora confere, linha por linha." in page.text


async def test_a_mistake(open_service: Service) -> None:
    """What is no number is marked at its own row, also after rows that are empty."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    form = await _form(open_service, bill)
    form |= {"/lines/0/quantity": "", "/lines/0/amount": "", "/lines/3/amount": "many"}
    page = await open_service.post(f"/console/bills/{bill}/check", form)
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'id="/lines/3/amount-fault"' in page.html
    assert 'value="many"' in page.html


async def test_read_from_a_text(open_service: Service) -> None:
    """The text of a Brazilian bill fills the form by our lines, and is compared."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    text = (
        "Consumo ponta TUSD kWh 100 1,25 125,00\n"
        "Consumo ponta TE kWh 100 0,625 62,50\n"
        "Consumo fora ponta kWh 420 0,25 105,00\n"
        "Demanda kW 50 12,50 625,00\n"
        "Demanda ultrapassagem kW 10 25,00 250,00\n"
        "Iluminação pública 10,00\n"
        "Multa 3,00\n"
        "Total 1.180,50"
    )
    page = await _upload(open_service, bill, b"", text)
    assert page.status == HTTPStatus.OK
    assert "A distribuidora cobra R$ 3,00 a mais" in page.text
    assert "Multa \N{EN DASH} 3,00" in page.text
    assert page.text.count("Igual") == 6


async def test_nothing_to_read(open_service: Service) -> None:
    """Without a file and a text, and with a text that has no line, it is said what is missing."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    page = await _upload(open_service, bill, b"")
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Escolha um PDF, ou cole o texto da conta." in page.text
    page = await _upload(open_service, bill, b"", "Prezado cliente")
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "Não há linha de conta no texto" in page.text
    assert "Prezado cliente" in page.html


async def test_read_from_a_pdf(open_service: Service) -> None:
    """A PDF is read like a text; what is no PDF is said at its field."""
    await inn.fill(open_service)
    bill = await inn.issue(open_service)
    rows = ("Consumo ponta TUSD kWh 100 1,25 125,00", "Total 125,00")
    page = await _upload(open_service, bill, pdf([[(50, row)] for row in rows]))
    assert page.status == HTTPStatus.OK
    assert "A distribuidora cobra R$ 1.052,50 a menos" in page.text

    page = await _upload(open_service, bill, b"no PDF")
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert 'id="/pdf-fault"' in page.html


async def _upload(service: Service, bill: str, data: bytes, text: str = "") -> Answer:
    """Send a form with a file as a browser does: without one, its name and content are empty."""
    asked = await service.get(f"/console/bills/{bill}/check")
    form = FormData({"form_token": asked.form_token, "/text": text})
    name = "conta.pdf" if data else ""
    form.add_field("/pdf", data, filename=name, content_type="application/octet-stream")
    headers = {"Origin": service.url, "Accept-Language": "pt-BR"}
    path = f"/console/bills/{bill}/read"
    async with service.client.post(path, data=form, headers=headers) as answer:
        return await Answer.of(answer)

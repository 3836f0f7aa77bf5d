"""Reading bills: texts in the shapes of thirteen distributors, PDFs, and what a person types."""

import json
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energia import Invalid
from energia_plugins.tariff_brazil.bill_text import PrintedBill, pdf_text, read_bill
from energia_plugins.tariff_brazil.bill_text.items import code_of, item
from energia_plugins.tariff_brazil.portuguese import number_text

FOLDER = Path(__file__).parents[2] / "data" / "brazil-bills"
LAYOUTS = FOLDER / "layouts"
EXPECTED: dict[str, dict[str, Any]] = json.loads((LAYOUTS / "expected.json").read_text())


def printed(name: str) -> PrintedBill:
    """Return the bill of a layout."""
    return read_bill((LAYOUTS / f"{name}.txt").read_text())


@pytest.mark.parametrize("name", EXPECTED)
def test_a_bill_is_read(name: str) -> None:
    """Its dates, energy and total are those that are printed, and nothing is left unread."""
    bill, expected = printed(name), EXPECTED[name]

    assert (bill.month, f"{bill.due}") == (expected["month"], expected["due"])
    assert (f"{bill.from_}", f"{bill.to}", bill.days) == (
        expected["from"],
        expected["to"],
        expected["days"],
    )
    assert bill.consumed == Decimal(expected["consumed"])
    assert bill.offset == Decimal(expected.get("offset", "0"))
    assert bill.total == Decimal(expected["total"])
    assert (bill.unread, bill.doubts) == ((), ())


@pytest.mark.parametrize("name", EXPECTED)
def test_taxes_and_lighting_are_read(name: str) -> None:
    """What the municipality charges, and the rates that are printed."""
    bill, expected = printed(name), EXPECTED[name]

    assert [line.amount for line in bill.lines if line.code == "iluminacao_publica"] == [
        Decimal(expected["lighting"])
    ]
    for tax in ("pis", "cofins"):
        if tax in expected:
            assert getattr(bill, tax) == Decimal(expected[tax])
    if "icms" in expected:
        assert Decimal(expected["icms"]) in {line.icms for line in bill.lines}


def real_lines() -> list[dict[str, Any]]:
    """Return the lines of the real bills that have a quantity, a price and an amount."""
    bills = [json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))]
    return [
        line
        for bill in bills
        for line in bill.get("lines", [])
        if isinstance(line, dict) and {"what", "unit", "quantity", "price", "value"} <= line.keys()
    ]


@pytest.mark.parametrize("line", real_lines(), ids=lambda line: line["what"])
def test_a_real_line_is_read_in_any_order_of_its_columns(line: dict[str, Any]) -> None:
    """The amount is the product of quantity and price, wherever the unit and the tariff stand."""
    quantity, price, value, tariff = (
        number_text(Decimal(line.get(name, "0.123456")))
        for name in ("quantity", "price", "value", "tariff")
    )
    for text in (
        f"{line['what']}  {line['unit']}  {quantity}  {price}  {value}  {tariff}",
        f"{line['what']}  AGO/26  {quantity}  {line['unit']}  {tariff}  {price}  {value}",
    ):
        read = item(text)

        assert read is not None
        assert read.amount == Decimal(line["value"])
        assert abs(read.quantity or 0) == abs(Decimal(line["quantity"]))
        assert read.price == abs(Decimal(line["price"]))


@pytest.mark.parametrize(
    ("description", "code"),
    [
        ("Energia Elétrica", "consumo"),
        ("Consumo Uso Sistema [KWh]-TUSD", "consumo.tusd"),
        ("Consumo - TE", "consumo.te"),
        ("ENERGIA ELET CONSUMO", "consumo.te"),
        ("Consumo Fora Ponta [KWh]-TUSD", "consumo.fora_ponta.tusd"),
        ("Cons FPonta TE", "consumo.fora_ponta.te"),
        ("Cons Ponta - TE", "consumo.ponta.te"),
        ("Energia SCEE s/ ICMS", "consumo.scee"),
        ("Energia compensada GD II", "injetada"),
        ("TE - En. At. Inj. oUC oPT 11/2025", "injetada.te"),
        ("(2M) Band. Am. Injet.", "bandeira.injetada"),
        ("ENERGIA CONS. B.VERMELHA P1", "bandeira"),
        ("Demanda Ultrap -TUSD", "demanda.ultrapassagem"),
        ("Demanda F Ponta [kW] - TUSD", "demanda.fora_ponta"),
        ("Consumo Reativo Exc Fora Ponta", "reativo"),
        ("Contrib Ilum Publica Municipal", "iluminacao_publica"),
        ("Doação", None),
    ],
)
def test_labels_of_real_bills_are_known(description: str, code: str | None) -> None:
    """Distributors call one thing by many names."""
    assert code_of(description) == code


def test_what_a_person_types_is_read() -> None:
    """A table with `;`, a quantity and an amount, without prices."""
    bill = read_bill("descrição;quant;valor\nConsumo;200;190,00\nIluminação pública;;30,00\n")

    assert [(line.code, line.quantity, line.amount) for line in bill.lines] == [
        ("consumo", Decimal(200), Decimal("190.00")),
        ("iluminacao_publica", None, Decimal("30.00")),
    ]
    assert "o total da conta não foi encontrado" in bill.doubts


def test_a_sum_that_differs_is_said() -> None:
    """A line that was not read, or misread, shows in the sum."""
    bill = read_bill("Consumo kWh 200 0,95 190,00\nTotal 200,00")

    assert "as linhas lidas somam R$ 190,00, a conta diz R$ 200,00" in bill.doubts


def test_a_row_that_cannot_be_read_is_said() -> None:
    """Money without anything that says what it is for is not passed over."""
    bill = read_bill("Itens Quant Valor\nConsumo kWh 200 0,95 190,00\nMulta 3,80 ref\nTotal 193,80")

    assert bill.unread == ("Multa 3,80 ref",)


@pytest.mark.parametrize("text", ["", "Olá,\nsegue a conta de agosto.", "12/08/2026 190,00"])
def test_a_text_without_lines_is_refused(text: str) -> None:
    """It says what a line is like."""
    with pytest.raises(Invalid, match="não há linha de conta"):
        read_bill(text)


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=200))
def test_no_text_fails_otherwise(text: str) -> None:
    """Whatever comes is read, or refused for want of lines."""
    with suppress(Invalid):
        assert read_bill(text).lines


def pdf(rows: Sequence[Sequence[tuple[int, str]]]) -> bytes:
    """Return a PDF of one page: rows of texts, each with its left edge in points."""
    texts = [
        f"BT /F 8 Tf {x} {800 - 14 * index} Td ({text}) Tj ET"
        for index, row in enumerate(rows)
        for x, text in row
    ]
    # Texts of a column come together, as programs write tables.
    stream = "\n".join(sorted(texts, key=lambda one: int(one.split()[4]))).encode("latin-1")
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica "
        b"/Encoding /WinAnsiEncoding >> >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
    ]
    data, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    start = len(data)
    data += b"xref\n0 5\n0000000000 65535 f \n" + table
    return data + b"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % start


def test_a_pdf_is_read_row_by_row() -> None:
    """Columns of a table are far apart, and written one after another."""
    rows = [
        [(40, "Itens da Fatura"), (250, "Quant."), (320, "Preço"), (400, "Valor")],
        [(40, "Energia Elétrica"), (200, "kWh"), (250, "374"), (320, "0,95"), (400, "355,30")],
        [(40, "Contrib Ilum Publica Municipal"), (400, "61,79")],
        [(40, "TOTAL"), (400, "417,09")],
    ]

    bill = read_bill(pdf_text(pdf(rows)))

    assert [line.amount for line in bill.lines] == [Decimal("355.30"), Decimal("61.79")]
    assert bill.lines[0].quantity == Decimal(374)
    assert bill.total == Decimal("417.09")


@pytest.mark.parametrize(
    ("data", "code"), [(b"hello", "not_a_pdf"), (b"%PDF-1.4\n", "not_a_pdf"), (pdf([]), "no_text")]
)
def test_what_is_no_text_of_a_pdf_is_refused(data: bytes, code: str) -> None:
    """A broken file, and one that has pictures alone, in words of what to do."""
    with pytest.raises(Invalid) as refused:
        pdf_text(data)

    assert [fault.code for fault in refused.value.faults] == [code]

"""Reads the text of a distributor's bill, or the table that a person types, to its lines.

Distributors lay their tables out in many ways, and change them. What is the quantity, the price and
the amount of a line is therefore not told by columns but by arithmetic: of the numbers of a line
those are taken of which one is the product of two before. What cannot be read is said.
"""

from energia_plugins.tariff_brazil.bill_text.bill import NO_DAYS, PrintedBill, read_bill
from energia_plugins.tariff_brazil.bill_text.items import PrintedLine
from energia_plugins.tariff_brazil.bill_text.pdf import pdf_text

__all__ = ["NO_DAYS", "PrintedBill", "PrintedLine", "pdf_text", "read_bill"]

"""What observers of bills are told."""

from datetime import date, datetime

import attrs


@attrs.frozen(kw_only=True)
class BillIssued:
    """A bill was issued.

    Attributes:
        bill: The id of the bill.
        contract: The id of its contract.
        meter: The id of its meter.
        tariff: The id of its tariff.
        start: The first day of its period, of the site's zone.
        end: The day after the last one.
        currency: ISO 4217.
        total: What is to be paid.
        corrects: The bill that this one takes the place of.
        issued_at: When it was issued.

    """

    bill: str
    contract: str
    meter: str
    tariff: str
    start: date
    end: date
    currency: str
    total: str
    corrects: str | None
    issued_at: datetime

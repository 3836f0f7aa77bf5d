"""What receivers are told: the types of events, and what each says."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

import attrs
from msgspec import Meta

from energia.billing.affected import Reason
from energia.metering.outcome import Counts

T = TypeVar("T")


@attrs.frozen
class Event(Generic[T]):
    """What is sent: the same bytes at every try.

    Attributes:
        type: What happened.
        timestamp: When; the header `webhook-timestamp` says when it was sent.
        data: What is known of it.

    """

    type: str
    timestamp: datetime
    data: T


@attrs.frozen
class ImportData:
    """An import has stored readings that are new or other ones.

    Attributes:
        id: The id of the import: `/v1/imports/{id}`.
        format: What it came as: `json`, the format of a file, or the name of a source.
        counts: How many of its readings had each outcome.
        meters: The meters that got values, at most a hundred of them.
        meter_count: How many there are.

    """

    id: str
    format: str
    counts: Counts
    meters: Annotated[tuple[str, ...], Meta(max_length=100)]
    meter_count: int


@attrs.frozen
class GapData:
    """A channel has got no readings for `webhooks.gap_after`, though it did before.

    Attributes:
        meter: The meter.
        channel: The channel.
        start: When the first slot without a reading starts.
        end: When the last one ends; null while none has come since.

    """

    meter: str
    channel: str
    start: datetime
    end: datetime | None


@attrs.frozen
class StalePriceData:
    """A price series has not got the prices that it should have by now.

    Attributes:
        series: The price series.
        feed: The feed that fills it.
        next_update: When more prices were expected.
        succeeded_at: When the feed last gave what it had.
        error: Why it fails.

    """

    series: str
    feed: str
    next_update: datetime | None
    succeeded_at: datetime | None
    error: str | None


@attrs.frozen
class ContractEndData:
    """A contract ends within `webhooks.contract_days`.

    Attributes:
        contract: The contract.
        meter: Its meter.
        tariff: Its tariff.
        end: The day after its last one, of the site's zone.

    """

    contract: str
    meter: str
    tariff: str
    end: date


@attrs.frozen
class IssuedBillData:
    """A bill was issued.

    Attributes:
        bill: The bill: `/v1/bills/{bill}`.
        contract: Its contract.
        meter: Its meter.
        tariff: Its tariff.
        start: Its first day, of the site's zone.
        end: The day after its last one.
        currency: ISO 4217.
        total: The sum of its lines.
        corrects: The bill whose place it takes.
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


@attrs.frozen
class AffectedBillData:
    """An issued bill would be another one if it were made now.

    Attributes:
        bill: The bill: `/v1/bills/{bill}`.
        contract: Its contract.
        start: Its first day, of the site's zone.
        end: The day after its last one.
        reasons: What has changed since.
        total: What it would come to; null where it could not be made.
        difference: That less its total.

    """

    bill: str
    contract: str
    start: date
    end: date
    reasons: tuple[Reason, ...]
    total: str | None
    difference: str | None


@attrs.frozen
class TrialData:
    """Somebody tries a webhook out: nothing has happened.

    Attributes:
        webhook: The webhook.

    """

    webhook: str


#: What is said of each type of event; `webhook.test` is sent where it is asked for, to one alone.
DATA: Final[Mapping[str, Any]] = {
    "readings.imported": ImportData,
    "gap.opened": GapData,
    "price.stale": StalePriceData,
    "contract.ending": ContractEndData,
    "bill.issued": IssuedBillData,
    "bill.affected": AffectedBillData,
    "webhook.test": TrialData,
}

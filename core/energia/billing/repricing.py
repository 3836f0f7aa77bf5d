"""Corrects all bills that would be others now, as a job."""

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, Final

import attrs

from energia.billing.affected import affected
from energia.billing.bills import Bills, Filter
from energia.billing.models import Bill, Failure, NewBill, RunOutcome, lasts
from energia.convert import Id
from energia.convert.structures import Rules, enforce
from energia.errors import EnergiaError, Fault
from energia.jobs.kinds import Running
from energia.pricing.tariffs import tariff_converter

#: How many bills are looked for at a time.
_PAGE: Final = 100


def _ends_later(start: date | None, end: date | None) -> Iterator[Fault]:
    return lasts(start, end) if start is not None else iter(())


@attrs.frozen(kw_only=True)
class Repricing:
    """Which bills are corrected, if they would be others now.

    Attributes:
        contract: Those of this contract; of all without.
        start: Those whose period begins on this day or later.
        end: Those whose period begins before this day.
        issue: Whether to issue the corrections too.

    """

    __rules__: ClassVar[Rules] = (_ends_later,)

    contract: Id | None = None
    start: date | None = None
    end: date | None = None
    issue: bool = False

    def __attrs_post_init__(self) -> None:
        """Refuse an empty period."""
        enforce(self)


class BillRepricing:
    """The kind of job that corrects bills.

    A bill of which only the prior state has changed is left as it is, and counted as unchanged,
    unless the corrections are issued: until then the state before it is what it was.
    """

    name = "bills.reprice"

    async def run(self, job: Running) -> RunOutcome:
        """Correct them; what is corrected when it is begun again is not affected any more."""
        wanted, outcome, place = job.request(Repricing), RunOutcome(), None
        converter = tariff_converter(job.core.plugins.charges())
        bills = Bills.of(job.core, job.tenant, converter)
        chosen = Filter(wanted.contract, None, wanted.start, wanted.end)
        done = 0
        while True:
            found, place = await affected(bills, chosen, place, _PAGE)
            for bill in found:
                await _correct(bills, bill, outcome, issue=wanted.issue)
            done += len(found)
            await job.progress(done, None)
            if place is None:
                return outcome


async def _correct(bills: Bills, bill: Bill, outcome: RunOutcome, *, issue: bool) -> None:
    assert bill.impact is not None
    if not issue and bill.impact.reasons == ("prior_state",):
        outcome.unchanged += 1
        return
    try:
        correction, created = await bills.draft(NewBill(corrects=bill.id))
        outcome.created += created
        outcome.updated += not created
        if issue:
            await bills.issue(correction.id)
            outcome.issued += 1
    except EnergiaError as error:
        outcome.failures += 1
        if len(outcome.failed) < bills.limits.problems:
            failure = Failure(
                contract=bill.contract, code=error.code, message=error.detail, errors=error.faults
            )
            outcome.failed.append(failure)

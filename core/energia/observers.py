"""The part of the plugin contract that only looks on: hooks that are told what happened.

They are called after it happened, and must return at once; a failure is logged and counted, and
changes nothing for the client.
"""

from typing import TYPE_CHECKING, Final

import pluggy

if TYPE_CHECKING:
    from energia.billing.events import BillIssued
    from energia.metering.events import ReadingsRejected, ReadingsStored
    from energia.pricing.market.feeds import PricesFetched
    from energia.pricing.timing import PricingFinished

#: Names pluggy's project, as in `energia.hookspecs`.
_PROJECT: Final = "energia"

hookspec = pluggy.HookspecMarker(_PROJECT)


@hookspec
def readings_stored(event: "ReadingsStored") -> None:
    """Observe that readings were stored: called after the commit, must return at once.

    A failure is logged and counted and changes nothing for the client.

    Example:
        @hookimpl
        def readings_stored(event: ReadingsStored) -> None:
            stored.inc(event.counts.created)

    """


@hookspec
def readings_rejected(event: "ReadingsRejected") -> None:
    """Observe that readings were refused, with or without others stored: must return at once.

    Example:
        @hookimpl
        def readings_rejected(event: ReadingsRejected) -> None:
            refused.inc(sum(event.reasons.values()))

    """


@hookspec
def pricing_finished(event: "PricingFinished") -> None:
    """Observe how long it took to price something: must return at once.

    Example:
        @hookimpl
        def pricing_finished(event: PricingFinished) -> None:
            seconds.labels(event.operation).observe(event.seconds)

    """


@hookspec
def bill_issued(event: "BillIssued") -> None:
    """Observe that a bill was issued: called after the commit, must return at once.

    Example:
        @hookimpl
        def bill_issued(event: BillIssued) -> None:
            issued.labels(event.currency).inc()

    """


@hookspec
def prices_fetched(event: "PricesFetched") -> None:
    """Observe that a price feed was asked, with or without success: must return at once.

    A failure is logged and counted and changes nothing.

    Example:
        @hookimpl
        def prices_fetched(event: PricesFetched) -> None:
            fetches.labels(event.feed, event.outcome).inc()

    """
    raise NotImplementedError

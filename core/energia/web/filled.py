"""The tariffs of a request with its parameters in their places, and the roles that they charge."""

from collections.abc import Mapping, Sequence

from energia.convert.faults import Found, refusal, step
from energia.errors import Fault, Invalid
from energia.pricing.segments import roles
from energia.pricing.tariffs import Tariff
from energia.web.priced import Window


def filled(tariffs: Sequence[Tariff], parameters: Mapping[str, object], at: Window) -> list[Tariff]:
    """Return *tariffs* for the window, with *parameters* in their places.

    Raises:
        Invalid: One is missing, does not fit, or is asked for by none of the tariffs.

    """
    found, faults = list[Tariff](), dict[Fault, None]()
    for name in parameters:
        if not any(name in tariff.parameters for tariff in tariffs):
            message = f"no charge asks for the parameter {name!r}"
            faults[Fault("unknown_parameter", message, f"/parameters{step(name)}")] = None
    for tariff in tariffs:
        try:
            found.append(tariff.within(at.start, at.end).filled(parameters))
        except Invalid as error:
            faults |= dict.fromkeys(error.faults)
    if faults:
        told = Found()
        for fault in faults:
            told.one(fault)
        raise refusal(told)
    return found


def needed(tariffs: Sequence[Tariff], at: Window) -> tuple[str, ...]:
    """Return the roles that the tariffs charge in the window."""
    spans = [span for tariff in tariffs for span in tariff.spans(at.start, at.end)]
    return roles([span.version for span in spans])

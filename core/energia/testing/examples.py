"""Examples of a kind of charge: those that its class states, or one that is made from its types."""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from energia.errors import Invalid
from energia.pricing.charges import Charge
from energia.testing.case import Case, refusal
from energia.testing.outcome import Failed
from energia.testing.pricing import Pricing


def cases(class_: type[Charge], pricing: Pricing) -> Iterator[Case]:
    """Yield a case for each example of a kind.

    Raises:
        Failed: An example cannot be priced, or there is none.

    """
    stated: tuple[Mapping[str, Any], ...] = tuple(getattr(class_, "examples", ()))
    for number, document in enumerate(stated, start=1):
        if document.get("kind") != class_.kind:
            raise Failed(f"example {number} is not of the kind {class_.kind}")
        try:
            yield Case.of(class_, document, pricing)
        except Invalid as error:
            raise Failed(f"example {number} is refused: {refusal(error)}") from None
    if not stated:
        yield _made(class_, pricing)


def _made(class_: type[Charge], pricing: Pricing) -> Case:
    """Return a case that hypothesis finds."""
    advice = f"state one: {class_.__name__}.examples = ({{'kind': {class_.kind!r}, ...}},)"
    if find_spec("hypothesis") is None:
        raise Failed(f"the kind has no example; {advice}")
    from energia.testing.strategies import found

    document = found(class_, pricing)
    if document is None:
        raise Failed(f"the kind has no example, and none was found from its types; {advice}")
    return Case.of(class_, document, pricing)

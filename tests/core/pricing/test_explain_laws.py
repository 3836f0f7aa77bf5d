"""What an explanation states is true to the last digit, whatever the tariff."""

from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from energia.pricing.engine import price
from energia.pricing.explain import Charged, explain
from energia.pricing.segments import segments
from energia.pricing.usage import Terms
from energia.testing.checks.amounts import refuse_false
from tests.core.pricing.documents import read, series
from tests.core.pricing.test_all_in_prices import changes
from tests.core.pricing.test_engine_laws import PRORATIONS, starts, tariffs
from tests.core.pricing.test_rounding import roundings


@given(
    st.data(),
    starts,
    st.lists(changes, max_size=3),
    roundings,
    st.lists(st.integers(-(10**9), 10**15), min_size=1, max_size=30),
)
def test_every_equation_is_true(
    data: st.DataObject,
    start: int,
    later: list[dict[str, Any]],
    rounding: dict[str, Any],
    micro: list[int],
) -> None:
    """Steps, rates and products give what they say; what was rounded says what that leaves."""
    body = data.draw(tariffs(start, PRORATIONS))
    version = body["versions"][0]
    version["charges"] += [{**one, "code": f"c{at}"} for at, one in enumerate(later)]
    version["rounding"] = {key: value for key, value in rounding.items() if key != "rules"}
    tariff, end = read(body), start + 3600 * len(micro)
    usage = {"import": series(start, 3600, micro)}

    cost = price(tariff, usage, start, end)
    lines = explain(Charged.of(cost), segments(tariff, usage, start, end, Terms()), cost.currency)

    for line in lines:
        refuse_false(line)
        rounded = line.rounding
        assert Fraction(rounded.exact) == Fraction(rounded.amount) + Fraction(rounded.residue)
        assert line.arithmetic.value == line.line.exact

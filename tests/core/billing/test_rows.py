"""What is stored of a bill."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from energia.billing.rows import line_of_json
from energia.convert import unstructure
from energia.pricing.cost import CostLine

TEXTS = st.text(max_size=5)


@given(
    st.builds(
        CostLine,
        quantity=st.none() | TEXTS,
        unit=st.none() | TEXTS,
        rate=st.none() | TEXTS,
        period=st.none() | TEXTS,
        component=st.none() | TEXTS,
        version=st.none() | st.just(date(2026, 3, 1)),
        quantity_exact=st.none() | TEXTS,
        rate_exact=st.none() | TEXTS,
    )
)
def test_a_line_is_stored_as_the_converter_writes_it(line: CostLine) -> None:
    """With the same members in the same order, whatever it has."""
    assert list(line_of_json(line).items()) == list(unstructure(line).items())

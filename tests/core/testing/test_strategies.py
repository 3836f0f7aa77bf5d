"""What is drawn fits: charges, schedules, usage, windows, tariffs."""

from datetime import date
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Meta

from energia import BaseCharge, Charge, Examples
from energia.plugins import Plugins
from energia.pricing.engine import price
from energia.pricing.schedule import Period, Schedule
from energia.pricing.segments import roles
from energia.pricing.tariffs import Tariff
from energia.testing import CLOCK_CHANGES, Pricing, outcomes, strategies
from energia.testing.conformance import cases
from energia.testing.outcome import Failed
from energia.time import Zone
from tests.core.testing import broken

PRICING = Pricing.of(broken.Right)
BUNDLED = Plugins.installed().charges()


@attrs.frozen
class Inner:
    """Part of a charge."""

    share: Annotated[Decimal, Meta(gt=0, le=1)]
    since: date | None = None


@attrs.frozen
class Rich(broken.Right):
    """A kind without examples, of many types.

    Attributes:
        schedule: When each period is.
        rates: By period.
        parts: Several.
        per: One of two.
        name: As a pattern has it.
        factor: At least 2.

    """

    kind: ClassVar[str] = "test.rich"
    examples: ClassVar[Examples] = ()

    schedule: Schedule
    rates: dict[Period, Decimal]
    parts: tuple[Inner, ...]
    per: Literal["day", "month"]
    name: Annotated[str, Meta(pattern=r"^[a-z]{2,5}$")]
    factor: Annotated[int, Meta(ge=2)] = 2


@attrs.frozen
class Unheard(BaseCharge):
    """A kind of which nothing can be drawn."""

    kind: ClassVar[str] = "test.unheard"

    anything: object

    measures = broken.Right.measures
    lines = broken.Right.lines


@pytest.mark.parametrize("kind", sorted(BUNDLED))
@settings(max_examples=10)
@given(data=st.data())
def test_charges_of_every_bundled_kind_can_be_saved(kind: str, data: st.DataObject) -> None:
    """What is drawn is a charge of that kind."""
    document = data.draw(strategies.charges(kind, PRICING))

    assert document["kind"] == kind
    assert isinstance(PRICING.charge(document), BUNDLED[kind])


@pytest.mark.parametrize("kind", sorted(BUNDLED))
def test_not_only_the_examples_are_drawn(kind: str) -> None:
    """Half of the draws have other numbers, or are of other fields."""
    drawn: list[object] = []

    @settings(max_examples=40, database=None)
    @given(strategies.charges(kind, PRICING))
    def collect(document: object) -> None:
        drawn.append(document)

    collect()
    assert any(document not in BUNDLED[kind].examples for document in drawn)


@pytest.mark.parametrize("kind", sorted(BUNDLED))
@settings(max_examples=3)
@given(data=st.data())
def test_tariffs_have_what_a_charge_is_about(kind: str, data: st.DataObject) -> None:
    """Lines that it selects are there: the tariff can be saved."""
    document = data.draw(strategies.tariffs(kind, "energy.flat", pricing=PRICING))

    assert PRICING.converter.structure(document, Tariff).versions[0].charges[-2].kind == kind


#: Made once: a converter takes as long as many of its examples.
RICH = Pricing.of(Rich)


@given(strategies.charges(Rich))
def test_fields_are_of_their_types(document: dict[str, object]) -> None:
    """Rates are of the periods of the schedule, limits are kept."""
    charge = RICH.charge(document)

    assert isinstance(charge, Rich)
    assert set(charge.rates) == set(charge.schedule.periods)
    assert all(0 < part.share <= 1 for part in charge.parts)
    assert charge.factor >= 2


def test_a_kind_without_examples_gets_one() -> None:
    """It is the same each time, and costs something."""
    documents = [dict(case.document) for _ in range(2) for case in cases(Rich, RICH)]

    assert documents[0] == documents[1]
    assert Decimal(documents[0]["rate"]) != 0
    assert {one.state for one in outcomes(Rich)} == {"passed", "skipped"}


def test_a_kind_without_a_usable_example_fails() -> None:
    """The check is called `example`, and says what to do."""
    (found,) = outcomes(Unheard)

    assert (found.check, found.state) == ("example", "failed")


@pytest.mark.parametrize(
    ("examples", "message"),
    [
        (({"kind": "test.wrong"},), "example 1 is not of the kind test.right"),
        (({"kind": "test.right"},), "example 1 is refused: /rate: the field is missing"),
    ],
)
def test_examples_that_are_wrong_are_refused(
    examples: tuple[dict[str, str], ...], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their number and the place are told."""
    monkeypatch.setattr(broken.Right, "examples", examples)

    with pytest.raises(Failed, match=message):
        list(cases(broken.Right, PRICING))


@settings(max_examples=30)
@given(
    st.sampled_from(CLOCK_CHANGES).flatmap(
        lambda change: st.tuples(st.just(change.zone), strategies.windows(change.zone, 5))
    )
)
def test_windows_are_between_midnights(drawn: tuple[str, tuple[int, int]]) -> None:
    """Of the zone, around changes of the clock too."""
    zone, (start, end) = drawn
    named = Zone.named(zone)

    assert start < end
    for at in (start, end):
        assert named.midnight(named.datetime(at).date()) == at


@settings(max_examples=20)
@given(strategies.tariffs("energy.flat", "fixed"), st.data())
def test_tariffs_price_usage(document: object, data: st.DataObject) -> None:
    """A drawn tariff and readings drawn for its roles, such as gas, fit together."""
    tariff = PRICING.converter.structure(document, Tariff)
    usage = data.draw(strategies.usage(roles=sorted(roles(tariff.versions))))
    series = next(iter(usage.values()))

    cost = price(tariff, usage, series.start, series.end)

    assert len(series.values) == 96
    assert cost.lines


@given(strategies.schedules())
def test_schedules_can_be_read(document: object) -> None:
    """They have a default, so they have no gap."""
    assert PRICING.converter.structure(document, Schedule).default


def test_a_class_or_a_name_is_a_kind() -> None:
    """Both draw charges of the kind."""
    of_class: type[Charge] = broken.Right

    for kind in (of_class, "test.right"):
        drawn = strategies.charges(kind, PRICING)
        settings(max_examples=5)(given(drawn)(_is_right))()


def _is_right(document: dict[str, object]) -> None:
    assert document["kind"] == "test.right"

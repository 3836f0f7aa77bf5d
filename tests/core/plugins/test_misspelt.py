"""Names of the contract that an author misspells: they are refused rather than passed over."""

import difflib
from types import SimpleNamespace
from typing import ClassVar, get_type_hints

import attrs
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from energia import BaseCharge, BaseMeasure, Examples, Measure, contract
from energia.contract import (
    OF_CHARGES,
    OF_DECODERS,
    OF_FEEDS,
    OF_IMPORTERS,
    OF_MEASURES,
    OF_PROBES,
    misspelt,
)
from energia.errors import PluginError
from energia.plugins import Plugins
from tests.core.plugins.test_offers import Charge, Decoder, Probe, offering
from tests.imports import ROOT


@attrs.frozen
class OnceField(Charge):
    """A charge that would be worked out for each version, as its field is not asked."""

    across_version: str = "last"


@attrs.frozen
class OnceProperty(Charge):
    """A charge that says as a property what nothing asks."""

    @property
    def accross_versions(self) -> str:
        """Return what would be passed over."""
        return "last"


@attrs.frozen
class Remeasuring(Charge):
    """A charge that would be wrong where a bill grows."""

    remeasure: ClassVar[bool] = True


@attrs.frozen
class Swapped(Charge):
    """A charge without examples, as two letters are swapped."""

    exmaples: ClassVar[Examples] = ()


@attrs.frozen
class Ruleless(Charge):
    """A charge whose rules nothing runs."""

    __rule__: ClassVar[tuple[object, ...]] = ()


@attrs.frozen
class UnitPrice(Charge):
    """A charge that would be left out of the prices of a slot."""

    def unit_price(self) -> None:
        """Return nothing."""


@attrs.frozen
class Never(Charge):
    """A charge that no version works out."""

    across_versions = "never"  # type: ignore[assignment]


@attrs.frozen
class Sometimes(Charge):
    """A charge that tells of each of its objects what holds for the class."""

    @property
    def remeasures(self) -> bool:  # type: ignore[override]
        """Return what the core does not ask."""
        return False


@attrs.frozen
class OwnNames(Charge):
    """A charge with names of its own, of which some are near to names of another sort."""

    unit_price: int = 0
    first_example: str = ""
    versions: int = 1
    _remeasure: bool = False

    def measured(self) -> None:
        """Do nothing."""


@pytest.mark.parametrize(
    ("hook", "one", "message"),
    [
        (
            "register_charges",
            OnceField,
            r"`across_version` is unknown \(did you mean 'across_versions'\?\)",
        ),
        ("register_charges", OnceProperty, "`accross_versions` is unknown"),
        (
            "register_charges",
            Remeasuring,
            r"`remeasure` is unknown \(did you mean 'remeasures'\?\)",
        ),
        ("register_charges", Swapped, "`exmaples` is unknown"),
        ("register_charges", Ruleless, r"`__rule__` is unknown \(did you mean '__rules__'\?\)"),
        (
            "register_charges",
            UnitPrice,
            r"`unit_price` is unknown \(did you mean 'unit_prices'\?\)",
        ),
        ("register_charges", Never, "`across_versions` must be 'last' or 'each'"),
        ("register_charges", Sometimes, "`remeasures` must be True or False"),
        (
            "register_probes",
            SimpleNamespace(name="x", criticality="critical", check=Probe().check, timeouts=3),
            r"`timeouts` is unknown \(did you mean 'timeout'\?\)",
        ),
        (
            "register_decoders",
            SimpleNamespace(name="x", options=Probe, decode=Decoder().decode, exampels=()),
            r"`exampels` is unknown \(did you mean 'examples'\?\)",
        ),
    ],
)
def test_a_misspelt_name_is_refused_at_load(hook: str, one: object, message: str) -> None:
    """The service does not start, and says which name may have been meant."""
    with pytest.raises(PluginError, match=f"^plugin 'bad': {hook} returned .*: {message}"):
        Plugins.of(bad=offering(hook, one))


def test_names_of_an_authors_own_are_taken() -> None:
    """A field is no method, a private name is nobody's business, and few names are near."""
    plugins = Plugins.of(good=offering("register_charges", OwnNames))

    assert list(plugins.charges()) == ["nothing"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [("serie", "series"), ("second", "seconds"), ("is_amuont", "is_amount"), ("units", "unit")],
)
def test_a_misspelt_name_of_a_measure_is_refused_where_it_is_made(name: str, meant: str) -> None:
    """Its plugin does not import: no bill is worked out with a default that was not meant."""
    with pytest.raises(TypeError, match=rf"^Odd: `{name}` is unknown \(did you mean '{meant}'\?\)"):
        type("Odd", (BaseMeasure,), {name: 1})


def test_a_misspelt_field_of_a_measure_is_refused() -> None:
    """A field is found by its annotation, before attrs has made anything of it."""
    with pytest.raises(TypeError, match=r"^Odd: `schedules` is unknown"):

        @attrs.frozen
        class Odd(BaseMeasure):
            schedules: int


def test_every_optional_name_has_a_default() -> None:
    """What the check of names knows is what `BaseCharge` and `BaseMeasure` have, and no less."""
    charge = [*OF_CHARGES.values, *OF_CHARGES.methods]
    measure = {name for name in vars(BaseMeasure) if not name.startswith("_")}

    lacking = [name for name in charge if not hasattr(BaseCharge, name)]
    assert lacking == ["__rules__", "determinants"]
    assert measure == set(OF_MEASURES.values)
    assert measure | {"roles", "evaluate"} == {
        name for name in vars(Measure) if not name.startswith("_")
    }


def test_the_page_has_every_optional_name() -> None:
    """`docs/how-to/plugins.md` has a row with the default of each."""
    text = (ROOT / "docs/how-to/plugins.md").read_text(encoding="utf-8")
    rows = text.partition("## What the core asks")[2].partition("\n## ")[0].splitlines()
    every = (OF_CHARGES, OF_MEASURES, OF_PROBES, OF_FEEDS, OF_DECODERS, OF_IMPORTERS)
    names = {name for optional in every for name in (*optional.values, *optional.methods)}

    assert [name for name in names if not any(f"`{name}" in row for row in rows)] == []


def test_what_the_core_gives_is_never_misspelt() -> None:
    """The bases themselves and measures of the core pass."""
    assert misspelt(BaseCharge, OF_CHARGES) is None
    assert misspelt(BaseMeasure, OF_MEASURES) is None
    assert get_type_hints(BaseCharge)["remeasures"] == ClassVar[bool]


NAMES = st.text("ab_", min_size=1, max_size=12)


@given(meant=NAMES, names=st.sets(NAMES, max_size=8))
@example(meant="unit_price", names={"unit_prices", "unit_pric", "united_price"})
def test_what_is_meant_is_what_is_closest(meant: str, names: set[str]) -> None:
    """It is the name with the same letters, or the one that difflib finds closest."""
    swapped = [name for name in names if sorted(name) == sorted(meant)]
    closest = difflib.get_close_matches(meant, sorted(names), n=1, cutoff=contract._NEAR)

    assert contract._near(meant, names) == (swapped or closest)

"""Plots are SVG that everybody can read: on light and dark pages, and aloud."""

from fractions import Fraction
from xml.etree import ElementTree

import pytest

from energia_plugins.tariff_brazil.questions.plot import Curve, Mark, Plot, plot

SVG = "{http://www.w3.org/2000/svg}"
POINTS = [(30, Fraction(9000)), (128, Fraction(6943)), (160, Fraction("8310.5"))]


def drawn(*curves: Curve, marks: tuple[Mark, ...] = ()) -> ElementTree.Element:
    """Return the document of a plot."""
    return ElementTree.fromstring(  # noqa: S314 - our own text
        plot(
            Plot(
                title="Custo <da> demanda",
                description="O menor custo é com 128 kW.",
                x="demanda contratada (kW)",
                y="custo (R$)",
                curves=curves or (Curve("verde", POINTS),),
                marks=marks,
            )
        )
    )


def test_it_is_named_and_described() -> None:
    """A screen reader finds the title and the description by their ids."""
    document = drawn()

    named = {one.get("id"): one.text for one in document if one.get("id")}
    assert document.get("role") == "img"
    assert [named[each] for each in document.get("aria-labelledby", "").split()] == [
        "Custo <da> demanda",
        "O menor custo é com 128 kW.",
    ]


def test_it_has_the_color_of_the_text_around_it() -> None:
    """No color is its own, so it suits dark pages."""
    used = {
        value
        for one in drawn().iter()
        for name, value in one.attrib.items()
        if name in ("fill", "stroke")
    }

    assert used == {"currentColor", "none"}


def test_axes_have_units_and_numbers() -> None:
    """Ticks are round numbers, as Brazilians write them, around all points."""
    texts = [one.text for one in drawn().iter(f"{SVG}text")]

    assert {"demanda contratada (kW)", "custo (R$)"} <= set(texts)
    assert {"0", "50", "100", "150", "200", "6.500", "9.000"} <= set(texts)


def test_the_mark_is_on_the_curve() -> None:
    """The optimum is where the curve is."""
    document = drawn(marks=(Mark(*POINTS[1], "128 kW"),))

    (line,), (circle,) = document.iter(f"{SVG}polyline"), document.iter(f"{SVG}circle")
    assert f"{circle.get('cx')},{circle.get('cy')}" in line.get("points", "").split()
    assert "128 kW" in [one.text for one in document.iter(f"{SVG}text")]


def test_several_curves_differ_by_their_dashes() -> None:
    """There are no colors to tell them apart: the second is dashed, and both are named."""
    document = drawn(Curve("verde", POINTS), Curve("azul", POINTS))

    assert [one.get("stroke-dasharray") for one in document.iter(f"{SVG}polyline")] == [None, "6 4"]
    assert {"verde", "azul"} <= {one.text for one in document.iter(f"{SVG}text")}


@pytest.mark.parametrize("points", [[(0, 0)], [(5, 7), (6, 7)], [(1, Fraction(1, 1000)), (2, 0)]])
def test_any_points_can_be_drawn(points: list[tuple[int, Fraction]]) -> None:
    """One point, a level line and tiny numbers have axes too."""
    (line,) = drawn(Curve("a", points)).iter(f"{SVG}polyline")

    assert len(line.get("points", "").split()) == len(points)

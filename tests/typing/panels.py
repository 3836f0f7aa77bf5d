"""Panels of a plugin, typed against the public names: mypy checks them, tests draw them."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import ClassVar

import attrs

from energia.web.calls import Api
from energia.web.panels import (
    Bars,
    Column,
    Content,
    Curve,
    Language,
    Link,
    Mark,
    Panel,
    Place,
    Subject,
    Table,
    Template,
)


@attrs.frozen
class Standby:
    """How much a site takes at any time."""

    name: ClassVar[str] = "standby"
    places: ClassVar[tuple[Place, ...]] = ("overview", "meter")
    titles: ClassVar[Mapping[Language, str]] = {"en": "Standby", "pt-BR": "Consumo em espera"}
    timeout: float = 3.0

    async def content(self, api: Api, subject: Subject, language: Language) -> Content | None:
        """Return how many sites there are, with everything that a panel may have."""
        sites = await api.call("list_sites", limit=10)
        if not sites["items"]:
            return None
        bars = Bars("kW, by month", "kW", (("Jan", Decimal("3.5")), ("Feb", None)), limit=3)
        points = ((0, Decimal(2)), (10, Decimal("1.5")), (20, Decimal(4)))
        marks = (Mark(10, Decimal("1.5"), "best 10 kW"),)
        curve = Curve("GBP a year", "kW contracted", "GBP", (("green", points),), marks)
        columns = (Column("Month"), Column("Cost", "GBP", 2), Column("Since"))
        rows = (("January", Decimal("1234.5"), date(2026, 1, 31)), ("February", None, None))
        return Content(
            answer=f"{len(sites['items'])} in {language}",
            charts=(bars, curve),
            tables=(Table(columns, rows, "By month"),),
            template=Template("tests.typing", "standby.html", {"note": "<at night>"}),
            premises=("All of it is made up.",),
            links=(Link("To the meters", "/console/meters"),),
        )


PANELS: list[Panel] = [Standby()]

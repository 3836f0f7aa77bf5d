"""What authors of charges work with: measures in, exact lines out.

A charge is a frozen attrs class derived from `BaseCharge`, with a `kind`; its fields are the JSON
of the charge. It names the measures it needs and turns the exact integers that they give into
lines. Only the core rounds, after the last charge.

Example:
    @attrs.frozen
    class Levy(BaseCharge):
        '''A levy on every kilowatt-hour.'''

        kind: ClassVar[str] = "acme.levy"
        rate: Decimal

        def measures(self) -> dict[str, Measure]:
            return {"energy": Energy(self.channel)}

        def lines(self, measured: Measured, bill: BillSoFar) -> Iterator[Line]:
            yield self.metered(measured["energy"]["total"], self.rate)

"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    Protocol,
    TypeAlias,
    cast,
    runtime_checkable,
)

import attrs
from msgspec import Meta

from energia.contract import OF_MEASURES, misspelt
from energia.convert.constraints import Check
from energia.convert.scalars import Unfit
from energia.convert.structures import enforce
from energia.errors import Inexact, did_you_mean
from energia.pricing.exact import Exact, whole
from energia.pricing.lines import (
    BillSoFar,
    Code,
    Examples,
    Line,
    Replace,
    Selection,
    State,
    Step,
    Tags,
)
from energia.pricing.market.series import SlotFormula
from energia.pricing.schedule import Schedule
from energia.pricing.slots import Slots
from energia.pricing.wording import ENGLISH, Texts, in_language, named, of_role
from energia.units import MICRO, QUANTITIES, quantity_of
from energia.work import noting

__all__ = [
    "AcrossVersions",
    "BaseCharge",
    "BaseMeasure",
    "BillSoFar",
    "Charge",
    "Components",
    "Examples",
    "Line",
    "Measure",
    "Measured",
    "Mergeable",
    "Name",
    "PriceChange",
    "PriceChanges",
    "Rate",
    "RateParts",
    "Replace",
    "Role",
    "Selection",
    "Slots",
    "State",
    "Step",
    "UnitPrices",
    "unit_of",
]

#: What the measures of a charge gave: by name of the measure, then by label.
Measured: TypeAlias = Mapping[str, Mapping[str, int]]

#: What a role is the flow of, where it is of no register of a name of its own.
DIRECTIONS: Final = ("import", "export")


def _refuse_misspelt(role: str) -> None:
    """Refuse a role that is one of the usual ones with a slip in it, or lacks the direction."""
    first, *rest = role.split(".")
    usual: tuple[str, ...] = DIRECTIONS
    if first == "active_energy":
        raise Unfit("unknown_role", "active energy is `import` or `export`, without its quantity")
    if first in QUANTITIES:
        if not rest:
            raise Unfit("unknown_role", f"say the direction too: `{role}.import`")
        first = rest[0]
    else:
        usual = (*DIRECTIONS, *QUANTITIES)
    if first not in usual and difflib.get_close_matches(first, usual, 1, _NEAR):
        raise Unfit("unknown_role", f"there is no role {role!r}{did_you_mean(first, usual)}")


#: So much of a name must be alike for it to be taken for another one with a slip.
_NEAR: Final = 0.8
Role = Annotated[
    str,
    Meta(
        pattern=r"^[a-z][a-z0-9_]*([.][a-z0-9_]+){0,3}$",
        extra={
            "words": "one to four names of a-z 0-9 _ with points between, such as gas_volume.import"
        },
        max_length=100,
        description="What is charged: `import` and `export` are active energy, other quantities "
        "are named `<quantity>.<direction>`, such as `gas_volume.import`. A register that is "
        "charged by itself has a name of its own, below the direction, such as "
        "`import.controlled`, or without one, such as `generation`.",
        examples=["import"],
    ),
    Check(_refuse_misspelt),
]
_CODE: Final = "Names the charge in its version, and begins the codes of its lines; else the kind."
Text = Annotated[str, Meta(max_length=500)]
Name = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        extra={"words": "1 to 64 of A-Z a-z 0-9 _ -"},
        examples=["te"],
    ),
]
#: The parts of a rate, by name.
RateParts = Annotated[dict[Name, Decimal], Meta(min_length=1)]


@attrs.frozen
class Components:
    """A rate in several parts, each of them a line of its own.

    Attributes:
        components: The price of one unit in each part, by the part's name.

    """

    __public_name__: ClassVar[str] = "ComponentRates"

    components: RateParts


#: A price of one unit: one number, or components.
Rate: TypeAlias = Decimal | Components


@attrs.frozen
class UnitPrices:
    """What one unit costs, whatever is used; with tiers, the first unit.

    Attributes:
        rates: The rate of each period; without a schedule, one rate under the name "".
        schedule: When each period is.
        first_tier: Whether more usage has other rates: these are of the first tier.
        formula: Makes the price of each slot from a price series; there are no rates then.

    """

    rates: Mapping[str, Rate]
    schedule: Schedule | None = None
    first_tier: bool = False
    formula: SlotFormula | None = None


@attrs.frozen
class PriceChange:
    """What a charge makes of the price of one unit that an earlier charge has.

    Attributes:
        factor: What the price is multiplied by: a tax inside it, a discount in it.
        more: What is charged beside it: lines whose amounts are parts of the price.

    """

    factor: Fraction = Fraction(1)
    more: tuple[Line, ...] = ()


@attrs.frozen
class PriceChanges:
    """What a charge makes of prices per unit from some day on.

    Attributes:
        of: Returns what it makes of a price, given the line that one unit would be.
        until: The first day on which that is otherwise; None, never.

    """

    of: Callable[[Line], PriceChange]
    until: date | None = None


class Measure(Protocol):
    """A quantity of the usage in a window: exact integers by label.

    A frozen attrs class that derives from `BaseMeasure`, which has a default for all but `roles`
    and `evaluate`: equal ones are evaluated once.
    """

    @property
    def roles(self) -> Sequence[str]:
        """The roles whose readings it takes."""
        ...

    @property
    def series(self) -> Sequence[str]:
        """The price series whose prices it takes; none."""
        ...

    @property
    def seconds(self) -> int:
        """It looks at spans of so many seconds of the local clock as one; 1, at any.

        A bill that grows is cut between spans.
        """
        ...

    @property
    def schedule(self) -> Schedule | None:
        """The schedule by which slots have periods: it explains a line; None."""
        ...

    @property
    def all_slots(self) -> bool:
        """Whether without a schedule every slot of the role counts; True.

        Where a rule of the measure's own chooses slots, it is False: no line is explained by them.
        """
        ...

    @property
    def unit(self) -> str | None:
        """What the integers are millionths of; None, the unit of its first role."""
        ...

    @property
    def is_amount(self) -> bool:
        """Whether the integers are money rather than a quantity; False."""
        ...

    def evaluate(self, slots: Slots) -> Mapping[str, int]:
        """Return the measure of *slots*; quantities are in micro-units."""
        ...


@runtime_checkable
class Mergeable(Measure, Protocol):
    """A measure of a window that is known from what it is of the parts of it.

    A bill of such measures grows without reading what was read before.
    """

    def merge(self, earlier: Mapping[str, int], later: Mapping[str, int]) -> Mapping[str, int]:
        """Return the measure of two windows, of which one follows the other."""
        ...


class BaseMeasure:
    """What most measures say of themselves; a measure states what is otherwise for it.

    A name that is one of these with a slip in it is refused where the class is made, as it would be
    passed over.

    Example:
        @attrs.frozen
        class Reactive(BaseMeasure):
            '''The reactive energy of the evening, in micro-kvarh.'''

            schedule: Schedule

            @property
            def roles(self) -> tuple[str, ...]:
                return ("reactive_energy.import",)

            def evaluate(self, slots: Slots) -> Mapping[str, int]:
                part = slots.portion(self.roles[0], ())
                return slots.calendar(self.schedule, self.roles[0]).sums(part.values, part.largest)

    """

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        """Refuse a name that is misspelt; raises `TypeError`."""
        super().__init_subclass__(**options)
        if wrong := misspelt(cls, OF_MEASURES):
            raise TypeError(f"{cls.__name__}: {wrong}")

    @property
    def series(self) -> Sequence[str]:
        """The price series whose prices it takes."""
        return ()

    @property
    def seconds(self) -> int:
        """The length of the spans that it looks at as one."""
        return 1

    @property
    def schedule(self) -> Schedule | None:
        """The schedule by which slots have periods."""
        return None

    @property
    def all_slots(self) -> bool:
        """Whether without a schedule every slot of the role counts."""
        return True

    @property
    def unit(self) -> str | None:
        """What the integers are millionths of; None is the unit of the first role."""
        return None

    @property
    def is_amount(self) -> bool:
        """Whether the integers are money."""
        return False


#: Which version of a tariff charges a bill that crosses versions: each its part, or the last all.
AcrossVersions: TypeAlias = Literal["last", "each"]


class Charge(Protocol):
    """A kind of charge: what a plugin registers. Its fields are the JSON of the charge.

    A frozen attrs class that derives from `BaseCharge`, which has all but `kind`, `measures` and
    `lines`.
    """

    kind: ClassVar[str]
    examples: ClassVar[Examples]
    examples_after: ClassVar[Examples]
    excused: ClassVar[Mapping[str, str]]
    remeasures: ClassVar[bool]

    @property
    def code(self) -> str | None:
        """What names the charge in its version; the kind if it is None."""
        ...

    @property
    def description(self) -> str | None:
        """What the lines of the charge are called."""
        ...

    @property
    def channel(self) -> str:
        """The role that is charged."""
        ...

    @property
    def across_versions(self) -> AcrossVersions:
        """Which version charges, where a bill crosses versions: each its part, or the last all."""
        ...

    def unit_prices(self) -> UnitPrices | None:
        """Return the price of one unit of the channel, where the charge has one."""
        ...

    def price_changes(self, day: date) -> PriceChanges | None:
        """Return what it makes of prices per unit of charges before it, from *day* on.

        None where what it charges depends on how much is used, or is not on lines.
        """
        ...

    def measures(self) -> Mapping[str, Measure]:
        """Return what must be measured, by a name of the charge's own."""
        ...

    def lines(self, measured: Measured, bill: BillSoFar) -> Iterable[Line | Replace | State]:
        """Return the lines, given the measures by name, and what to remember for the next bill.

        A charge may also replace lines of those before it.
        """
        ...


@attrs.frozen(kw_only=True)
class BaseCharge:
    """The fields of every charge, and what makes its lines.

    A class may list `__rules__` over its fields (see `energia.convert.structures`): a charge that
    breaks one is refused when its tariff is saved.

    `examples` are complete charges of the kind as JSON has them, with their `kind`: they are in the
    JSON Schema, and `energia plugins check` prices them. Where a kind is about lines of earlier
    charges, `examples_after` are charges that come before each example. `excused` names checks that
    do not hold for the kind, and says why.

    `remeasures` says that it asks for what earlier charges would measure of other usage
    (`bill.remeasured`): a bill with it is not added to, but measured anew as it grows.

    `titles` are what the kind is called on a bill, by language: `{"en": "Levy", "pt-BR": "Taxa"}`.
    Without them lines have the code for a name, where the tariff has no `description`.

    Attributes:
        code: Names the charge in its version; the default is the kind.
        description: What its lines are called; the default is what the kind is called.
        channel: The role that is charged.
        tags: Marks of its lines, that later charges look for.

    """

    kind: ClassVar[str]
    examples: ClassVar[Examples] = ()
    examples_after: ClassVar[Examples] = ()
    excused: ClassVar[Mapping[str, str]] = {}
    remeasures: ClassVar[bool] = False
    titles: ClassVar[Texts] = {}

    code: Annotated[Code | None, Meta(description=_CODE)] = None
    description: Text | None = None
    channel: Role = "import"
    tags: Tags | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse fields that contradict each other."""
        enforce(self)

    @property
    def across_versions(self) -> AcrossVersions:
        """Which version charges, where a bill crosses versions: each its part, or the last all."""
        return "each"

    def unit_prices(self) -> UnitPrices | None:
        """Return the price of one unit of the channel, where the charge has one."""
        return None

    def price_changes(self, day: date) -> PriceChanges | None:
        """Return what it makes of prices per unit of charges before it, from *day* on."""
        return None

    def line(  # noqa: PLR0913 - the parts of a line
        self,
        quantity: Exact | None = None,
        rate: Exact | None = None,
        unit: str | None = None,
        *,
        amount: Exact | None = None,
        period: str | None = None,
        component: str | None = None,
        steps: tuple[Step, ...] = (),
        tags: tuple[str, ...] = (),
    ) -> Line:
        """Return a line of this charge; the core takes quantity x rate if there is no amount.

        Args:
            quantity: How much, in *unit*; exact, and not rounded.
            rate: The price of one unit, as the tariff states it.
            unit: The unit of the quantity, such as `kWh` or `day`.
            amount: The amount itself, where it is not quantity x rate: *steps* tell how it was
                worked out.
            period: The period of the schedule; it is part of the line's code.
            component: The part of the rate; it is part of the code, too.
            steps: How the amount was worked out (or the quantity, where there is a rate): they add
                up to it.
            tags: Marks that later charges look for, besides those of the charge.

        """
        return Line(
            self._code(period, component),
            self.text(period, component),
            quantity=quantity,
            unit=unit,
            rate=rate,
            amount=amount,
            period=period,
            component=component,
            steps=steps,
            tags=(*(self.tags or ()), *tags),
        )

    def title(self, language: str = ENGLISH) -> str:
        """Return what the charge is called: its `description`, or its kind in a language.

        Args:
            language: That of the tariff: `bill.language`.

        """
        if self.description or not self.titles:
            return self.description or self.code or self.kind
        title = in_language(self.titles, language) + of_role(self.channel, language)
        return named(title, self.code if self.code != self.kind else None, ())

    def text(
        self, period: str | None = None, component: str | None = None, language: str = ENGLISH
    ) -> str:
        """Return what a line is called that says nothing else: `line` gives it this text.

        The core puts it into the language of the tariff, so a charge that has `titles` need not.

        Args:
            period: The period of the line.
            component: The part of the rate.
            language: That of the tariff.

        """
        if not self.description and not self.titles:
            return " ".join(part for part in (self.title(language), period) if part)
        return named(self.title(language), None, (period, component))

    def _code(self, period: str | None, component: str | None) -> str:
        """Return the code of a line."""
        return ".".join(part for part in (self.code or self.kind, period, component) if part)

    def metered(  # noqa: PLR0913 - the parts of a line
        self,
        micro: int,
        rate: Decimal,
        *,
        period: str | None = None,
        component: str | None = None,
        unit: str | None = None,
        steps: tuple[Step, ...] = (),
    ) -> Line:
        """Return a line for what a measure gave: millionths of a unit.

        Args:
            micro: How many micro-units, a Python int, such as `measured["energy"]["total"]`.
            rate: The price of one unit.
            period: As in `line`.
            component: As in `line`.
            unit: The unit, where it is not that of the channel.
            steps: How the quantity was worked out.

        """
        try:
            quantity = Fraction(whole(micro), MICRO)
        except Inexact as error:
            code = self._code(period, component)
            raise Inexact(f"line {code}: micro of `metered`: {error.detail}") from None
        of = unit or unit_of(self.channel)
        return self.line(quantity, rate, of, period=period, component=component, steps=steps)

    def rated(
        self,
        micro: int,
        rate: Rate,
        *,
        period: str | None = None,
        unit: str | None = None,
        steps: tuple[Step, ...] = (),
    ) -> Iterator[Line]:
        """Yield a line for each component of *rate*, or one for a rate without components.

        Args:
            micro: How many micro-units, as in `metered`.
            rate: A number, or the parts of which each becomes a line of its own.
            period: As in `line`.
            unit: The unit, where it is not that of the channel.
            steps: How the quantity was worked out.

        """
        rates = rate.components if isinstance(rate, Components) else {None: rate}
        for component, part in rates.items():
            yield self.metered(
                micro, part, period=period, component=component, unit=unit, steps=steps
            )


def unit_of(role: str) -> str:
    """Return the canonical unit of a role, such as kWh of `import`."""
    return QUANTITIES[quantity_of(role)]


def code_of(charge: Charge) -> str:
    """Return what names *charge* in its version."""
    return charge.code or charge.kind


def measures_of(charge: Charge) -> Mapping[str, Measure]:
    """Return what *charge* asks for, by its names; raises `TypeError` where these are none."""
    with blamed(code_of(charge)):
        measures = charge.measures()
        if isinstance(cast("object", measures), Mapping):
            return measures
        raise TypeError(f"`measures` gives a mapping, not {type(measures).__name__}")


def blamed(code: str) -> AbstractContextManager[None]:
    """Call a charge; an error that nobody expected says in a note which one it comes from."""
    return noting(f"the charge {code}")

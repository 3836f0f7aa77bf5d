"""Money that exports have earned: used as far as the limit lets it, then kept, paid or lost."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

import attrs

from energia.pricing.charges import Line, Step
from energia.pricing.exact import decimal_text, fraction
from energia_plugins.tariff_export.ledger import Account, Entry, alive, drawn, total
from energia_plugins.tariff_export.site import Site


@attrs.define
class Purse:
    """The money of a bill.

    Attributes:
        site: The bill.
        before: The lines of this charge so far.
        earning: The lines of what is earned, below zero.
        account: What became of the money.
        entries: What is kept.

    """

    site: Site
    before: Sequence[Line]
    earning: Sequence[Line]
    account: Account = attrs.Factory(Account)
    entries: list[Entry] = attrs.Factory(list)

    def settle(self) -> Iterator[Line]:
        """Yield the lines about money."""
        had = self.site.kept.of("money")
        self.entries = alive(had, self.site.month)
        earned = -self.site.sum(self.earning)
        carried_in, expired = total(had), total(had) - total(self.entries)
        self.account = Account(carried_in=carried_in, earned=earned, expired=expired)
        yield from self._used()
        yield from self._earned(earned)
        if self.site.due and self.site.charge.keeps == "money":
            yield from self._true_up()

    def _room(self) -> Fraction | None:
        """Return how much may be used; None is any amount."""
        if self.site.charge.limits == "none":
            return None
        whole = self.site.charge.limits == "bill"
        lines = self.site.bill.lines if whole else self.site.energy_lines()
        return max(self.site.sum([*lines, *self.before]), Fraction(0))

    def _used(self) -> Iterator[Line]:
        """Use what was kept, oldest first."""
        room, there = self._room(), total(self.entries)
        taken, self.entries = drawn(self.entries, there if room is None else min(there, room))
        self.account.used = total(taken)
        steps = tuple(
            Step(f"credit of {one.month}", f"-{decimal_text(one.amount)}", -one.amount)
            for one in taken
        )
        if steps:
            yield _named(self.site, "credit", -total(taken), steps)

    def _earned(self, earned: Fraction) -> Iterator[Line]:
        """Use what is earned now, as far as there is room, and keep or lose the rest."""
        used, room = earned, self._room()
        if self._waits and earned > 0:
            used = Fraction(0)
        else:
            yield from self.earning
            if room is not None:
                used = min(earned, room - self.account.used)
        self.account.used += used
        yield from self._over(earned - used)

    @property
    def _waits(self) -> bool:
        """Whether what is earned is for the next bill."""
        return self.site.charge.apply == "next_bill"

    def _over(self, over: Fraction) -> Iterator[Line]:
        if not over:
            return
        keeps = self.site.charge.keeps == "money" or self.site.charge.true_up is not None
        if keeps:
            site = self.site
            self.entries.append(Entry(site.month, "money", over, None, site.expires))
        else:
            self.account.lost = over
        if not self._waits:
            name = "carried" if keeps else "lost"
            steps = (Step("more than the limit", decimal_text(over), over),)
            yield _named(self.site, name, over, steps)

    def _true_up(self) -> Iterator[Line]:
        there = total(self.entries)
        true_up = self.site.charge.true_up
        if there and true_up and true_up.pay == "cash":
            self.account.paid = there
            steps = tuple(
                Step(f"credit of {one.month}", f"-{decimal_text(one.amount)}", -one.amount)
                for one in self.entries
            )
            yield _named(self.site, "true_up", -there, steps, ("true_up",))
        else:
            self.account.lost += there
        self.entries = []


def _named(
    site: Site,
    name: str,
    value: Fraction,
    steps: tuple[Step, ...],
    tags: tuple[str, ...] = (),
) -> Line:
    return site.charge.line(amount=fraction(value), component=name, steps=steps, tags=tags)

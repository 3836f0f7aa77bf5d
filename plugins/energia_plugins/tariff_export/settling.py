"""Settles a bill: energy, then money, then what is kept."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import attrs

from energia.pricing.charges import BillSoFar, Line, Measured, State, Step
from energia.pricing.exact import decimal_text, exact_text
from energia_plugins.tariff_export.crediting import credits
from energia_plugins.tariff_export.ledger import Account, Entry, Kept, alive, total
from energia_plugins.tariff_export.metering import Flows, Offsetting, flows
from energia_plugins.tariff_export.money import Purse
from energia_plugins.tariff_export.selling import sold
from energia_plugins.tariff_export.site import Site, kwh

if TYPE_CHECKING:
    from energia_plugins.tariff_export.charge import Export


def settled(charge: "Export", measured: Measured, bill: BillSoFar) -> Iterator[Line | State]:
    """Yield the lines of a bill and what is kept."""
    site = Site(charge, measured, bill, Kept.read(bill.state), max(measured["months"]))
    energy = Energy(site)
    yield from energy.settle()
    purse = Purse(site, energy.lines, (*energy.converted, *sold(site, energy.rest)))
    yield from purse.settle()
    yield from energy.paid
    yield from _change(site, "bank", "kWh", energy.account)
    yield from _change(site, "balance", None, purse.account)
    yield _state(site, energy, purse)


@attrs.define
class Energy:
    """The energy of a bill.

    Attributes:
        site: The bill.
        account: What became of it.
        lines: The credit of the energy charges.
        rest: What net metering has left of what is exported now.
        entries: What is kept.
        net: Exports less imports since the last true-up.
        converted: The line of a true-up that becomes money, if it does.
        paid: The line of a true-up that is paid.

    """

    site: Site
    account: Account = attrs.Factory(Account)
    lines: list[Line] = attrs.Factory(list)
    rest: list[Entry] = attrs.Factory(list)
    entries: list[Entry] = attrs.Factory(list)
    net: Fraction = Fraction(0)
    converted: list[Line] = attrs.Factory(list)
    paid: list[Line] = attrs.Factory(list)

    def settle(self) -> Iterator[Line]:
        """Yield the credit of what is offset, or netted."""
        if self.site.charge.scheme == "net_metering":
            self._offset()
            if self.site.due and self.site.charge.keeps == "kwh":
                self._true_up()
        elif self.site.charge.nets:
            self.lines = list(_netted(self.site))
        yield from self.lines

    def _offset(self) -> None:
        found, had = flows(self.site), self.site.kept.of("kwh")
        older = alive(had, self.site.month)
        work = Offsetting.of(self.site, found, older)
        earned = total(work.entries) - total(older)
        work.run()
        self.lines = list(work.lines())
        self.account = Account(
            carried_in=total(had),
            earned=earned,
            used=sum((use.spent for use in work.uses), Fraction(0)),
            expired=total(had) - total(older),
        )
        now = len(work.entries) - len(older)
        self._keep(work.entries[:now], work.entries[now:])
        self.net = _net(self.site, found)

    def _keep(self, now: Sequence[Entry], older: Sequence[Entry]) -> None:
        """Keep what is left, sell it, or lose it."""
        self.rest = [entry for entry in now if entry.amount]
        self.entries = [entry for entry in older if entry.amount]
        match self.site.charge.keeps:
            case "kwh":
                self.entries += self.rest
            case "money":
                self.account.paid = total(self.rest)
            case "none":
                self.account.lost = total(self.rest)

    def _true_up(self) -> None:
        there, true_up = total(self.entries), self.site.charge.true_up
        quantity = self.net if true_up and true_up.basis == "net" else there
        if true_up is None or true_up.pay == "lost":
            self.account.lost += there
        else:
            self.account.paid = there
            lines = self.paid if true_up.pay == "cash" else self.converted
            if quantity:
                lines.append(_true_up(self.site, quantity, true_up.rate or Decimal(0)))
        self.entries, self.net = [], Fraction(0)


def _net(site: Site, found: Flows) -> Fraction:
    """Return exports less imports of all periods since the last true-up, never below zero."""
    net = sum(found.exported.values()) - sum(found.imported.values())
    return max(site.kept.net + kwh(net), Fraction(0))


def _netted(site: Site) -> Iterator[Line]:
    """Yield what energy charges charge less because imports are netted slot by slot."""
    for code in site.codes:
        left = site.left(code)
        if left != site.bill.measured[code]:
            yield from credits(site, code, left, lambda _: ())


def _true_up(site: Site, quantity: Fraction, rate: Decimal) -> Line:
    return site.charge.line(-quantity, rate, "kWh", component="true_up", tags=("true_up",))


def _change(site: Site, name: str, unit: str | None, account: Account) -> Iterator[Line]:
    """Yield a line of no amount that tells what came into the bank and left it."""
    signs = {"earned": 1, "used": -1, "expired": -1, "lost": -1, "paid": -1}
    values = {what: sign * getattr(account, what) for what, sign in signs.items()}
    if any(values[what] for what in ("expired", "lost", "paid")) or sum(values.values()):
        steps = tuple(
            Step(what, decimal_text(value), value) for what, value in values.items() if value
        )
        change = account.carried_out - account.carried_in
        yield site.charge.line(change, Decimal(0), unit, component=name, steps=steps)


def _state(site: Site, energy: Energy, purse: Purse) -> State:
    kept = sorted([*energy.entries, *purse.entries], key=lambda entry: entry.month)
    state: dict[str, Any] = {"month": site.month, "ledger": [entry.json() for entry in kept]}
    if site.charge.true_up and site.charge.true_up.basis == "net":
        state["net"] = exact_text(energy.net)
    state["last"] = {
        unit: account.json()
        for unit, account in (("kwh", energy.account), ("money", purse.account))
        if account != Account()
    }
    return State(state)

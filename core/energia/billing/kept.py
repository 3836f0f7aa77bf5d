"""Keeps what was measured of growing bills, until something that it depends on changes."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cached_property
from typing import Any

import attrs

import energia
from energia.billing.contracts import Placed
from energia.billing.office import SQL, Office
from energia.metering.models import Channel
from energia.metering.query import Revised
from energia.pricing.tariffs import Tariff, Version
from energia.pricing.todate import SoFar, grows
from energia.zones import DAY, Zone


@attrs.frozen(eq=False)
class Growing:
    """A bill that grows: its contract, its tariff with the parameters filled in, its channels."""

    at: Placed
    tariff: Tariff
    first_day: date
    start: int
    now: int
    reads: tuple[tuple[str, Channel], ...]
    state: Mapping[str, Mapping[str, Any]]
    basis: str

    @property
    def zone(self) -> Zone:
        """The zone of the site."""
        return Zone.named(self.at.timezone)

    @cached_property
    def versions(self) -> tuple[Version, ...]:
        """The versions that are in force."""
        return tuple(span.version for span in self.tariff.in_force(self.start, self.now))

    @cached_property
    def grows(self) -> bool:
        """Whether what is measured can be kept and added to."""
        versions = self.versions
        return len(versions) == 1 and grows(versions[0])


@attrs.frozen
class Kept:
    """What was measured before: a row of `cost_to_date`."""

    until: datetime
    revisions: list[datetime]
    measured: dict[str, Any]


async def kept_of(office: Office, asked: Growing) -> Kept | None:
    """Return what is kept of a bill, unless something that it depends on has changed."""
    channels = [channel for _, channel in asked.reads]
    found = await office.tenant.fetch(
        Kept,
        SQL["to_date_get"],
        {
            "contract": asked.at.contract.id,
            "start": asked.first_day,
            "end": datetime.fromtimestamp(asked.now, UTC),
            "basis": asked.basis,
            "channels": [channel.key for channel in channels],
            "first": [(asked.start - channel.offset) // DAY for channel in channels],
            "offsets": [channel.offset for channel in channels],
        },
    )
    return found[0] if found else None


async def keep(
    office: Office,
    asked: Growing,
    found: SoFar,
    kept: Kept | None,
    revised: Sequence[Revised],
) -> None:
    """Keep what was *found*, given what was *kept* before and the readings since."""
    earlier = [None] * len(revised) if kept is None else kept.revisions
    pins = [
        max(filter(None, (old, new.revision_at))) for old, new in zip(earlier, revised, strict=True)
    ]
    await office.tenant.execute(
        SQL["to_date_put"],
        {
            "contract": asked.at.contract.id,
            "start": asked.first_day,
            "until": datetime.fromtimestamp(found.until, UTC),
            "revisions": pins,
            "basis": asked.basis,
            "measured": office.converter.dumps(found.measured).decode(),
        },
    )


def basis_of(office: Office, tariff: Tariff, reads: Sequence[tuple[str, Channel]]) -> str:
    """Return the text of all that measuring depends on besides the readings."""
    kinds = {charge.kind for version in tariff.versions for charge in version.charges}
    offered = {kind: office.plugins.charge_provider(kind) for kind in kinds}
    stated = {
        "energia": energia.__version__,
        "plugins": {kind: [one.name, one.version] for kind, one in sorted(offered.items())},
        "tariff": office.converter.unstructure(tariff),
        "channels": [[role, channel.key] for role, channel in reads],
    }
    return office.converter.dumps(stated).decode()

"""Kinds of jobs that are imported when one is begun, and what is looked for likewise."""

import pytest

from energia.jobs.kinds import Helped, Kind
from energia.plugins import Plugins
from energia.web.worker import KINDS, LateKind
from energia.webhooks.findings import FINDERS
from energia.webhooks.watch import LOOKED_FOR


@pytest.mark.parametrize("late", KINDS, ids=lambda late: late.name)
def test_a_late_kind_is_the_kind_that_it_stands_for(late: LateKind[Kind]) -> None:
    """It has its name, and is helped by other workers where that is."""
    kind = late.load(Plugins.of())

    assert (late.name, isinstance(late, Helped)) == (kind.name, isinstance(kind, Helped))


def test_all_that_is_looked_for_is_found() -> None:
    """Each type of event that a service looks for has something that finds it."""
    assert tuple(FINDERS) == LOOKED_FOR

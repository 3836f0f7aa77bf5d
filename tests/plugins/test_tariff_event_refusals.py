"""What contradicts itself in the charge `event` is refused when its tariff is saved."""

from typing import Any

import pytest

from tests.core.pricing.documents import faults
from tests.plugins.test_tariff_event import BILLS, event, window

WHEN = {"date": "2026-03-02", "from": "18:00", "to": "21:00"}


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"events": [{}]}, {"/events/0/start": "instants_or_times"}),
        ({"events": [{**WHEN, **window(1, 2)}]}, {"/events/0/start": "instants_or_times"}),
        ({"events": [{"date": "2026-03-02"}]}, {"/events/0/start": "instants_or_times"}),
        ({"events": [window(3, 3)]}, {"/events/0/end": "empty_window"}),
        ({"events": [{**WHEN, "to": "18:00"}]}, {"/events/0/to": "empty_window"}),
        (
            {"events": [{"start": "2026-03-02T18:00:00", "end": "2026-03-02T18:00:00.5Z"}]},
            {"/events/0/start": "naive_time", "/events/0/end": "off_grid"},
        ),
        (
            {"events": [window(1, 2)], "rate": None},
            {"/events/0/rate": "missing_rate"},
        ),
        (
            {"events": [window(1, 2, rate="1"), window(3, 4)]},
            {"/events/1/rate": "rates_differ"},
        ),
        ({"events": [window(1, 2, baseline="1")]}, {"/events/0/baseline": "unused_field"}),
        ({"baseline_days": 3}, {"/baseline_days": "unused_field"}),
        ({"statistic": "mean"}, {"/statistic": "unused_field"}),
        ({"form": "demand", "channel": "gas_volume.import"}, {"/channel": "wrong_unit"}),
        (
            {"form": "rebate", "events": [window(1, 2)]},
            {"/events/0/baseline": "missing_baseline"},
        ),
        (
            {"form": "rebate", "events": [window(1, 2, baseline="1"), window(3, 4)]}
            | {"baseline_days": 3},
            {"/events/1/baseline": "missing_baseline"},
        ),
    ],
)
def test_what_contradicts_itself_is_refused(
    fields: dict[str, Any], expected: dict[str, str]
) -> None:
    """The place is told."""
    found = faults(lambda: BILLS.tariff([{**event(), **fields}]))

    assert found == {f"/versions/0/charges/0{at}": code for at, code in expected.items()}

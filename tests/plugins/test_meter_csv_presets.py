"""The presets: each reads the file of its operator by its name alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from energia.contract import HasPresets
from energia.db.pool import Pool
from energia.plugins import Plugins
from energia_plugins import meter_csv
from tests.plugins.test_meter_csv_files import CASES, expected_of, put_meter, stored_of
from tests.serving import Serving, make_core


def _cases() -> dict[str, tuple[Path, dict[str, Any]]]:
    """Return the cases that name a preset, by its name."""
    cases = [(path, json.loads(path.read_text(encoding="utf-8"))) for path in CASES.glob("*.json")]
    return {case["preset"]: (path, case) for path, case in cases if "preset" in case}


def _presets() -> list[str]:
    decoders = Plugins.installed().decoders().values()
    return sorted(
        {name for each in decoders if isinstance(each, HasPresets) for name in each.presets}
    )


@pytest.mark.parametrize("name", _presets())
async def test_a_preset_reads_the_file_of_its_operator(
    name: str, serving: Serving, pool: Pool
) -> None:
    """Nothing but the name, the format and the meter needs to be said."""
    path, case = _cases()[name]
    query = {"format": case["send"]["query"]["format"], "mapping": name, "meter": "m"}
    data = (path.parent / case["file"]).read_bytes()

    async with serving(make_core(plugins=Plugins.installed(), pool=pool)) as client:
        await put_meter(client, case["meter"])
        async with client.post("/v1/imports", params=query, data=data) as sent:
            assert sent.status == 200, await sent.text()
        expected = expected_of(case["right"]["readings"])
        stored = await stored_of(client, case["meter"], sorted(expected))
    assert {start: stored.get(start) for start in expected} == expected
    assert len(stored) == case["right"].get("slots", len(expected))


def test_every_file_of_a_preset_is_one() -> None:
    """None has an option that no format knows, which would keep it from being listed."""
    folder = Path(meter_csv.__file__).parent / "presets"

    assert sorted(path.stem for path in folder.glob("*.toml")) == _presets()

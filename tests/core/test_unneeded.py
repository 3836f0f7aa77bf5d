"""What libraries import for themselves and the service never asks for."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from energia.unneeded import import_but, without


def shown(program: str) -> str:
    """Run a program in an interpreter that has imported nothing yet, and return what it prints."""
    run = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)
    return run.stdout.decode().strip()


def test_service_without_what_it_never_asks_for() -> None:
    """Nothing of what a service is put together from imports what hardly any request needs."""
    names = (
        *("psycopg", "rich", "energia.web.endpoints.costs", "energia.billing.models"),
        *("energia.costing.inputs", "energia.pricing.charges", "energia.metering.imports"),
        *("energia.web.openapi", "energia.webhooks.findings", "energia_plugins.tariff_flat"),
        *("energia_plugins.meter_csv", "energia_plugins.tariff_brazil.scee"),
        *("energia_plugins.tariff_brazil.rows", "energia_plugins.tariff_brazil.document"),
    )
    program = (
        "import sys; from energia import log; from energia.plugins import Plugins; "
        "import energia.web.lifecycle; Plugins.installed(serving=True); "
        f"print([name for name in {names} if name in sys.modules])"
    )

    assert shown(program) == "[]"


def test_who_sends_readings_waits_for_no_prices() -> None:
    """The routes that take readings in import nothing that prices or bills."""
    program = (
        "import sys; from energia.web.endpoints import OF_READINGS; "
        "import energia.web.lifecycle; OF_READINGS.routes(); "
        "names = ['energia.pricing.charges', 'energia.costing.inputs', 'energia.billing.models']; "
        "print([name for name in names if name in sys.modules])"
    )

    assert shown(program) == "[]"


def test_connectors_of_procrastinate() -> None:
    """Whoever asks Procrastinate for a connector of its own gets it."""
    program = (
        "import sys, energia.jobs, procrastinate; print('psycopg' in sys.modules); "
        "from procrastinate import PsycopgConnector; print(PsycopgConnector.__name__); "
        "print(hasattr(procrastinate, 'NoConnector'))"
    )

    assert shown(program).splitlines() == ["False", "PsycopgConnector", "False"]


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a module that nobody has imported."""
    (tmp_path / "large_one.py").write_text("Part = 3")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "large_one", raising=False)
    return "large_one"


def test_left_out_and_imported_later(module: str) -> None:
    """A module is not there within the block, and is after it."""
    with without(module), pytest.raises(ImportError):
        import_module(module)

    assert import_module(module).Part == 3


def test_imported_before(module: str) -> None:
    """What has been imported already stays as it is."""
    whole = import_module(module)

    with without(module):
        import_but(module, {"Part": "part"})

    assert import_module(module) is whole
    assert whole.Part == 3

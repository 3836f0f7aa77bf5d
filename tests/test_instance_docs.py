"""The examples for Docker, Kubernetes, a server and two services are whole and tight."""

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from energia.cli.invocation import MISUSED
from energia.configuration.layers import PLATFORM, variables
from energia.configuration.loading import load
from energia.errors import ConfigurationError
from energia.settings import Server
from tests.imports import ROOT
from tests.test_deploy_docs import named_settings, of_plugins, settings

CONTAINERS: Final = (ROOT / "docs/how-to/deploy-containers.md").read_text(encoding="utf-8")
INSTANCES: Final = (ROOT / "docs/how-to/instances.md").read_text(encoding="utf-8")
SERVER: Final = (ROOT / "docs/how-to/deploy-server.md").read_text(encoding="utf-8")
COMPOSE, KUBERNETES = re.findall(r"```yaml\n(.*?)```", CONTAINERS, re.DOTALL)
#: What Kubernetes tells pods of a Service called `energia`.
LINKS: Final = {"ENERGIA_PORT", "ENERGIA_SERVICE_HOST"}
#: The longest stop, as the settings are by default.
STOP: Final = Server().drain_ready + Server().drain + 2 * Server().shutdown_timeout


def manifest(kind: str) -> dict[str, Any]:
    """Return the manifest of a kind."""
    (found,) = [one for one in yaml.safe_load_all(KUBERNETES) if one["kind"] == kind]
    return dict(found)


@pytest.fixture(name="pod")
def _pod() -> dict[str, Any]:
    """Give what the deployment says of a pod."""
    return dict(manifest("Deployment")["spec"]["template"]["spec"])


def test_probes_ask_what_they_should(pod: dict[str, Any]) -> None:
    """Readiness by the database, liveness never: a restart brings no database back."""
    (container,) = pod["containers"]
    (port,) = container["ports"]

    assert container["readinessProbe"]["httpGet"] == {"path": "/health/ready", "port": "http"}
    assert container["livenessProbe"]["httpGet"] == {"path": "/health/live", "port": "http"}
    assert "startupProbe" not in container
    assert (port["name"], port["containerPort"]) == ("http", Server().port)
    assert manifest("Service")["spec"]["ports"][0]["targetPort"] == "http"


def test_a_pod_has_time_to_drain(pod: dict[str, Any]) -> None:
    """Longer than the longest stop; and there is a new one before an old one goes."""
    rolling = manifest("Deployment")["spec"]["strategy"]["rollingUpdate"]

    assert pod["terminationGracePeriodSeconds"] > STOP
    assert rolling == {"maxUnavailable": 0, "maxSurge": 1}
    assert yaml.safe_load(COMPOSE)["services"]["energia"]["stop_grace_period"] == "30s"
    assert STOP < 30


def test_a_pod_may_do_no_more_than_it_must(pod: dict[str, Any]) -> None:
    """As the image is built for: no root, no capability, nothing to write to but /tmp."""
    (container,) = pod["containers"]
    may = container["securityContext"]

    assert (pod["securityContext"]["runAsNonRoot"], may["readOnlyRootFilesystem"]) == (True, True)
    assert (may["allowPrivilegeEscalation"], may["capabilities"]) == (False, {"drop": ["ALL"]})
    assert f"USER {pod['securityContext']['runAsUser']}:" in (ROOT / "Dockerfile").read_text()
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == ["/tmp"]  # noqa: S108
    service = yaml.safe_load(COMPOSE)["services"]["energia"]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])


def test_services_of_kubernetes_are_no_settings(pod: dict[str, Any]) -> None:
    """Its variables for a Service that is called like us would stop the start."""
    with pytest.raises(ConfigurationError) as caught:
        load(environ=dict.fromkeys(sorted(LINKS), "tcp://10.0.0.1:80"))

    assert pod["enableServiceLinks"] is False
    assert len(caught.value.faults) == len(LINKS)


def test_the_variables_exist(pod: dict[str, Any]) -> None:
    """A service that is given them starts."""
    known = {*variables(), *PLATFORM, *of_plugins()}
    (container,) = pod["containers"]
    given = {*manifest("Secret")["stringData"], *(one["name"] for one in container["env"])}
    given |= set(yaml.safe_load(COMPOSE)["services"]["energia"]["environment"])

    assert given - known == set()
    for guide in (CONTAINERS, INSTANCES, SERVER):
        assert named_settings(guide) - known - settings() - LINKS == set()


def test_the_environment_of_a_server_is_a_production() -> None:
    """The file of the unit starts a service, on the port that the health check asks."""
    (text,) = [
        block for block in re.findall(r"```sh\n(.*?)```", SERVER, re.DOTALL) if "='" in block
    ]
    environ = dict(re.findall(r"^(\w+)='(.*)'$", text, re.MULTILINE))
    settings = load(environ=environ).settings

    assert len(environ) == len(text.splitlines())
    assert settings.profile == "production"
    assert settings.server.trusted_proxies == ("127.0.0.1/32",)
    assert f"healthcheck --port {settings.server.port}" in SERVER


def test_a_unit_has_time_to_drain_and_does_not_begin_again_in_vain() -> None:
    """Longer than the longest stop; a configuration that does not fit ends with 2."""
    (text,) = re.findall(r"```ini\n(.*?)```", SERVER, re.DOTALL)
    unit = dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))

    assert int(unit["TimeoutStopSec"]) > STOP
    assert (unit["Restart"], unit["RestartPreventExitStatus"]) == ("on-failure", str(MISUSED))


def test_the_two_services_do_not_meet(tmp_path: Path) -> None:
    """Each example loads, with a port and a database of its own."""
    found = []
    for number, text in enumerate(re.findall(r"```toml\n(.*?)```", INSTANCES, re.DOTALL)):
        (file := tmp_path / f"{number}.toml").write_text(text)
        assert tomllib.loads(text)
        found.append(load(files=[file], environ={}).settings)
    first, second = found

    assert first.server.port != second.server.port
    assert first.database.url != second.database.url

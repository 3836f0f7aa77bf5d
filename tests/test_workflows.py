"""GitHub Actions check, and publish packages; what the linters of workflows do not know of that."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.imports import ROOT
from tests.rehearsals.ci import workflow

CI = ROOT / ".github/workflows/ci.yml"
RELEASE = ROOT / ".github/workflows/release.yml"
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.y*ml"))
#: What jobs of a release may write: a signature, and where it is kept.
SIGNING = {
    "attest": {"id-token": "write", "attestations": "write"},
    "publish": {"id-token": "write"},
}
LAPTOP = yaml.safe_load((ROOT / "docker-compose.laptop.yaml").read_text(encoding="utf-8"))
#: What a pipeline that deploys would have, in any spelling.
FORBIDDEN = (
    r"\bsecrets\s*[.\[]|\bsecrets:|\bssh\b|\bscp\b|rsync|coolify\.|api/v1/deploy"
    r"|docker (?:login|push)|push: true|pull_request_target|workflow_run|self-hosted|twine"
    r"|password|api.token"
)


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    """Return the jobs of a workflow."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def test_there_are_workflows() -> None:
    """The tests below look at something."""
    assert WORKFLOWS == [CI, RELEASE]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_nothing_is_deployed(path: Path) -> None:
    """No secret, no remote shell, no registry, no platform."""
    text = path.read_text(encoding="utf-8")
    commands = re.sub(r"#.*", "", text)

    assert re.findall(FORBIDDEN, commands, re.IGNORECASE) == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_job_may_read_and_nothing_else(path: Path) -> None:
    """Nothing at the top; each job says what it needs, and why in a comment."""
    text = path.read_text(encoding="utf-8")

    assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
    signing = SIGNING if path == RELEASE else {}
    for name, job in jobs(path).items():
        assert job["permissions"] in ({}, signing.get(name, {"contents": "read"})), name
        assert 0 < job["timeout-minutes"] <= 60, name
        assert job["runs-on"] == "ubuntu-24.04", name
    granted = re.findall(r"^ +[\w-]+: (?:read|write)(.*)$", text, re.MULTILINE)
    assert all(re.match(r" # \w+", comment) for comment in granted)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path: Path) -> None:
    """By the hash of a commit, with the version in a comment; a checkout keeps no credentials."""
    lines = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    steps = [step for job in jobs(path).values() for step in job["steps"]]
    checkouts = [step for step in steps if "actions/checkout" in step.get("uses", "")]

    assert lines
    assert [x for x in lines if not re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40} # v[\d.]+", x)] == []
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_one_check_stands_for_all() -> None:
    """The branch rule of the guide requires it by its name, and it waits for every job."""
    found = jobs(CI)
    last = found.pop("passed")

    assert last["name"] == "All passed"
    assert last["if"] == "always()"
    assert last["needs"] == list(found)


def test_ci_runs_what_developers_run() -> None:
    """Each command is a target of the Makefile, but for building the image."""
    targets = set(
        re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    )
    found = jobs(CI)
    del found["passed"]
    commands = [s["run"] for job in found.values() for s in job["steps"] if "run" in s]
    made = {match[1] for command in commands if (match := re.match(r"make (\S+)", command))}

    assert made <= targets
    assert [c for c in commands if not c.startswith("make ")] == [
        "docker build --network host --tag energia:ci ."
    ]


def test_the_rehearsal_knows_every_action() -> None:
    """Those that run on a push have a stand-in; a checkout is what act does itself."""
    pushed = [job for job in jobs(CI).values() if "if" not in job]
    used = {s["uses"] for job in pushed for s in job["steps"] if "uses" in s}
    stood = {option.partition("=")[2].partition("=")[0] for option in workflow.stands()}

    assert {one for one in used if "actions/checkout@" not in one} == stood
    assert workflow.jobs() == [name for name in jobs(CI) if name != "passed"]


def test_a_release_is_what_was_built_of_its_tag() -> None:
    """Built by a job that may write nothing, attested, and published last, behind an approval."""
    found = jobs(RELEASE)
    text = RELEASE.read_text(encoding="utf-8")
    build = [step.get("run", "") for step in found["build"]["steps"]]

    assert list(found) == ["build", "attest", "publish"]
    assert (found["attest"]["needs"], found["publish"]["needs"]) == (["build"], ["attest"])
    assert found["publish"]["environment"] == "pypi"
    assert yaml.safe_load(text)[True] == {"push": {"tags": ["v[0-9]+.[0-9]+.[0-9]+"]}}
    assert any("GITHUB_REF_NAME#v" in command for command in build)
    assert not any("run" in step for name in SIGNING for step in found[name]["steps"])


def test_updates_wait() -> None:
    """Dependabot proposes nothing that is younger than a week."""
    text = (ROOT / ".github/dependabot.yml").read_text(encoding="utf-8")
    updates = yaml.safe_load(text)["updates"]

    assert {one["package-ecosystem"] for one in updates} == {"github-actions", "pip", "docker"}
    assert all(one["cooldown"]["default-days"] >= 7 for one in updates)


@pytest.mark.parametrize("name", LAPTOP["services"])
def test_a_service_of_the_laptop(name: str) -> None:
    """It listens on the loopback only, is of a named version and has a health check."""
    service = LAPTOP["services"][name]
    image = service.get("image", "")

    assert service.get("build") == "." or re.fullmatch(r"[a-z/]+:v?\d+[\w.-]*", image)
    assert "healthcheck" in service or service.get("build") == "."  # the Dockerfile's
    assert service["ports"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_laptop_has_all_four() -> None:
    """The service is as tight as in CI; the file's name is not one that Coolify overwrites."""
    service = LAPTOP["services"]["energia"]

    assert set(LAPTOP["services"]) == {"energia", "postgres", "prometheus", "grafana"}
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert not (ROOT / "docker-compose.yaml").exists()


def test_the_tests_of_the_threat_model_exist() -> None:
    """SECURITY.md names a test for each threat."""
    rows = re.findall(
        r"^\| [A-Z].* \| .* \| (.*) \|$", (ROOT / "SECURITY.md").read_text("utf-8"), re.MULTILINE
    )
    named = [name for row in rows for name in re.findall(r"`(tests/[\w/.]+)`", row)]

    assert len(rows) > 10
    assert all("`" in row for row in rows)
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_ci_keeps_a_bill_of_materials() -> None:
    """Made from the lock of the image, by the job that audits it."""
    steps = jobs(CI)["audit"]["steps"]

    assert "make sbom PYTHON=python" in [step.get("run") for step in steps]
    assert "dist/sbom.cdx.json" in [step.get("with", {}).get("path") for step in steps]

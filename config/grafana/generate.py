"""Writes the dashboards: `python config/grafana/generate.py`. A test holds the files to this."""

import json
import sys
from pathlib import Path

from energy import ENERGY
from model import document
from previews import PREVIEWS
from service import SERVICE


def main(folder: Path) -> None:
    """Write a file for each dashboard."""
    for dashboard in (SERVICE, ENERGY, PREVIEWS):
        path = folder / f"{dashboard.uid.removeprefix('energia-')}.json"
        path.write_text(json.dumps(document(dashboard), indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dashboards")

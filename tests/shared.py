"""Where the data of other engines are, which are not in this repository."""

import os
from pathlib import Path
from typing import Final

_BESIDE: Final = Path(__file__).parents[2] / "shared"
#: The tariffs with their expected values: below SHARED_DATA, or beside the checkout.
SHARED: Final = Path(os.environ.get("SHARED_DATA") or _BESIDE) / "data" / "tariffs"
#: Real meter files with what other libraries read of them.
METERS: Final = SHARED.parent / "meters"

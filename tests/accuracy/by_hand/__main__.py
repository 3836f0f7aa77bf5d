"""`python -m tests.accuracy.by_hand SEED`: draw a tariff, price it both ways, and show it."""

import json
import sys

from tests.accuracy.by_hand.against import differences, shown
from tests.accuracy.by_hand.drawn import draw


def main(seed: int) -> int:
    """Print a tariff and where its bills differ; exit code 1 if they do."""
    drawn = draw(seed)
    found = differences(drawn)
    print(json.dumps(drawn.tariff, indent=1))
    print(shown(drawn) if found else "no difference")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))

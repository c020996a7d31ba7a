"""`python tools/realtime_sim`: runs the simulator that ships as `townsfolk.simulator`. Adds nothing."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "engine"))

from townsfolk.simulator.__main__ import main

if __name__ == "__main__":
    raise SystemExit(main())

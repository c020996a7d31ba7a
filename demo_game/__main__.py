"""`python -m demo_game` and `make play`. Only hands over to `start.py`."""

import sys

from demo_game.start import main

if __name__ == "__main__":
    sys.exit(main())

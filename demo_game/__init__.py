"""The demo: an evening in Ashwick, as a window (pygame) or in the terminal. A client of the engine, no part of it."""

"""Screens of the demo. Each has `handle(event)`, `update(dt)` and `draw(surface)`."""

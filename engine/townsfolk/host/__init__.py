"""The process that runs the characters, beside the game."""

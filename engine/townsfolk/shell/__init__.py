"""What the `townsfolk` command does, one file a command."""

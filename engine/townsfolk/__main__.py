"""`python -m townsfolk`: the same as the `townsfolk` command."""

from townsfolk.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

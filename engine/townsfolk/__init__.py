"""townsfolk: characters that talk."""

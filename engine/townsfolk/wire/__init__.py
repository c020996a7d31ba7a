"""The wire: messages and their bytes. No sockets."""

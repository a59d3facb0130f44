"""The HTTP API, and the client that the commands ask it with."""

"""How long the pages of the console take over thirty days of five million events."""

"""Log, rows, rollups and windows held against each other: equal, or the hole by name."""

"""The history worker: every record to the store exactly once."""

"""Everybody's telemetry to events of the contract, as a worker."""

"""Everybody's telemetry, read into events of the contract; no Kafka, no clock, no policy of its own."""

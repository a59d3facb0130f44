"""OTLP bytes to spans and log records: protobuf, JSON, and gzip around either."""

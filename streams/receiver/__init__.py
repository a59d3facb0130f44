"""OTLP over HTTP for programs without a Collector: what comes in is in Kafka before it is answered."""

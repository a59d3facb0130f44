"""An OpenTelemetry Collector with a Kafka exporter: what our page configures, in the versions of go.mod."""

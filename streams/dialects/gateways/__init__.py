"""Records that gateways and governance tools write to Kafka themselves, in JSON of their own."""

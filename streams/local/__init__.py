"""A real Kafka broker on one machine, from Python wheels and Maven jars alone."""

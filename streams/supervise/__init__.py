"""What `streams.supervisor` is made of."""

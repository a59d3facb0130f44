"""What is kept and for how long: planned, carried out in store, Kafka and files, and written down."""

"""What stands open in an installation that is for more than a look: settings, files, tokens, Kafka, store, images."""

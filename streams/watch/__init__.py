"""The watch worker: events to sums per tick of event time."""

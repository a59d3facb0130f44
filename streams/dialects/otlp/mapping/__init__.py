"""One span, read into the fields of the event that it becomes, its texts measured and dropped."""

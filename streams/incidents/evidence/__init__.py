"""What was known of an incident at one moment."""

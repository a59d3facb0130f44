"""Who is told of an incident, when, and in which words."""

"""What was said to a model and by it, in the forms in which spans and logs carry it."""

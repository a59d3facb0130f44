"""What names somebody: taken out of the store, and kept out of it."""

"""What providers of models say of their own filters and guards."""

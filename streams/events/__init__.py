"""Events decoded to columns, and what each says: flags, labels, risk."""

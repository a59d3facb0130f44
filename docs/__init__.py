"""What writes and checks the pages, the lock and the bill of materials."""

"""What was done and asked, written down so that nobody can bend it unseen."""

"""What every worker is made of: the loop, its watchdog, its health, and what it refuses."""

"""How a process is: its problems, its log's noise, its disk."""

"""What an incident is, and how findings, changes and actions become one."""

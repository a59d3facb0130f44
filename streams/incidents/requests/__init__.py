"""What is asked of services and their deployers: gates, controls, announcements."""

"""What people's labels say of the true rate."""

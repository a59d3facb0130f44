"""What people read, held against what is true."""

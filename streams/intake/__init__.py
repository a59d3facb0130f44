"""What people bring: explained record by record, imported from files, and looked over for what is often wrong."""

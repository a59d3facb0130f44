"""What observability platforms and providers write into files."""

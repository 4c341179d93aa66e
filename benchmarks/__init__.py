"""Timings of what users wait for: `make bench`. Nothing here is a test; read the figures as proportions."""

"""Whole runs of ours and of other clients, side by side: `make bench`."""

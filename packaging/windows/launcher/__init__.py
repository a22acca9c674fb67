"""The console launcher: its C source and how it is built."""

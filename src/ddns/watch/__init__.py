"""The resident program: a run each interval, and when the network changes, until somebody ends it."""

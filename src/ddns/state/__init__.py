"""The state of this machine: what was published, what is intended, what happened."""

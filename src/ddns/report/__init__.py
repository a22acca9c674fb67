"""What a run tells: log and events."""

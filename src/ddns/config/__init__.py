"""Settings: schema, loading, positions, policy."""

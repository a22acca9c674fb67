"""Group Policy's administrative template of the settings, made from their types."""

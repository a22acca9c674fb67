"""Places where records are kept, one module each."""

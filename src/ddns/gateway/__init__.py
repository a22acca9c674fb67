"""The gateway: takes signed updates, keeps the keys, writes DNS."""

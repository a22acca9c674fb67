"""`ddns demo`: the whole product on loopback with throw-away data, narrated."""

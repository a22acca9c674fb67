"""The network: the cheap wire, the HTTP client, trust, resolver."""

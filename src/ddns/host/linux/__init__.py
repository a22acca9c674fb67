"""Linux, where it has a counterpart of what is in `ddns.host.windows`."""

"""What Windows reads from the exes besides code: icon, manifest, version resource."""

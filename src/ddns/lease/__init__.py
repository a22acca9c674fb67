"""Where a fleet shares the right to write: a lease in Redis, in etcd, or at the own gateway."""

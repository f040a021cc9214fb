"""The embedded models: small, free, on this machine, without a key."""

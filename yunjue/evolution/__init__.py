"""A stream of tasks in batches over one library that grows and converges."""

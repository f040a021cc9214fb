"""Streams of tasks over one library: where they come from, how they are run and judged."""

"""A real browser for a run: what a page shows, what can be done with it, what followed."""

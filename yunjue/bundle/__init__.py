"""Bundles: tools in one file, to give away and to take in (docs/bundles.md)."""

"""Principles: lessons drawn from runs, kept with what their use came to (EvolveR)."""

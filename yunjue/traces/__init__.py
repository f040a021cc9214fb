"""Runs on disk: every event as it happens, and what is needed to resume or replay."""

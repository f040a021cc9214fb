"""Yunjue: an agent that writes, proves and keeps its own tools."""

__version__ = "0.1.0"

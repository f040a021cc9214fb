"""The built-in embedders, one a file."""

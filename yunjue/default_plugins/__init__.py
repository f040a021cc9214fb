"""The built-ins, registered through the same hooks as anyone's plugins."""

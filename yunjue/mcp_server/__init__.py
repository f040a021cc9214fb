"""The library served to other programs over the Model Context Protocol."""

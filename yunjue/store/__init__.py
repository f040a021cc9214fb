"""How the library is kept on disk: rows, code files and the vector index."""

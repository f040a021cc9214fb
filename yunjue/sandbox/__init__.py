"""Where model-written code runs: Docker, bubblewrap, or (only on demand) the bare host."""

"""The tool library: what the agent knows how to do."""

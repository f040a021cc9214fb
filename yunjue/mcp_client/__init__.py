"""Other people's MCP servers, whose tools a run may use."""

"""Making a tool: specification -> candidates and cases -> proof -> verdict."""

"""The agent: a LangGraph graph of small nodes, one file each."""

"""How the next action in an environment is chosen: the first that comes to mind, or the best
of several."""

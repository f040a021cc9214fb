"""Tasks in a web browser: the domain ``web``, its environment, and looking ahead in it."""

"""Yahoo: one client that keeps the pace, and a module per route that it is asked for."""

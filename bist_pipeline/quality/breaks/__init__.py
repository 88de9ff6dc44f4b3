"""Breaks of level in a symbol's history: told apart into actions and faults, with what heals them."""

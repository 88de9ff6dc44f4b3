"""Drawn fixtures, one module a family of patterns; each defines `DRAWINGS`, a tuple of `Fixture`."""

"""Divergences of price from an oscillator, one file an oscillator."""

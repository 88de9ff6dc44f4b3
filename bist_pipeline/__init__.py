"""Borsa Istanbul prices to audited signals. Start with README.md; the rooms are described there."""

__version__ = "0.1.0"

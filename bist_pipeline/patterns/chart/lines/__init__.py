"""Patterns between two lines, one file a family; what they share stands in `_rules.py`."""

"""Two sources of the same bars compared: see `engine.py`."""

"""Frozen revisions. A new table or a changed column is a new file here; a new indicator is not."""

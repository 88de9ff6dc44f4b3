"""Where a price turned, and when that became known."""

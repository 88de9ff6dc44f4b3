"""One pandera contract per table: the single truth for columns, types, units and keys."""

"""Quality checks, one small file each: a pure function of a frame that returns a `Finding`."""

"""From indicators and events to a score in which every term can be read. The evidence for it is weak: see README."""

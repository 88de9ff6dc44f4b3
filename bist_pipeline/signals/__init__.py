"""From indicators and events to a score in which every term can be read. Evidence for such rules is weak; see README."""

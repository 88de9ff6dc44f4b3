"""Vocabulary shared by all rooms: sessions, symbols, bars, registry, errors, clock. Imports no other room."""

"""Indicators, one small file per indicator or family: arrays in, columns out. No database, no loops over symbols."""

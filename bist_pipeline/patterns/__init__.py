"""Pattern detectors: arrays in, events out. Candlesticks live in `candlestick/`."""

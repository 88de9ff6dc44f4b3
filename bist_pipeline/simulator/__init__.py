"""The simulated exchange: Yahoo's protocol on loopback, over an invented or a replayed market, with its faults."""

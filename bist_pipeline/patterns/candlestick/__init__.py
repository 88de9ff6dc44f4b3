"""Candlestick patterns, one file per number of candles: what each is called, spans, presumes and is said to mean."""

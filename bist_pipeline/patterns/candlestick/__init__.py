"""The 61 candlestick functions of TA-Lib as events, with the trend before the candle beside them."""

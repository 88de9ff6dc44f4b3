"""The yfinance library as a second reader of Yahoo's charts: the fallback of `yahoo_chart`, never the hot path.

`provider.py` declares it; `_transport.py` owns every request that the library sends, `_library.py` every call of the
library, `_frames.py` what its frame becomes.
"""

"""The archive provider: a folder with one CSV or Parquet file per symbol, in whatever shape a desk keeps them.

`provider.py` declares it; each helper module recognises one thing (file names, text, header, columns, dates, numbers).
What was recognised is handed on in `History.recognised`; what stays ambiguous is refused in one line.
"""

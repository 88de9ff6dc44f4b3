"""Edge in: price providers behind one contract, one module or package each. HTTP clients are legal here alone."""

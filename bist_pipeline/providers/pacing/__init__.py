"""When a request may be sent: the pace, the cool-down, the circuit breaker, as arithmetic without a database."""

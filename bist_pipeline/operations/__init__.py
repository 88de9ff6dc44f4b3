"""Running it: supervision of processes, the kill switch. No prices here."""

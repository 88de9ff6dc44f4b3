"""The command `bist-pipeline`: thin shells over `pipeline`."""

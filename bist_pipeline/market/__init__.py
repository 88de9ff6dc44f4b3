"""Pure price arithmetic: cleaning of raw bars. Frames in, frames out; no database, no network."""

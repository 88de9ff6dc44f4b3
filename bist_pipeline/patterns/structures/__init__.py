"""The machinery that all chart patterns share: candidates, rules, life cycles, events."""

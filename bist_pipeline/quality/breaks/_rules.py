"""Names of the rules: a storage contract, as the names of checks are.

Belongs here: the names and which check tells of them. Does not belong here: what they mean (the modules named).
"""

UNIT_ERROR = "unit_error"  # _levels.py
UNADJUSTED = "unadjusted_rows"
NO_EFFECT, MISDATED = "action_without_effect", "misdated_action"  # _stated.py
SPIKE, STRAY = "reverting_spike", "stray_price"  # _spikes.py, _pieces.py
STALE = "stale_close"  # _one_grid.py
UNSTATED = "unstated_action"
UNDECIDED = "undecided_level"
UNEXPLAINED = "unexplained_move"
PARTIAL = "partial_adjustment"  # _factors.py
WRONG = "wrong_factor"
PHANTOM = "phantom_adjustment"
DIVIDEND = "dividend_adjustment"  # _dividends.py

UNIT_RULES = frozenset({UNIT_ERROR})
SPIKE_RULES = frozenset({SPIKE, STRAY})
LEVEL_RULES = frozenset(
    {UNADJUSTED, NO_EFFECT, MISDATED, STALE, UNSTATED, UNDECIDED, UNEXPLAINED, PARTIAL, WRONG, PHANTOM, DIVIDEND}
)

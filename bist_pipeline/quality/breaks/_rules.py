"""Names of the rules: a storage contract, as the names of checks are.

Belongs here: the names and which check tells of them. Does not belong here: what they mean (the modules named).
"""

UNIT_ERROR = "unit_error"  # _levels.py
UNADJUSTED = "unadjusted_rows"
NO_EFFECT, MISDATED = "action_without_effect", "misdated_action"  # _stated.py
SPIKE, STRAY = "reverting_spike", "stray_price"  # _spikes.py
STALE = "stale_close"  # _factors.py
UNSTATED = "unstated_action"
PARTIAL = "partial_adjustment"
WRONG = "wrong_factor"
PHANTOM = "phantom_adjustment"
UNEXPLAINED = "unexplained_move"
DIVIDEND = "dividend_adjustment"  # _dividends.py

UNIT_RULES = frozenset({UNIT_ERROR})
SPIKE_RULES = frozenset({SPIKE, STRAY})
LEVEL_RULES = frozenset(
    {UNADJUSTED, NO_EFFECT, MISDATED, STALE, UNSTATED, PARTIAL, WRONG, PHANTOM, UNEXPLAINED, DIVIDEND}
)

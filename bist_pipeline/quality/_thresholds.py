"""Every threshold of the checks of this room, with its reason and the measurement behind it.

Belongs here: named numbers and dated tables. Does not belong here: what is done with them. The exchange's own rules
are in `core/`: ticks in `ticks.py`, price limits in `price_limits.py`. Breaks of level have theirs in `breaks/`.

"Measured" means on 92 shares of 2021-08 to 2026-08 as Yahoo served them, adjusted (107,401 bars), where nothing else is
said.
"""

from datetime import date
from typing import NamedTuple

# --- The whole market -------------------------------------------------------------------------------------------------

# A statement about the market needs a market: half of nine symbols unchanged, missing or quiet is chance.
MIN_SYMBOLS = 10

# `symbols_answering`: a fifth. Single symbols fail every day and must not stop the others; an outage, a ban or a
# changed protocol takes nearly all of them at once.
MAX_FAILED_SHARE = 0.20

# `missing_bars`: half of the symbols listed then. Below it, the provider lacks the session and no symbol was halted.
# Measured: 2026-07-31 is there for 2 of 92 symbols, 2024-04-09 for 29 of 92; on every other session 97 % and more
# have a bar.
MIN_SHARE_WITH_BAR = 0.50

# `flat_zero_volume_bars`: more than half. Where most symbols stand still, the session is in doubt and not the symbol.
MIN_SHARE_TRADED = 0.50

# `stale_bars`: more than half. On ordinary sessions, 0 to 14 % of the closes are those of the session before.
MAX_SHARE_UNCHANGED = 0.50

# `truncated_sessions`: the median over the symbols of volume / own median of the 20 sessions before. Measured on whole
# sessions: 0.02 (2022-06-27), 0.20 (2022-05-10), 0.24 (2022-12-16) and 0.25 (2023-02-06, see below); the next is New
# Year's Eve of 2021 with 0.45, and half days have 0.28 to 0.41. An index kept apart had 0.75 to 1.14 of its usual
# volume on the first three.
MAX_TRUNCATED_VOLUME = 0.35
# The same of high / low: a session that was cut off is narrow, too. Measured: 0.00, 0.48, 0.57 on the three; 1.13 on
# 2023-02-06, the day of the earthquake, on which trading was thin and wide, in the index as well.
MAX_TRUNCATED_RANGE = 0.75
# Rather than a new unit, which stays, a truncated session is followed by a usual one. Measured: 0.94 to 0.99.
MIN_NEXT_VOLUME = 0.50
# Sessions that a symbol's usual volume and range are taken from, and how many of them must be there.
USUAL_SESSIONS = 20
MIN_USUAL_SESSIONS = 10

# --- One bar ----------------------------------------------------------------------------------------------------------

# `number_width`, lira. From a million up, a price does not fit the predecessor's numeric(10,4), which left such rows
# out in silence. Founders' shares are traded there, so it is told and not doubted.
WIDE_PRICE_TRY = 1e6
# Ten times what the dearest founders' share ever cost; volumes lie there. Measured: the dearest of the 92 shares was
# 18,203 lira.
IMPOSSIBLE_PRICE_TRY = 1e8
# Above 2⁵³ a double skips whole numbers. Measured: the largest volume was 2.5e9 shares.
IMPOSSIBLE_VOLUME = 2.0**53

# What quotients are made of. Adjusted prices go down to a millionth of a lira and below; what lies outside is no number
# of a market, overflows, and is told by `number_width` and `non_finite_numbers`.
COMPUTABLE = (1e-12, 1e18)

# `price_limit_moves`, `bar_range`: the exchange rounds the limit prices inwards to the tick, so as traded nothing
# exceeds them; adjusted prices and a base rounded to a coarser tick move the quotient by up to a tick, which from 10
# lira up is at most 0.1 % of the price.
TICK_ALLOWANCE = 0.001

# `bar_range`: high / low from which a bar is withheld. Up to it, a free-margin day may be the reason; that a share
# doubles within one session without a limit has not been seen. Measured: two bars lie beyond the limits' 1.222, MGROS
# of 2023-04-06 with 178.7 and ISCTR of the same day with 12.3.
IMPOSSIBLE_RANGE = 2.0

# `off_tick_prices`: from which share of the bars around off the grid a factor is wrong there, and not the bar,
# and how many bars around are looked at. Measured on the adjusted prices taken as traded: of 107,036 bars, 72,449 lie
# among 99 % and more off the grid, 1,876 at the edges of such stretches, and 2 alone (AGROT 2024-03-28 and 2024-04-02).
MAX_SHARE_OFF_GRID = 0.20
BARS_AROUND = 21

# --- Neighbouring bars ------------------------------------------------------------------------------------------------

# `volume_unit_changes`: sessions on each side, and how often the typical volume and turnover must be that of the other
# side. Lots are 100 or 1,000 shares, lira of a share above 50 lira more than 50. Measured: 18 at most where the two
# sides lie apart (AKFGY 2021-09-13), and 75 where they overlap (AKFYE, its first two weeks at the limit).
UNIT_SESSIONS = 10
MIN_UNIT_CHANGE = 50.0
# The smallest of the larger side over the largest of the smaller side: units leave no overlap.
MIN_UNIT_CLEARANCE = 2.0

# `effects_without_action`: shares after per share before that are issued in practice: bonus issues of 25 % to 2,000 %,
# splits, and reverse splits. Others (3.0792917 of a bonus and a rights issue at once) are left to `level_breaks`.
SIMPLE_RATIOS = (0.01, 0.1, 0.2, 0.5, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 11.0, 21.0)
# Sessions after a jump within which a return to the level before makes it a spike.
SPIKE_SESSIONS = 5


class Redenomination(NamedTuple):
    """Indices counted in larger points from a session on.

    Attributes:
        since: First session in the new points.
        divisor: Old points per new point.
        ceilings: By index, a level in new points that it had never reached before then.
    """

    since: date
    divisor: float
    ceilings: dict[str, float]


# The exchange took two zeros off all 123 indices on 2020-07-27. XU100 had been at 124,537 old points at most (January
# 2020), and has been above 12,000 of them since 2004: 2,000 parts the two ways of counting for all sessions stored.
REDENOMINATIONS = (Redenomination(date(2020, 7, 27), 100.0, {"XU100": 2000.0}),)
# `index_redenomination`: how far from the divisor a jump may be: an index moves by a tenth on its worst days.
REDENOMINATION_TOLERANCE = 0.20

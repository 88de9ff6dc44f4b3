"""Every number that the analysis of breaks decides by, with its reason.

Belongs here: data. Does not belong here: rules. Limits and ticks come from `core/`.
"""

from math import log

# What rounding adds to a move, at least: the exchange rounds the base price to a tick, up to 0.1 % of the price from 10
# lira up. Below, a tick is a larger share, and the price may always move by one.
TICK_ALLOWANCE = 0.001

# A close too far by up to a quarter of the limit, on one grid and not reverting, follows a close that was not the last
# one: of the 12 such moves of 2022 in 92 recorded shares, 8 are the morning after the snapshot of 2022-12-16.
STALE_OVERSHOOT = 1.25
# Its bar is withheld when it also shows less than this share of the volume of the sessions before it: a snapshot of
# half a session had a quarter; quiet days that are whole have more than half.
STALE_VOLUME, STALE_BARS = 0.6, 20
# A larger excess may be a day without a limit after a quiet one. Where next to nothing was traded on the bar, it is
# withheld all the same, for that loses nothing: 0 % of the usual in 4 of the 12, 16 % and more in the others.
STALE_NO_TRADES = 0.01

# A lasting change on one grid beyond this share is an action that nobody stated: two sessions at the limit cannot
# hide in one, and the smallest bonus issues beyond the limit are 25 %.
ACTION_MOVE = 0.25

# Where a stated action left no mark, its day may be wrong: by so many bars, providers' days are never further off.
MISDATED_BARS = 15

# A spike is back within so many bars; what stays longer is a level. Until so many have followed, a move as large as an
# action's is not yet called one.
SPIKE_BARS = 5

# A single price is out of reach of its bar beyond so many sessions at the limit: one for the day, one for a stale close
# before, and one to spare for the free-margin days that nobody lists.
STRAY_SESSIONS = 3

# Bars of one factor next to a break: the first window whose prices lie on one grid is taken, then followed outwards.
# A factor that provider applied to some rows only held for 6 to 11 bars, and an ex-date may lie right behind a break.
WINDOWS = (8, 5, 3)
FOLLOWED = 250  # bars; a year tells a grid from its multiples, as prices cross a band
CONVINCING = 60  # bars on one grid over a break; within a quarter a share seldom stays in one band of the ticks
LONG_ENOUGH = 3  # bars that must follow before a stretch may go on behind a bar off the grid
# A stretch shorter than this is a piece that a provider adjusted apart, and comes to an end.
PIECE_BARS = 30
# A piece that no action ends stands off by more than this, and by more than two sessions at the limit make: what is
# less, two free-margin days may make, or two ticks of a cheap share.
LEAST_PIECE = 1.2
SAME_FACTOR = 1e-4  # two factors nearer than this, as shares, are one: a dividend of 0.01 % nobody pays

# Prices a hundred times too large or too small: pounds for pence, lira for kuruş.
UNIT = 100.0

# Where an exchange has no limit, an ordinary move is one within this share; what is further away from a ratio than a
# third of it (as logarithms) is not that ratio, nor what is three times too far: coarse prices round by a factor of 2.
ORDINARY_MOVE = 0.25
RATIO_SHARE, RATIO_MOST = 1 / 3, log(3)
# Only ratios that an ordinary move cannot reach are looked for, and only spikes that no market makes.
LEAST_RATIO, LEAST_SPIKE = 1.5, 3.0
# Nor does a session that ends where it began: a third of a unit error is still no price of it.
LEAST_STRAY = 33.0

# Adjusted close: a step at an ex-date agrees with its dividend within this share of the dividend, or within what
# rounding to single precision makes of a step; a factor of 100 or of a split is recognised within a tenth.
STEP_AGREES, STEP_ROUNDING, STEP_RATIO = 0.05, 2e-5, 0.1
# A dividend this near another one of the same amount is the same one: nobody pays twice within a week.
SAME_DIVIDEND_DAYS, SAME_DIVIDEND = 7, 0.01
# A dividend smaller or larger than these shares of the price is not one: a hundred times off, it leaves this range.
LEAST_DIVIDEND, LARGEST_DIVIDEND = 0.001, 0.6

"""Which terms an action had, as far as the price tells.

Belongs here: simple ratios within what the limit allows, and terms that give an exact factor. Does not belong here:
whether there was an action.
"""

from dataclasses import dataclass
from fractions import Fraction

# Issues below par do not exist on Borsa Istanbul, and most rights are offered at par: one lira a share.
PAR_TRY = 1.0
_RIGHTS = (1, 2, 3, 4, 5)  # new shares per old share
_WHOLE = (2, 3, 4, 5, 6, 7, 8, 9, 10, 11)  # shares after per share before
_PARTS = (1.25, 1.5, 1.75, 2.5, 3.5)


@dataclass(frozen=True, slots=True)
class Terms:
    """What an action leaves of a price, and in words what it may have been."""

    price_factor: float
    words: str


def simple_terms(close_before: float, lowest: float, highest: float) -> Terms | None:
    """Return the one simple action whose factor lies within a range; None where none or several do.

    Bonus issues of whole shares come first, then rights at par, then bonus issues of half and quarter shares.

    Args:
        close_before: The close before the ex-date as traded, lira.
        lowest: The factor is at least this, for the move to be within the limit.
        highest: And at most this.
    """
    if highest > 1:
        whole = [Terms(float(n), f"{n} shares to 1") for n in _WHOLE]
        tiers = [whole]
    else:
        bonus = [Terms(1 / n, f"bonus issue of {n - 1:.0%}") for n in _WHOLE]
        rights = [Terms(_rights(close_before, r), f"rights issue of {r:.0%} at par") for r in _RIGHTS]
        parts = [Terms(1 / n, f"bonus issue of {n - 1:.0%}") for n in _PARTS]
        tiers = [bonus, rights, parts]
    for tier in tiers:
        within = [terms for terms in tier if lowest <= terms.price_factor <= highest]
        if len(within) == 1:
            return within[0]
    return None


def may_be_whole(lowest: float, highest: float) -> bool:
    """Whether some whole number of shares to one, which lifts the price so often, lies within a range of factors."""
    return any(lowest <= whole <= highest for whole in _WHOLE)


def exact_terms(close_before: float, factor: float) -> str:
    """Say which simple terms give an exact factor: `a bonus issue of 1000 %`, else a rights issue at par, else none.

    Theoretical price of a rights issue: (P + r·K) / (1 + r), with K at par.
    """
    bonus = 1 / factor - 1
    if (words := _simple(bonus)) is not None:
        return f"a bonus issue of {words}"
    if close_before * factor <= PAR_TRY or factor >= 1:
        return f"{1 / factor:.6g} shares to 1"
    rights = close_before * (1 - factor) / (close_before * factor - PAR_TRY)
    words = _simple(rights)
    return f"a rights issue of {words} at par" if words else f"a rights issue of about {rights:.1%} at par"


def _rights(close_before: float, ratio: float) -> float:
    return (close_before + ratio * PAR_TRY) / (1 + ratio) / close_before


def _simple(share: float) -> str | None:
    near = Fraction(share).limit_denominator(8)
    # The exchange rounds the base price to a tick: a factor is known to about 1e-4.
    return f"{float(near):.4g} shares per share" if near > 0 and abs(float(near) / share - 1) < 5e-4 else None

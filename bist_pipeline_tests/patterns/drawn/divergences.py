"""Drawings of divergences, all of them bearish; the bullish ones are these upside down.

RSI and MACD's histogram follow the legs: a straight one drives RSI to its end, one that goes two steps up and one down
(`halting`) does not, and its own small peaks are none, because each is exceeded within five bars. On-balance volume
follows what volume is drawn for a leg.
"""

from bist_pipeline_tests.patterns.drawing import Drawing, Fixture

Point = tuple[int, float]


def halting(start: Point, times: int) -> tuple[Point, ...]:
    """A rise by 1.6 % every three bars, which ends 3 % above its last step."""
    bar, price = start
    ups = [(bar + 3 * k + 2, round(price + 0.016 * k + 0.03, 3)) for k in range(times)]
    downs = [(bar + 3 * k + 3, round(price + 0.016 * k + 0.016, 3)) for k in range(times)]
    return tuple(point for pair in zip(ups, downs, strict=True) for point in pair)[:-1]


def drawn(*points: Point, **changes) -> Drawing:
    return Drawing(points=points, **changes)


def volumes(*legs: tuple[int, int, float]) -> dict[int, float]:
    """Volume of the bars from one to another, both included."""
    return {bar: times for first, last, times in legs for bar in range(first, last + 1)}


RSI_REGULAR = Fixture(
    "rsi_regular_bearish_divergence",
    passes=drawn((25, 0.4), (35, 0.32), *halting((35, 0.32), 8), (70, 0.2)),
    breaks={
        "near_each_other": drawn((25, 0.4), (45, 0.2), *halting((45, 0.2), 15), (101, 0.15)),
        "price_moved": drawn((25, 0.4), (35, 0.26), *halting((35, 0.26), 8), (70, 0.2)),
        "oscillator_disagrees": drawn((25, 0.4), (30, 0.36), (50, 0.6), (65, 0.2)),
        # A fall first, and two weak rises after it.
        "first_peak_high": drawn(
            (8, 0.135), (24, -0.029), (29, 0.096), (33, 0.089), (38, 0.097), (42, 0.019), (44, 0.107), (58, -0.153)
        ),
        # After the peak the price hardly falls for a week.
        "line_not_crossed": drawn((25, 0.4), (32, 0.398), (38, 0.3), *halting((38, 0.3), 9), (75, 0.2)),
    },
)

RSI_HIDDEN = Fixture(
    "rsi_hidden_bearish_divergence",
    passes=drawn(
        (9, 0.047), (13, -0.071), (20, -0.045), (23, -0.079), (29, -0.026), (38, -0.205), (53, -0.068), (65, -0.226)
    ),
    breaks={
        "near_each_other": drawn((3, 0.107), (61, 0.042), (83, 0.088), (97, -0.207)),
        "price_moved": drawn((6, 0.039), (21, -0.081), (28, 0.063), (41, -0.179)),
        "oscillator_disagrees": drawn((25, 0.4), (35, 0.26), *halting((35, 0.26), 6), (64, 0.2)),
        "line_not_crossed": drawn(
            (2, 0.138), (16, 0.014), (18, 0.045), (19, -0.191), (41, -0.18), (44, -0.143), (76, 0.02), (84, -0.349)
        ),
    },
)

MACD_REGULAR = Fixture(
    "macd_regular_bearish_divergence",
    passes=drawn((9, 0.172), (21, 0.102), (36, 0.19), (50, 0.02)),
    breaks={
        "near_each_other": drawn((12, 0.165), (63, 0.142), (89, 0.211), (101, 0.021)),
        "price_moved": drawn((9, 0.172), (21, 0.102), (36, 0.17), (50, 0.02)),
        "oscillator_disagrees": drawn((14, 0.146), (26, 0.078), (39, 0.17), (48, 0.129), (61, 0.213), (72, 0.033)),
        "line_not_crossed": drawn(
            (16, 0.125), (25, 0.097), (27, 0.173), (33, 0.015), (43, 0.177), (62, 0.101), (70, 0.195), (79, -0.119)
        ),
    },
)

MACD_HIDDEN = Fixture(
    "macd_hidden_bearish_divergence",
    passes=drawn(
        (14, 0.03), (21, -0.093), (23, 0.064), (35, -0.051), (44, 0.011), (58, -0.144), (66, -0.042), (80, -0.305)
    ),
    breaks={
        "near_each_other": drawn((15, 0.014), (57, -0.056), (108, -0.033), (123, -0.273)),
        "price_moved": drawn(
            (12, 0.152), (26, 0.106), (30, 0.186), (44, 0.115), (57, 0.246), (63, 0.197), (65, 0.281), (78, 0.091)
        ),
        "oscillator_disagrees": drawn((9, 0.172), (21, 0.102), (36, 0.15), (50, 0.02)),
        "line_not_crossed": drawn(
            (5, 0.144), (16, -0.055), (17, 0.027), (24, -0.12), (28, -0.086), (31, -0.123), (49, -0.039), (60, -0.306)
        ),
    },
)

_HIGHER = ((10, 0.12), (20, 0.06), (30, 0.15), (45, -0.05))
_LOWER = ((10, 0.12), (20, 0.02), (30, 0.09), (45, -0.05))
_FAR = 66

OBV_REGULAR = Fixture(
    "obv_regular_bearish_divergence",
    passes=drawn(*_HIGHER, volumes=volumes((21, 30, 0.3))),
    breaks={
        "near_each_other": drawn(
            (5, 0.12), (40, 0.05), (_FAR + 5, 0.2), (90, 0.0), volumes=volumes((41, _FAR + 5, 0.3))
        ),
        "price_moved": drawn((10, 0.12), (20, 0.06), (30, 0.122), (45, -0.05), volumes=volumes((21, 30, 0.3))),
        "oscillator_disagrees": drawn(*_HIGHER, volumes=volumes((21, 30, 1.2))),
        # Little is sold for a week after the peak, then much at once.
        "line_not_crossed": drawn(*_HIGHER, volumes=volumes((11, 18, 0.05), (19, 20, 5.0), (21, 30, 0.3))),
    },
)

OBV_HIDDEN = Fixture(
    "obv_hidden_bearish_divergence",
    passes=drawn(*_LOWER, volumes=volumes((11, 20, 0.3))),
    breaks={
        "near_each_other": drawn((5, 0.12), (40, 0.0), (_FAR + 5, 0.09), (90, -0.1), volumes=volumes((6, 40, 0.3))),
        "price_moved": drawn((10, 0.12), (20, 0.06), (30, 0.119), (45, -0.05), volumes=volumes((11, 20, 0.3))),
        "oscillator_disagrees": drawn(*_LOWER, volumes=volumes((21, 30, 0.9))),
        # Most is bought at the foot of the second rise.
        "line_not_crossed": drawn(*_LOWER, volumes=volumes((11, 20, 0.3), (21, 22, 4.0), (23, 30, 0.1))),
    },
)

DRAWINGS = (RSI_REGULAR, RSI_HIDDEN, MACD_REGULAR, MACD_HIDDEN, OBV_REGULAR, OBV_HIDDEN)

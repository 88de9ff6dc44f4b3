"""Drawings of divergences, all of them bearish; the bullish ones are these upside down.

In the drawings of `not_left_yet` the last leg but one falls below the low between the peaks before the second is known.

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
    # The low between is 0.32, 0.142 below the second high.
    ends=(0.178, 0.462),
    breaks={
        "near_each_other": drawn((25, 0.4), (45, 0.2), *halting((45, 0.2), 15), (101, 0.15)),
        "price_moved": drawn((25, 0.4), (35, 0.264), *halting((35, 0.264), 8), (70, 0.2)),
        "oscillator_disagrees": drawn((25, 0.4), (30, 0.36), (50, 0.6), (65, 0.2)),
        # A fall first, and two weak rises after it.
        "first_peak_high": drawn(
            (8, 0.135), (24, -0.029), (29, 0.096), (33, 0.089), (38, 0.097), (42, 0.019), (44, 0.107), (58, -0.153)
        ),
        # After the peak the price hardly falls for a week.
        "line_not_crossed": drawn((25, 0.4), (32, 0.398), (38, 0.3), *halting((38, 0.3), 9), (75, 0.2)),
        "not_left_yet": drawn((25, 0.4), (35, 0.32), *halting((35, 0.32), 8), (60, 0.314), (68, 0.352)),
    },
)

RSI_HIDDEN = Fixture(
    "rsi_hidden_bearish_divergence",
    passes=drawn(
        (9, 0.047), (13, -0.071), (20, -0.045), (23, -0.079), (29, -0.026), (38, -0.205), (53, -0.068), (65, -0.226)
    ),
    # The low between is −0.205, 0.137 below the second high.
    ends=(-0.342, -0.068),
    breaks={
        "near_each_other": drawn((11, 0.124), (55, -0.048), (72, 0.102), (100, -0.216)),
        "price_moved": drawn((6, 0.039), (21, -0.081), (28, 0.063), (41, -0.179)),
        "oscillator_disagrees": drawn((25, 0.4), (35, 0.26), *halting((35, 0.26), 6), (64, 0.2)),
        "line_not_crossed": drawn(
            (2, 0.138), (16, 0.014), (18, 0.045), (19, -0.191), (41, -0.18), (44, -0.143), (76, 0.02), (84, -0.349)
        ),
        "not_left_yet": drawn(
            (9, 0.047),
            (13, -0.071),
            (20, -0.045),
            (23, -0.079),
            (29, -0.026),
            (38, -0.205),
            (53, -0.041),
            (57, -0.211),
            (59, -0.182),
        ),
    },
)

MACD_REGULAR = Fixture(
    "macd_regular_bearish_divergence",
    passes=drawn((9, 0.172), (21, 0.102), (36, 0.19), (50, 0.02)),
    # The low between is 0.102, 0.088 below the second high.
    ends=(0.014, 0.19),
    breaks={
        "near_each_other": drawn((12, 0.165), (57, 0.156), (82, 0.176), (96, 0.006)),
        "price_moved": drawn((9, 0.172), (21, 0.102), (36, 0.175), (50, 0.02)),
        "oscillator_disagrees": drawn((14, 0.146), (26, 0.078), (39, 0.17), (48, 0.129), (61, 0.213), (72, 0.033)),
        "line_not_crossed": drawn(
            (18, 0.165), (25, 0.043), (26, 0.183), (36, 0.073), (43, 0.101), (63, 0.122), (71, 0.184), (81, -0.067)
        ),
        "not_left_yet": drawn((9, 0.172), (21, 0.102), (36, 0.23), (38, 0.097), (42, 0.19)),
    },
)

MACD_HIDDEN = Fixture(
    "macd_hidden_bearish_divergence",
    passes=drawn(
        (14, 0.03), (21, -0.093), (23, 0.064), (35, -0.051), (44, 0.011), (58, -0.144), (66, -0.042), (80, -0.305)
    ),
    # The low between is −0.144, 0.102 below the second high.
    ends=(-0.246, -0.042),
    breaks={
        "near_each_other": drawn((15, 0.014), (57, -0.056), (108, -0.033), (123, -0.273)),
        "price_moved": drawn(
            (12, 0.152), (26, 0.106), (30, 0.186), (44, 0.115), (57, 0.246), (63, 0.197), (65, 0.281), (78, 0.091)
        ),
        "oscillator_disagrees": drawn((9, 0.172), (21, 0.102), (36, 0.15), (50, 0.02)),
        "line_not_crossed": drawn(
            (7, 0.229), (18, -0.048), (20, 0.039), (26, -0.191), (27, -0.132), (32, -0.16), (46, -0.076), (58, -0.316)
        ),
        "not_left_yet": drawn(
            (14, 0.03),
            (21, -0.093),
            (23, 0.064),
            (35, -0.051),
            (44, 0.011),
            (58, -0.144),
            (65, -0.026),
            (68, -0.15),
            (74, -0.069),
        ),
    },
)

_HIGHER = ((10, 0.12), (20, 0.06), (30, 0.15), (45, -0.05))
_LOWER = ((10, 0.12), (20, 0.02), (30, 0.09), (45, -0.05))
_FAR = 66

OBV_REGULAR = Fixture(
    "obv_regular_bearish_divergence",
    passes=drawn(*_HIGHER, volumes=volumes((21, 30, 0.3))),
    ends=(0.06 - 0.09, 0.15),
    breaks={
        "near_each_other": drawn(
            (5, 0.12), (40, 0.05), (_FAR + 5, 0.2), (90, 0.0), volumes=volumes((41, _FAR + 5, 0.3))
        ),
        "price_moved": drawn((10, 0.12), (20, 0.06), (30, 0.124), (45, -0.05), volumes=volumes((21, 30, 0.3))),
        "oscillator_disagrees": drawn(*_HIGHER, volumes=volumes((21, 30, 0.9))),
        # Little is sold for a week after the peak, then much at once.
        "line_not_crossed": drawn(*_HIGHER, volumes=volumes((11, 18, 0.05), (19, 20, 5.0), (21, 30, 0.3))),
        "not_left_yet": drawn(*_HIGHER[:3], (33, 0.055), (41, 0.095), volumes=volumes((21, 30, 0.3))),
    },
)

OBV_HIDDEN = Fixture(
    "obv_hidden_bearish_divergence",
    passes=drawn(*_LOWER, volumes=volumes((11, 20, 0.3))),
    ends=(0.02 - 0.07, 0.09),
    breaks={
        "near_each_other": drawn((5, 0.12), (40, 0.0), (_FAR + 5, 0.09), (90, -0.1), volumes=volumes((6, 40, 0.3))),
        "price_moved": drawn((10, 0.12), (20, 0.06), (30, 0.116), (45, -0.05), volumes=volumes((11, 20, 0.3))),
        "oscillator_disagrees": drawn(*_LOWER, volumes=volumes((21, 30, 1.1))),
        # Most is bought at the foot of the second rise.
        "line_not_crossed": drawn(*_LOWER, volumes=volumes((11, 20, 0.3), (21, 22, 4.0), (23, 30, 0.1))),
        "not_left_yet": drawn(*_LOWER[:3], (33, 0.015), (41, 0.06), volumes=volumes((11, 20, 0.3))),
    },
)

DRAWINGS = (RSI_REGULAR, RSI_HIDDEN, MACD_REGULAR, MACD_HIDDEN, OBV_REGULAR, OBV_HIDDEN)

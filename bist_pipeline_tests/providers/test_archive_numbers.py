import math

import numpy as np
import pytest

from bist_pipeline.core.errors import BadPayloadError


def _read(desk, **columns):
    rows = zip(*columns.values(), strict=True)
    text = "Date;" + ";".join(columns) + "\n"
    return desk.read(text + "".join(f"2024-01-{day:02d};{';'.join(row)}\n" for day, row in enumerate(rows, start=1)))


def _closes(desk, *cells):
    history = _read(desk, Close=cells)
    return history.bars["close_raw"].tolist(), history.recognised["decimal"]


@pytest.mark.parametrize(
    ("cells", "values", "decimal"),
    [
        (["12.5", "1234.25"], [12.5, 1234.25], "."),
        (["12,5", "13"], [12.5, 13.0], ","),
        (["1.234,56", "999,1"], [1234.56, 999.1], ","),
        (["1,234.56", "999.1"], [1234.56, 999.1], "."),
        (["1 234,5", "999,1"], [1234.5, 999.1], ","),
        (["1\u00a0234,5", "999,1"], [1234.5, 999.1], ","),
        (["1'234.5", "999.1"], [1234.5, 999.1], "."),
        (["1.234.567", "2.345.678"], [1234567.0, 2345678.0], ","),
        (["1,234,567", "2,345,678"], [1234567.0, 2345678.0], "."),
        (["1234,567", "1234,568"], [1234.567, 1234.568], ","),
        (["0,125", "0,250"], [0.125, 0.25], ","),
        (["1 234", "2 345"], [1234.0, 2345.0], "."),
        (["₺12,50", "13,25 TL"], [12.5, 13.25], ","),
        (["1e2", "1.5E+2"], [100.0, 150.0], "."),
        (["−5,5", "+5,5"], [-5.5, 5.5], ","),
        ([" 12.5 ", "13"], [12.5, 13.0], "."),
        # No evidence but the order of prices: 998 to 1,002 is a step, to 1.002 is impossible.
        (["998", "1,002"], [998.0, 1002.0], "."),
        (["998", "1.002"], [998.0, 1002.0], ","),
        # A lone point is decimal, as programs write it.
        (["1.234", "1.250"], [1.234, 1.25], "."),
    ],
)
def test_the_decimal_sign_is_recognised_and_reported(desk, cells, values, decimal):
    assert _closes(desk, *cells) == (values, decimal)


@pytest.mark.parametrize("mark", ["", "NaN", "nan", "null", "None", "-", "n/a", "N/A", "#N/A", "<NA>", " "])
@pytest.mark.parametrize("other", ["12.5", "12,5"])
def test_missing_marks_are_nan(desk, mark, other):
    values, _ = _closes(desk, other, mark)
    assert values[0] == 12.5
    assert math.isnan(values[1])


@pytest.mark.parametrize("other", ["12.5", "12,5"])
@pytest.mark.parametrize(("mark", "value"), [("Infinity", math.inf), ("-inf", -math.inf)])
def test_infinity_is_kept_for_cleaning_to_reject(desk, mark, value, other):
    assert _closes(desk, other, mark)[0] == [12.5, value]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("35,12M", 35_120_000),
        ("1,5K", 1_500),
        ("1,2B", 1_200_000_000),
        ("3,4 Mn", 3_400_000),
        ("12 bin", 12_000),
        ("2 milyar", 2_000_000_000),
        ("1.234.567", 1_234_567),
        ("123.456", 123_456),
        ("1234567", 1_234_567),
    ],
)
def test_a_volume_may_have_a_suffix_and_groups(desk, cell, value):
    assert _read(desk, Close=["12,5"], Volume=[cell]).bars["volume_raw"].tolist() == [value]


def test_a_suffixed_volume_is_the_nearest_number_to_its_digits(desk):
    cells = [f"{number / 100:.2f}M" for number in range(3000, 3020)]
    volumes = _read(desk, Close=["12.5"] * len(cells), Vol=cells).bars["volume_raw"].tolist()
    assert volumes == [float(cell[:-1] + "e6") for cell in cells]


def test_shares_are_whole_so_a_lone_sign_in_a_volume_groups_thousands(desk):
    assert _read(desk, Close=["12"], Volume=["123,456"]).bars["volume_raw"].tolist() == [123456.0]


def test_a_suffixed_volume_without_other_evidence_is_decimal(desk):
    assert _read(desk, Close=["12"], Volume=["1,234K"]).bars["volume_raw"].tolist() == [1234.0]


def test_columns_may_differ_when_each_is_unmistakable(desk):
    history = _read(desk, Close=["12,5"], Open=["12.25"], Volume=["10"])
    assert history.bars[["close_raw", "open_raw"]].to_numpy().tolist() == [[12.5, 12.25]]
    assert history.recognised["decimal"]["Close"] == ","


def test_a_column_without_evidence_follows_the_others(desk):
    history = _read(desk, Close=["12,5", "13,5"], High=["1.234", "1.235"], Low=["1", "2"])
    assert history.bars["high_raw"].tolist() == [1234.0, 1235.0]


def test_prices_decide_by_their_order(desk):
    history = _read(desk, Open=["1.000"], High=["1.002"], Low=["998"], Close=["1.001"])
    assert history.bars["high_raw"].tolist() == [1002.0]
    assert history.recognised["decimal_reason"] == "only so are the prices in order"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"Close": ["12.5", "abc"]}, "line 3, column Close: 'abc' is not a number"),
        ({"Close": ["12,5", "abc"]}, "line 3, column Close: 'abc' is not a number"),
        ({"Close": ["12", "13"], "Volume": ["5", "5 lots"]}, "line 3, column Volume: '5 lots' is not a number"),
        ({"Close": ["12,5", "35,1M"]}, "line 3, column Close: '35,1M' is not a number"),
        ({"Close": ["$12.5", "1"]}, r"line 2, column Close: '\$12.5' is not a number"),
        ({"Close": ["1_000", "1"]}, "line 2, column Close: '1_000' is not a number"),
        ({"Close": ["5%", "1"]}, "line 2, column Close: '5%' is not a number"),
        ({"Close": ["0x10", "1"]}, "line 2, column Close: '0x10' is not a number"),
        ({"Close": ["12,5", "1,23,4"]}, "line 3, column Close: '1,23,4' is not a number"),
        ({"Close": ["12.5", "12,5"]}, "column Close: '12.5' has a decimal point but '12,5' a decimal comma"),
        ({"Close": ["1,234", "1,250"]}, "column Close: '1,234' may be 1234 or 1.234 everywhere"),
        ({"Close": ["1,234", "1.250"]}, "column Close: '1,234' may be 1234 or 1.234 and the column uses both"),
        (
            {"Close": ["1.234", "1.5"], "Open": ["1", "1,5"], "Low": ["1.234", "1"]},
            "column Low: '1.234' may be .* disagree",
        ),
        ({"Close": ["12.5", "13.5"], "Volume": ["123.456", "7"]}, "column Volume: '123.456' may be 123456 or 123.456"),
    ],
)
def test_what_is_no_number_or_ambiguous_is_refused_with_its_place(desk, columns, message):
    with pytest.raises(BadPayloadError, match=f"^THYAO: THYAO.csv {message}"):
        _read(desk, **columns)


@pytest.mark.parametrize("decimal", [".", ","])
def test_floats_are_exactly_those_of_python(desk, decimal):
    numbers = np.random.default_rng(5).lognormal(3, 4, 28)
    cells = [repr(float(number)).replace(".", decimal) for number in numbers]
    assert _closes(desk, *cells)[0] == numbers.tolist()


@pytest.mark.parametrize(
    "cell", ["1e400", "1e-400", "0.1000000000000000055511151231257827", "9007199254740993", ".5", "5."]
)
def test_odd_literals_are_exactly_those_of_python(desk, cell):
    assert _closes(desk, cell, "0.5")[0][0] == float(cell)

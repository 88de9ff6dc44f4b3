import pytest

from bist_pipeline.core.errors import BadPayloadError

DAYS = ["2024-01-04", "2024-01-05", "2024-01-16"]


def _read(desk, cells):
    history = desk.read("Date;Close\n" + "".join(f"{cell};11\n" for cell in cells))
    return history.bars["session_date"].dt.strftime("%Y-%m-%d").tolist(), history.recognised


@pytest.mark.parametrize(
    ("cells", "label"),
    [
        (DAYS, "yyyy-mm-dd"),
        ([f"{day} 00:00:00" for day in DAYS], "yyyy-mm-dd with time"),
        ([f"{day}T18:10" for day in DAYS], "yyyy-mm-dd with time"),
        ([f"{day} 00:00:00+03:00" for day in DAYS], "yyyy-mm-dd with time and offset"),
        (["2024-01-03T21:00:00Z", "2024-01-04T21:00:00Z", "2024-01-15T21:00:00Z"], "yyyy-mm-dd with time and offset"),
        (["2024-01-03 16:30:00-05:00", "2024-01-05 00:00:00+03:00", "2024-01-16"], "yyyy-mm-dd"),
        (["2024/01/04", "2024/1/5", "2024/01/16"], "yyyy/mm/dd"),
        (["04.01.2024", "05.01.2024", "16.01.2024"], "dd.mm.yyyy"),
        (["4.1.2024", "5.1.2024", "16.1.2024"], "dd.mm.yyyy"),
        (["04/01/2024", "05/01/2024", "16/01/2024"], "dd/mm/yyyy"),
        (["01/04/2024", "01/05/2024", "01/16/2024"], "mm/dd/yyyy"),
        (["04-01-24", "05-01-24", "16-01-24"], "dd-mm-yy"),
        (["01/04/24", "01/05/24", "01/16/24"], "mm/dd/yy"),
        (["24-01-04", "24-01-05", "24-01-16"], "yy-mm-dd"),
        (["1/4/2024 12:00:00 AM", "1/5/2024 12:00:00 AM", "1/16/2024 12:00:00 AM"], "mm/dd/yyyy"),
        (["20240104", "20240105", "20240116"], "yyyymmdd"),
        (["1704355200", "1704441600", "1705392000"], "epoch seconds"),
        (["1704315600000", "1704402000000", "1705352400000"], "epoch ms"),
        (["45295", "45296", "45307"], "spreadsheet day"),
        (["Jan 4, 2024", "Jan 5, 2024", "Jan 16, 2024"], "month-name day year"),
        (["January 4, 2024", "January 5, 2024", "January 16, 2024"], "month-name day year"),
        (["04 Oca 2024", "05 Oca 2024", "16 Oca 2024"], "day month-name year"),
        (["4 Ocak 2024", "5 OCAK 2024", "16 ocak 2024"], "day month-name year"),
        (["04-Jan-24", "05-Jan-24", "16-Jan-24"], "day month-name year"),
    ],
)
def test_a_format_is_recognised_and_reported(desk, cells, label):
    days, recognised = _read(desk, cells)
    assert days == DAYS
    assert recognised["date_format"].startswith(label)


@pytest.mark.parametrize(
    ("number", "name"),
    list(enumerate("Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara".split(), start=1)),  # noqa: SIM905
)
def test_turkish_months(desk, number, name):
    assert _read(desk, [f"05 {name} 2024"])[0] == [f"2024-{number:02d}-05"]


def test_offsets_that_change_with_summer_time_are_each_applied(desk):
    # Istanbul kept UTC+2 in winter until 2016.
    days, _ = _read(desk, ["2016-01-04 00:00:00+02:00", "2016-07-04 00:00:00+03:00", "2016-07-04 22:00:00+00:00"])
    assert days == ["2016-01-04", "2016-07-04", "2016-07-05"]


@pytest.mark.parametrize(
    "cells", [["2010-01-13 00:00:00+03:00"], ["2010-01-13 00:00:00+02:00"], ["2010-01-12T21:00:00Z"], ["1263330000"]]
)
def test_a_winter_midnight_of_today_s_offset_is_the_day_that_begins(desk, cells):
    # Istanbul kept UTC+2 then: 21:00 UTC was 23:00 of the evening before.
    assert _read(desk, cells)[0] == ["2010-01-13"]


@pytest.mark.parametrize(
    ("cells", "expected", "reason"),
    [
        (["03/01/2024", "02/01/2024", "04/01/2024", "13/01/2024"], "2024-01-03", "every row is a date"),
        (["11/01/2024", "12/01/2024", "01/02/2024", "02/02/2024"], "2024-01-11", "run in one direction"),
        (["07/01/2024"], "2024-07-01", "without weekends"),
        (["01/03/2024", "01/04/2024"], "2024-01-03", "smallest gaps"),
        (["04/01/2024", "05/01/2024"], "2024-01-04", "smallest gaps"),
        (["05/05/2023"], "2023-05-05", "one direction"),
        (["07.01.2024"], "2024-01-07", "points have the day first"),
    ],
)
def test_day_and_month_are_told_apart_by_the_column(desk, cells, expected, reason):
    days, recognised = _read(desk, cells)
    assert days[0] == expected
    assert reason in recognised["date_order_reason"]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["05/01/2024"], r"column Date: day and month cannot be told apart \(dmy: 2024-01-05 and mdy: 2024-05-01\)"),
        (["2024-01-04", "soon"], "line 3, column Date: 'soon' is not a date"),
        (["2024-01-04", ""], "line 3, column Date: '' is not a date"),
        (["2024-02-30"], "line 2, column Date: '2024-02-30' is not a date"),
        (["31/02/2024", "13/01/2024"], "line 2, column Date: '31/02/2024' is not a date"),
        (
            ["2024-01-04", "2024-01-05", "08.01.2024"],
            "line 4, column Date: '08.01.2024' is written unlike the other dates",
        ),
        (["05-06-07"], r"cannot be told apart \(dmy: 2007-06-05 and ymd: 2005-06-07\)"),
        (["05.01.24", "08.01.2024", "09.01.2024"], "line 2, column Date: '05.01.24' is written unlike"),
        (["05 Foo 2024"], "'05 Foo 2024' is not a date"),
        (["0201-01-04"], "line 2, column Date: the day 0201-01-04 lies outside 1900 to 2099"),
        (["x" * 100], "…' is not a date"),
    ],
)
def test_an_unreadable_or_ambiguous_date_is_refused_with_its_place(desk, cells, message):
    with pytest.raises(BadPayloadError, match=f"^THYAO: THYAO.csv .*{message}") as refusal:
        _read(desk, cells)
    assert len(str(refusal.value)) < 200


@pytest.mark.parametrize(
    "text",
    [
        "Date,Close\n"
        + "".join(f"2024-01-{day:02d} {hour}:30:00+03:00,11\n" for day in (4, 5) for hour in (10, 11, 12)),
        "Date,Time,Close\n" + "".join(f"20240104,{hour}0000,11\n" for hour in (10, 11, 12)),
        "Date,Close\n" + "2024-01-04,11\n" * 9,
        "Date,Close\n" + "".join(f"2024-01-{day:02d} {hour}:30,11\n" for day in (4, 5, 8) for hour in (10, 17)),
    ],
)
def test_bars_within_the_day_are_refused(desk, text):
    with pytest.raises(BadPayloadError, match=r"bars within the day .* the archive takes daily bars"):
        desk.read(text)


def test_weekly_bars_are_refused(desk):
    weeks = "".join(f"{1704355200 + 604800 * week},11\n" for week in range(30))
    with pytest.raises(BadPayloadError, match="has rows 7 days apart: the archive takes daily bars"):
        desk.read("Date,Close\n" + weeks)


def test_a_live_row_beside_the_last_day_is_a_repeated_date(desk):
    history = desk.read("Date,Close\n2024-01-04 00:00:00,11\n2024-01-05 00:00:00,12\n2024-01-05 17:45:00,12\n")
    assert history.recognised["repeated_dates"] == 1


def test_a_time_column_beside_the_date_is_no_second_date(desk):
    history = desk.read("Date,Time,Close\n2024-01-04,18:10,11\n2024-01-05,18:10,12\n")
    assert history.bars["session_date"].dt.strftime("%Y-%m-%d %H").tolist() == ["2024-01-04 00", "2024-01-05 00"]

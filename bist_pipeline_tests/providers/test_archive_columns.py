import pytest

from bist_pipeline.core.errors import BadPayloadError
from bist_pipeline.providers.archive._columns import role_of

NAMES = {
    "date": ["Date", "datetime", "TIMESTAMP", "Tarih", "TARİH", "session_date", "<DATE>", "trade_date"],
    "time": ["Time", "Saat", "<TIME>"],
    "symbol": ["Symbol", "Ticker", "Sembol", "Hisse Kodu"],
    "open": [
        "Open",
        "AÇILIŞ",
        "acilis",
        "Açılış Fiyatı",
        "open_try",
        "1. open",
        "Open_THYAO.IS",
        "('Open', 'THYAO.IS')",
    ],
    "high": ["High", "Yüksek", "En Yüksek", "EN YUKSEK", "Max(TL)"],
    "low": ["Low", "Düşük", "En Düşük", "dusuk", "Min(TL)"],
    "close": ["Close", "Kapanış", "KAPANIS", "Son", "Şimdi", "Close*", "Kapanış (TL)", "HGDG_KAPANIS", "Last Price"],
    "adj_close": ["Adj Close", "adj_close", "AdjClose", "Adjusted Close", "Düzeltilmiş Kapanış", "Adj. Close**"],
    "volume": ["Volume", "Vol.", "Hacim", "Hac.", "Lot", "Adet", "Hacim (Lot)", "volume_shares", "<VOL>"],
    "dividend": ["Dividends", "dividend amount", "Temettü", "divCash"],
    "split": ["Stock Splits", "stock splits", "splitFactor", "Bölünme"],
    None: [
        "RSI",
        "MACD",
        "Change %",
        "Fark %",
        "Önceki Kapanış",
        "Prev Close",
        "Hacim (TL)",
        "İşlem Hacmi",
        "Close AKBNK.IS",
    ],
}


@pytest.mark.parametrize(("name", "role"), [(name, role) for role, names in NAMES.items() for name in names])
def test_a_column_name_has_the_role(name, role):
    assert role_of(name, "THYAO") == role


def test_price_is_the_close_beside_a_date_column(desk):
    history = desk.read("Date,Price,Vol.,Change %\n2024-01-04,11,1K,0.5%\n")
    assert history.recognised["columns"]["close"] == "Price"
    assert history.recognised["ignored_columns"] == ["Change %"]


def test_time_is_the_date_where_no_other_column_is(desk):
    assert desk.read("time,close\n1704355200,11\n").recognised["columns"]["date"] == "time"


def test_an_index_beside_the_date_is_ignored(desk):
    history = desk.read("Unnamed: 0,Date,Close\n0,2024-01-04,11\n1,2024-01-05,12\n")
    assert history.recognised["ignored_columns"] == ["Unnamed: 0"]


@pytest.mark.parametrize("symbol", ["THYAO", "thyao.is", "BIST:THYAO", "THYAO.E"])
def test_a_symbol_column_that_agrees_is_accepted(desk, symbol):
    assert len(desk.read(f"Ticker,Date,Close\n{symbol},2024-01-04,11\n").bars) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ticker,Date,Close\nTHYAO,2024-01-04,11\nAKBNK,2024-01-05,11\n", "line 3, column Ticker: 'AKBNK' contradicts"),
        ("Date,Close,Kapanış\n2024-01-04,11,12\n", "columns 'Close' and 'Kapanış' both claim to be the close"),
        ("Date,Close,Close\n2024-01-04,11,12\n", "columns 'Close' and 'Close' both"),
        ("Date,Price,Close\n2024-01-04,11,12\n", "columns 'Price' and 'Close' both claim to be the close"),
        ("Date,Tarih,Close\n2024-01-04,04.01.2024,12\n", "columns 'Date' and 'Tarih' both claim to be the date"),
        ("Tarih;Kapanış;Hacim;Lot\n04.01.2024;11;12;1\n", "columns 'Hacim' and 'Lot' both claim to be the volume"),
        (
            "Date,Open,High\n2024-01-04,11,12\n",
            "no column is recognised as the close; the columns are 'Date, Open, High'",
        ),
        ("Date,Adj Close\n2024-01-04,11\n", "no column is recognised as the close"),
        ("Open,High,Low,Close\n11,12,10,11\n", "no column is recognised as the date"),
        ("Date,Foo\n2024-01-04,11\n", "no column is recognised as the close"),
    ],
)
def test_columns_that_contradict_or_are_missing_are_refused(desk, text, message):
    with pytest.raises(BadPayloadError, match=message):
        desk.read(text)


def test_dividends_and_splits_become_actions(desk):
    history = desk.read(
        "Date,Close,Dividends,Stock Splits\n2024-01-04,11,0,0\n2024-01-05,12,0.25,2.0\n2024-01-08,12,,1\n"
        "2024-01-05,12,0.25,2.0\n"
    )
    assert history.actions["kind"].tolist() == ["split", "dividend"]
    assert history.actions["ratio"].tolist()[0] == 2.0
    assert history.actions["amount_try"].tolist()[1] == 0.25
    assert set(history.actions["ex_date"].dt.strftime("%Y-%m-%d")) == {"2024-01-05"}


@pytest.mark.parametrize("amount", ["-0.5", "inf"])
def test_an_impossible_dividend_is_refused(desk, amount):
    with pytest.raises(BadPayloadError, match=f"line 2: {float(amount)} is no dividend"):
        desk.read(f"Date,Close,Dividends\n2024-01-04,11,{amount}\n")

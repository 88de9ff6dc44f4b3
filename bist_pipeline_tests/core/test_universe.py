import time

import pandas as pd
import pytest

from bist_pipeline.core.errors import SymbolError, UniverseError
from bist_pipeline.core.symbols import normalise_symbol
from bist_pipeline.core.universe import UNIVERSE_COLUMNS, load_universe

# As the public listings have them.
KNOWN = {
    "THYAO": ("Türk Hava Yolları", "Havayolları ve Hizm.", True),
    "SISE": ("Şişecam", "Cam", True),
    "A1CAP": ("A1 Capital", "Aracı Kurumlar", False),
}


@pytest.fixture
def write(tmp_path):
    def _write(content, encoding="utf-8"):
        path = tmp_path / "list.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return str(path)

    return _write


def refusal(source):
    with pytest.raises(UniverseError) as caught:
        load_universe(source)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message


def test_the_packaged_list_has_the_listed_shares_and_the_main_indices():
    universe = load_universe("packaged")
    assert tuple(universe.columns) == UNIVERSE_COLUMNS
    shares = universe[universe["kind"] == "share"]
    assert len(shares) == 592
    assert shares[["in_xu030", "in_xu050", "in_xu100"]].sum().tolist() == [30, 50, 100]
    assert (shares["in_xu030"] <= shares["in_xu050"]).all()
    assert (shares["in_xu050"] <= shares["in_xu100"]).all()
    indices = set(universe.loc[universe["kind"] == "index", "symbol"])
    assert {"XU100", "XU050", "XU030", "XUTUM", "XBANK", "XUSIN", "XHOLD", "XGIDA", "X10XB"} <= indices


@pytest.mark.parametrize("symbol", KNOWN)
def test_known_shares_have_their_name_sector_and_membership(symbol):
    row = load_universe("packaged").set_index("symbol").loc[symbol]
    assert (row["name"], row["sector"], row["in_xu030"]) == KNOWN[symbol]


def test_the_packaged_list_is_well_formed():
    universe = load_universe("packaged")
    assert universe["symbol"].is_unique
    assert universe["symbol"].is_monotonic_increasing
    assert [normalise_symbol(symbol) for symbol in universe["symbol"]] == universe["symbol"].tolist()
    assert (universe["name"] != "").all()
    assert ((universe["sector"] != "") == (universe["kind"] == "share")).all()
    assert (universe["origin"] == "packaged").all()
    assert universe.dtypes[["in_xu030", "in_xu050", "in_xu100"]].eq(bool).all()


def test_what_an_archive_holds_is_added_once():
    universe = load_universe("packaged", also=["thyao", "zzzz1.is", "ZZZZ1", "XQQQ"]).set_index("symbol")
    assert universe.loc["THYAO", "origin"] == "packaged"
    added = universe[universe["origin"] == "archive"]
    assert added["kind"].to_dict() == {"XQQQ": "index", "ZZZZ1": "share"}
    assert (added[["name", "sector"]] == "").all(axis=None)
    assert not added[["in_xu030", "in_xu050", "in_xu100"]].any(axis=None)
    assert universe.index.is_monotonic_increasing


def test_a_bad_symbol_of_an_archive_is_refused():
    with pytest.raises(SymbolError, match="'şişe'"):
        load_universe("packaged", also=["şişe"])


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        ("symbol\nthyao\nZZZZ1\n", "utf-8"),
        ("symbol,name\nTHYAO.IS,\nZZZZ1,Şirket\n", "utf-8-sig"),
        ("Symbol;Note;Name\r\nBIST:THYAO;a,b;\r\n\r\nZZZZ1;;Şirket\r\n", "cp1254"),
        ('NAME,SYMBOL\n"",THYAO\n"Şirket",ZZZZ1', "utf-8"),
    ],
)
def test_a_file_is_read_in_every_usual_form(write, content, encoding):
    universe = load_universe(write(content, encoding), also=["AKBNK"]).set_index("symbol")
    assert universe.index.tolist() == ["THYAO", "ZZZZ1"]
    assert (universe["origin"] == "file").all()
    assert universe.loc["THYAO", ["name", "sector"]].tolist() == ["Türk Hava Yolları", "Havayolları ve Hizm."]
    assert universe.loc["ZZZZ1", "name"] == ("Şirket" if "irket" in content else "")


def test_what_a_file_says_wins_over_the_packaged_list(write):
    source = write("symbol,name,sector,in_xu030,in_xu100\nTHYAO,THY,Ulaşım,0,\nZZZZ1,,,TRUE,1\n")
    universe = load_universe(source).set_index("symbol")
    assert universe.loc["THYAO", ["name", "sector", "in_xu030", "in_xu100"]].tolist() == ["THY", "Ulaşım", False, True]
    assert universe.loc["ZZZZ1", ["in_xu030", "in_xu050", "in_xu100"]].tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "line 1: no single column `symbol`"),
        ("ticker,name\nTHYAO,x\n", "line 1: no single column `symbol` in 'ticker,name'"),
        ("symbol,symbol\nTHYAO,x\n", "line 1: no single column `symbol`"),
        ("symbol\n", "names no symbol"),
        ("symbol\n\n  \n", "names no symbol"),
        ("symbol\nTHYAO\nthyao.is\n", "line 3: THYAO is already on line 2"),
        ("symbol\nTHYAO\n\nşişe\nx\n", "line 4: not a Borsa Istanbul symbol: 'şişe'"),
        ("symbol,name\n,Adsız\n", "line 2: not a Borsa Istanbul symbol: '' is empty"),
        ("symbol,name\nTHYAO,Türk, Hava\n", "line 2: 3 fields under 2 column names"),
        ("symbol,in_xu100\nTHYAO,yes\n", "line 2: in_xu100 = 'yes'; legal: 0, 1, false, true"),
        ('symbol,name\nTHYAO,"Türk\n', "unexpected end of data"),
        (b"PK\x03\x04\0\0\x81", "is not text in UTF-8 or Windows-1254"),
        ("symbol\nTHYAO\n".encode("utf-16"), "is not text in UTF-8 or Windows-1254"),
    ],
)
def test_a_faulty_file_is_refused_with_its_line_and_reason(write, content, reason):
    source = write(content)
    message = refusal(source)
    assert source in message
    assert reason in message


def test_many_faults_are_counted_and_the_first_shown(write):
    message = refusal(write("symbol\n" + "x\n" * 8))
    assert message.count("line ") == 5
    assert message.endswith("and 3 more")


@pytest.mark.parametrize(
    ("name", "reason"), [("packagd", "No such file"), (".", "Is a directory"), ("a\0b", "null byte")]
)
def test_a_source_that_is_no_file_is_refused_with_the_legal_forms(tmp_path, name, reason):
    assert reason in (message := refusal(str(tmp_path / name)))
    assert "expected `packaged` or the path of a CSV" in message


def test_the_packaged_list_loads_quickly():
    load_universe("packaged")
    started = time.perf_counter()
    load_universe("packaged")
    assert time.perf_counter() - started < 0.05


@pytest.mark.realdata
def test_the_packaged_shares_are_the_recorded_listing_but_for_four_spellings(recordings):
    recorded = pd.read_csv(recordings / "bist_reference" / "universe_2025-10.csv").set_index("symbol")
    packaged = load_universe("packaged").query("kind == 'share'").set_index("symbol")
    memberships = ["in_xu030", "in_xu050", "in_xu100"]
    assert packaged.index.tolist() == recorded.index.tolist()
    assert (packaged[memberships] == recorded[memberships].astype(bool)).all(axis=None)
    changed = {
        (recorded.loc[symbol, column], packaged.loc[symbol, column])
        for column in ("name", "sector")
        for symbol in packaged.index[packaged[column] != recorded[column]]
    }
    assert changed == {
        ("Kartal Yenilenebili Enerji", "Kartal Yenilenebilir Enerji"),
        ("Perakande - Ticaret", "Perakende - Ticaret"),
        ("İnşaat- Taahhüt", "İnşaat - Taahhüt"),
        ("Endüstriyel Makine -Teçhizat Üretim", "Endüstriyel Makine - Teçhizat Üretim"),
    }

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bist_pipeline.core.errors import SymbolError
from bist_pipeline.core.symbols import normalise_symbol, normalise_symbols, symbol_kind, yahoo_symbol

codes = st.from_regex(r"[A-Z][A-Z0-9]{3,5}", fullmatch=True)


@pytest.mark.parametrize(
    "text",
    ["thyao", "THYAO", "ThYaO", "THYAO.IS", "THYAO.E", "BIST:THYAO", "bist:thyao", " thyao.is ", "\tTHYAO.e\n"],
)
def test_every_spelling_of_a_share_is_its_code(text):
    assert normalise_symbol(text) == "THYAO"


@pytest.mark.parametrize(
    "text", ["isctr", "ısctr", "İSCTR", "ISCTR", "İSCTR".lower(), "i̇sctr.i̇s", "I\u0307SCTR", "bıst:ısctr"]
)
def test_the_turkish_i_does_not_change_a_code(text):
    assert normalise_symbol(text) == "ISCTR"


@pytest.mark.parametrize(
    ("text", "code"),
    [("xu100", "XU100"), ("XU100.IS", "XU100"), ("x10xb", "X10XB"), ("a1cap", "A1CAP"), ("sise.is", "SISE")],
)
def test_indices_digits_and_four_letters_are_codes(text, code):
    assert normalise_symbol(text) == code


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        (".IS", "is empty"),
        ("BIST:", "is empty"),
        ("THY", "has 3 characters"),
        ("THYAOXX", "has 7 characters"),
        ("1THYAO", "begins with a digit"),
        ("THYAO.R", "rights coupon"),
        ("THYAO.R.IS", "rights coupon"),
        ("THYAO.DE", "contains '.'"),
        ("TH YAO", "contains ' '"),
        ("THYAO\nAKBNK", r"contains '\n'"),
        ("THYAO\0", r"contains '\x00'"),
        ("THYAO,AKBNK", "contains ','"),
        ("THYAO'; DROP TABLE prices;--", '"THYAO\'; DROP TABLE prices;--" contains "\'"'),
        ("../THYAO", "contains '.'"),
        ("ßISE", "contains 'ß'"),  # upper-casing would make it SSISE
        ("ſISE", "contains 'ſ'"),  # upper-casing would make it SISE
        ("ＴＨＹＡＯ", "contains 'Ｔ'"),
        ("ТHYAO", "contains 'Т'"),  # a Cyrillic letter
        ("THYA٠", "contains '٠'"),  # an Arabic digit
        ("T\u0307HYAO", "contains"),  # a dot that is on no i
    ],
)
def test_what_is_no_code_is_refused_with_its_reason_on_one_line(text, reason):
    with pytest.raises(SymbolError) as caught:
        normalise_symbol(text)
    message = str(caught.value)
    assert reason in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "suggestion"),
    [("şişe", "SISE"), ("Doğuş", "DOGUS"), ("THYAO.R", "THYAO"), ("$THYAO", "THYAO"), ("'thyao.is'", "THYAO")],
)
def test_an_obvious_code_is_suggested(text, suggestion):
    with pytest.raises(SymbolError, match=rf"\(did you mean {suggestion}\?\)"):
        normalise_symbol(text)


@pytest.mark.parametrize("value", [None, 5, float("nan"), b"THYAO"])
def test_what_is_no_text_is_refused(value):
    with pytest.raises(SymbolError, match="is no text"):
        normalise_symbol(value)


def test_a_very_long_text_is_shown_in_part():
    with pytest.raises(SymbolError) as caught:
        normalise_symbol("A" * 100_000)
    assert len(str(caught.value)) < 150


def test_a_list_keeps_its_order_and_repetitions():
    assert normalise_symbols(["thyao", "AKBNK.IS", "THYAO"]) == ["THYAO", "AKBNK", "THYAO"]
    assert normalise_symbols([]) == []


def test_all_bad_symbols_of_a_list_are_named_at_once():
    with pytest.raises(SymbolError, match="2 of 3") as caught:
        normalise_symbols(["thyao", "şişe", "x"])
    assert "'şişe'" in str(caught.value)
    assert "'x'" in str(caught.value)


def test_a_single_text_is_not_taken_for_a_list_of_letters():
    with pytest.raises(SymbolError, match="expected a list"):
        normalise_symbols("THYAO")


def test_the_kind_and_yahoos_spelling_of_a_symbol():
    assert symbol_kind("XU100") == "index"
    assert symbol_kind("xbank.is") == "index"
    assert symbol_kind("THYAO") == "share"
    assert yahoo_symbol("THYAO") == "THYAO.IS"
    assert yahoo_symbol("thyao.is") == "THYAO.IS"
    assert yahoo_symbol("XU100") == "XU100.IS"


@given(codes)
def test_all_spellings_of_a_code_mean_it(code):
    spellings = [
        code,
        code.lower(),
        f"{code}.IS",
        f"{code}.E",
        f"BIST:{code}",
        yahoo_symbol(code),
        f" {code.lower()}.is",
    ]
    turkish = code.lower().replace("i", "ı"), code.replace("I", "İ"), code.replace("I", "İ").lower()
    assert {normalise_symbol(spelling) for spelling in (*spellings, *turkish)} == {code}


@given(st.text(max_size=12))
@example("İ")
@example("THYAO.IS.IS")
def test_a_text_is_either_a_stable_code_or_refused(text):
    try:
        code = normalise_symbol(text)
    except SymbolError as error:
        assert len(str(error).splitlines()) == 1  # noqa: PT017 - both outcomes are legal
    else:
        assert code.isascii()
        assert normalise_symbol(code) == code

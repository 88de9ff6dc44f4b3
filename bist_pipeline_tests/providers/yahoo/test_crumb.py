"""What is a cookie's answer, what is a crumb, and what asks for consent: by hand and as recorded."""

import json

import pytest

from bist_pipeline.core.errors import TransientProviderError
from bist_pipeline.providers.yahoo._client import Answer
from bist_pipeline.providers.yahoo._crumb import read_cookie, read_crumb
from bist_pipeline.providers.yahoo._errors import BadBody

PLAIN = {"content-type": "text/plain;charset=utf-8"}
CONSENT = "https://guce.yahoo.com/consent?brandType=nonEu&done=https%3A%2F%2Ffinance.yahoo.com"

# What each recorded exchange of the crumb and consent flow is to a reader of crumbs.
RECORDED = {
    "getCrumb-getcrumb.json": "haT3oykhHqZ",
    "getCrumb-quote-AAPL.json": "consent",
    "getCrumb-quote-AAPL.json.json": "consent",
    "getCrumb-quote-AAPL-pre-consent-VPN-UK.json": "consent",
    "getCrumb-quote-AAPL-consent.html.json": "consent",
    "getCrumb-quote-AAPL-collectConsentSubmit.json": "consent",
    "getCrumb-quote-AAPL-collectConsent.html.json": "no crumb",
    "getCrumb-quote-AAPL-copyConsent.json": "no crumb",
    "getCrumb-quote-AAPL-consent-final-redirect.html.json": "no crumb",
}


def answer(status, body=b"", **headers):
    return Answer(status, body, {name.replace("_", "-"): value for name, value in headers.items()}, "https://h.test")


@pytest.mark.parametrize("text", [b"haT3oykhHqZ", b"d.L8G/Bnbnw", b"Yn7ygPoDYIx\r\n", b"A" * 30])
def test_a_crumb_is_a_short_word_of_plain_text(text):
    assert read_crumb(Answer(200, text, PLAIN, "")) == text.decode().strip()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"Too Many Requests\r\n", "text/plain"),
        (b"", "text/plain"),
        (b"short", "text/plain"),
        (b"A" * 31, "text/plain"),
        (b"haT3oykhHqZ", "text/html"),
        (b"haT3oykhHqZ", ""),
        (b"<html></html>", "text/plain"),
        (b'{"finance":{}}', "text/plain"),
        (b"haT3\noykhHqZ", "text/plain"),
        ("haT3oykhHqZé".encode(), "text/plain"),
    ],
)
def test_what_has_been_mistaken_for_a_crumb_is_none(body, kind):
    with pytest.raises(BadBody):
        read_crumb(answer(200, body, content_type=kind))


@pytest.mark.parametrize("status", [200, 404])
def test_a_cookie_counts_whatever_the_status(status):
    read_cookie(answer(status, set_cookie="A3=d=AQABB; Max-Age=31557600; Domain=.yahoo.com; Path=/"))


def test_an_answer_without_a_cookie_is_another_servers():
    with pytest.raises(BadBody):
        read_cookie(answer(404, b"<html>Not Found</html>"))


@pytest.mark.parametrize("read", [read_cookie, read_crumb])
def test_the_way_to_consent_is_told_with_what_to_do(read):
    with pytest.raises(TransientProviderError, match=r"consent.*guce\.yahoo\.com.*yahoo_spark and yahoo_chart"):
        read(answer(307, location=CONSENT, set_cookie="GUCS=AV78X-IQ; Max-Age=1800"))


@pytest.mark.parametrize(
    "place", ["https://www.yahoo.com/", "/login", "", "https://[", "https://u:s3cret@h.test/?crumb=s3cret#s3cret"]
)
def test_another_redirect_is_no_consent_and_only_its_host_is_told(place):
    with pytest.raises(BadBody) as caught:
        read_cookie(answer(302, location=place, set_cookie="A=1"))
    assert "s3cret" not in str(caught.value)


@pytest.mark.realdata
def test_every_recorded_step_to_a_crumb_is_told_apart(recordings):
    table = {}
    for path in sorted((recordings / "yahoo_recorded" / "yahoo-finance2").glob("getCrumb*.json")):
        recorded = json.loads(path.read_text(encoding="utf-8"))["response"]
        headers = {name: "\n".join(v) if isinstance(v, list) else v for name, v in recorded["headers"].items()}
        body = (recorded.get("bodyText") or recorded.get("body") or "").encode()
        try:
            table[path.name] = read_crumb(Answer(recorded["status"], body, headers, ""))
        except TransientProviderError:
            table[path.name] = "consent"
        except BadBody:
            table[path.name] = "no crumb"
    assert table == RECORDED

"""Base URLs: which are legal, and that no message repeats a password."""

import pytest

from bist_pipeline.core.hosts import check_base_url, is_loopback


@pytest.mark.parametrize(
    "url", ["https://query2.finance.yahoo.com", "https://proxy.example:8443/", "http://127.0.0.1:9", "http://[::1]:9"]
)
def test_scheme_host_and_port_are_a_base_url(url):
    check_base_url(url)
    assert is_loopback(url) == url.startswith("http:")


@pytest.mark.parametrize(
    "url",
    [
        "https://user:s3cret@proxy.example",
        "https://s3cret@proxy.example",
        "https://:s3cret@proxy.example",
        "https://@proxy.example",
        "http://user:s3cret@127.0.0.1:8000",
        "http://user:s3cret@proxy.example",
        "https://user:s3@cret@proxy.example/path",
        "https://user:s3cret@[proxy",
        "https://user:s3cret\uff20proxy.example",
        "https://user:s3cret%40proxy.example",
        "https://user:s3cret",
        "user:s3cret@proxy.example",
        "https://proxy.example?key=s3cret",
        "https://proxy.example#s3cret",
        "https://proxy.example/#s3cret",
    ],
)
def test_a_base_url_that_holds_a_secret_is_refused_without_showing_it(url):
    with pytest.raises(ValueError, match=r"base URL.*https://query2\.finance\.yahoo\.com") as caught:
        check_base_url(url)
    assert "s3" not in str(caught.value)
    assert caught.value.__cause__ is None

"""URLs of model servers: what they mean, and what of them is shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tisslang.adapters.address import parse_address


@pytest.mark.parametrize(
    ("url", "shown", "target", "model"),
    [
        ("http://h", "http://h/v1", "/v1/x", None),
        ("https://h:443/", "https://h/v1", "/v1/x", None),
        ("HTTP://H:8080/v1", "http://h:8080/v1", "/v1/x", None),
        ("http://[::1]:80/a/b/", "http://[::1]/a/b", "/a/b/x", None),
        ("http://h/chat/completions", "http://h", "/x", None),
        ("http://h?model=My model+é%26", "http://h/v1", "/v1/x", "My model+é&"),
        ("http://h/a%20b?k=%C3%A9&model=m", "http://h/a%20b", "/a%20b/x?k=%C3%A9", "m"),
    ],
)
def test_addresses(url: str, shown: str, target: str, model: str | None) -> None:
    address = parse_address(url)
    assert (str(address), address.target("/x"), address.model) == (shown, target, model)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("localhost:8080", "does not begin with http://"),
        ("//h/v1", "does not begin with http://"),
        ("file:///etc/passwd", "does not begin with http://"),
        ("http://", "does not begin with http:// or https:// and a host"),
        ("http://:80/v1", "and a host"),
        ("http://h:port/v1", "its host or its port is malformed"),
        ("http://h:65536", "its host or its port is malformed"),
        ("http://[::1/v1", "its host or its port is malformed"),
        ("http://me:hidden@h/v1", "it holds a name or a password"),
        ("http://me:hid/den@h/v1", "its host or its port is malformed"),
        ("http://h/v1#part", "it holds a #"),
        ("http://h/v1?model=", "its model= is empty"),
        ("http://h/a b", "a character that is no part of a URL"),
        ("http://h/é", "a character that is no part of a URL"),
        ("http://bücher.example/v1", "a character that is no part of a URL"),
    ],
)
def test_what_is_no_address(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match="the URL of the agent cannot be used: ") as caught:
        parse_address(url)
    assert reason in str(caught.value)
    assert "hid" not in str(caught.value)


@given(st.text(), st.sampled_from(["", "http://", "http://h/", "http://h/v1?"]))
def test_any_text_is_an_address_or_a_value_error(text: str, before: str) -> None:
    try:
        address = parse_address(before + text)
    except ValueError as error:
        message = str(error)
    else:
        assert f"{address}{address.target('')}".isascii()
        return
    assert message.startswith("the URL of the agent cannot be used: ")

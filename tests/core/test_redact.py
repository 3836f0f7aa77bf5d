"""Passwords are taken out of whatever is shown."""

import pytest

from energia.redact import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://u:geheim@h/d", "postgresql://u:***@h/d"),
        ("postgresql://:geheim@h/d", "postgresql://:***@h/d"),
        ("postgresql://u:ge@he/im?ge#heim@h/d", "postgresql://u:***@h/d"),
        ("postgresql://u:ge heim@h/d", "postgresql://u:***@h/d"),
        ("postgresql://h/d?user=u&password=geheim&sslmode=x", "***&sslmode=x"),
        ("postgresql://h/d?sslpassword=geheim&sslmode=x", "***&sslmode=x"),
        ("host=h password='ge\\'h eim' user=u", "host=h password=*** user=u"),
        ("host=h password = geheim user=u", "host=h password = *** user=u"),
        ("host=h PASSWORD=geheim", "host=h PASSWORD=***"),
        ("host=h password='geheim", "host=h password=***"),
        ("host=h password='ge heim\\", "host=h password=***"),
        ('broker = {password = "ge h\\"eim"}', "broker = {password = ***}"),
        ('invalid dsn: "postgresql://u:geheim@h/d"', 'invalid dsn: "postgresql://u:***@h/d"'),
        ("could not parse: password=geheim host=x", "could not parse: password=*** host=x"),
        ("OSError: cannot reach postgresql://u:geheim@h/d", "postgresql://u:***@h/d"),
        ("GET https://h.example/p?api_key=geheim&x=1", "https://h.example/p?api_key=***&x=1"),
        ("https://h.example/p?X-Amz-Signature=geheim", "X-Amz-Signature=***"),
        ("https://geheim@git.example/x", "https://***@git.example/x"),
        ("from postgresql://u:geheim@h/d to postgresql://u:geheim@h/e", "postgresql://u:***@h/e"),
        (
            "postgresql://u:geheim@h/d\npostgresql://u:geheim@h/e",
            "u:***@h/d\npostgresql://u:***@h/e",
        ),
    ],
)
def test_passwords_are_masked(text: str, shown: str) -> None:
    """Passwords of URLs and of libpq's settings, plain or quoted, give way to a mask."""
    assert redacted(text).endswith(shown)
    assert "ge" not in redacted(text).replace("from", "")
    assert "heim" not in redacted(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "postgresql://u@h:5432/d",
        "http://127.0.0.1:8080/docs",
        "host=h user=u dbname=d",
        "mail energia@example.org",
        "no password",
        "embedded:/srv/data",
    ],
)
def test_what_is_no_password_is_shown(text: str) -> None:
    """A text without a password stays as it is."""
    assert redacted(text) == text

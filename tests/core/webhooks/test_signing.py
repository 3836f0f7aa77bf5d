"""Signatures, against the public test vectors of Standard Webhooks."""

from base64 import b64decode

from energia.webhooks.signing import new_secret, signature, signed

#: The vector that the libraries of the standard share.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVENT = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_body_is_signed_as_the_standard_says() -> None:
    """The vector of its libraries comes out."""
    assert signature(SECRET, EVENT, AT, BODY) == SIGNATURE


def test_every_secret_in_force_signs() -> None:
    """While a secret is rotated there are two signatures, divided by a space."""
    other = new_secret()

    headers = signed([other, SECRET], EVENT, AT, BODY)

    assert headers == {
        "webhook-id": EVENT,
        "webhook-timestamp": "1614265330",
        "webhook-signature": f"{signature(other, EVENT, AT, BODY)} {SIGNATURE}",
    }


def test_what_is_signed_cannot_be_another() -> None:
    """Another id, time or body has another signature."""
    others = {
        signature(SECRET, "msg_2", AT, BODY),
        signature(SECRET, EVENT, AT + 1, BODY),
        signature(SECRET, EVENT, AT, BODY + b" "),
    }

    assert len(others) == 3
    assert SIGNATURE not in others


def test_secrets_are_long_and_differ() -> None:
    """A secret has 32 random bytes, within what the standard allows."""
    made = {new_secret() for _ in range(100)}

    assert len(made) == 100
    assert {len(b64decode(one.removeprefix("whsec_"))) for one in made} == {32}

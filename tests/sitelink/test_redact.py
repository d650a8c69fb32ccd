"""No secret reaches a log or a shown frame, however deep it lies."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitelink.redact import MASK, VALUE_MAX_CHARACTERS, mask_id_token, mask_text, redact, without_key_codes
from tests.sitelink.builders import json_values

CANARY = "canary-Zx81-never-shown"


@pytest.mark.parametrize(
    "key",
    ["password", "Password", "PASSWORD", "token", "test_token", "token_sha256", "Authorization", "AuthorizationKey",
     "BasicAuthPassword", "Cookie", "Set-Cookie", "csrf", "secret", "credentials", "wifi_password", "client_secret",
     "WiFiPassphrase"],
)  # fmt: skip
@pytest.mark.parametrize(
    "shape",
    [
        lambda key: {key: CANARY},
        lambda key: [{"a": {key: CANARY}}],
        lambda key: {key: {"inner": [CANARY]}},
        lambda key: {key: [CANARY]},
        lambda key: ({"key": key, "value": CANARY},),
        lambda key: {"configurationKey": [{"readonly": False, "key": key, "value": CANARY}]},
    ],
    ids=["plain", "nested", "object", "list", "configuration key", "GetConfiguration"],
)
def test_a_secret_is_masked_at_any_depth(key, shape):
    assert CANARY not in str(redact(shape(key)))


@given(json_values)
def test_whatever_stands_under_a_secret_key_is_not_shown(value):
    shown = redact({"outer": [{"password": [CANARY, value]}]})
    assert shown == {"outer": [{"password": MASK}]}


@pytest.mark.parametrize("token", ["gl1_AbCdEfGh12345678_-zZ", "ga1_AbCdEfGh12345678_-zZ"])
def test_link_tokens_are_masked_inside_texts(token):
    secret = token.partition("_")[2]
    for text in (token, f"http://box/j#{token}", f"GET /?t={token}&x=1", f"Bearer {token}"):
        assert secret not in str(redact({"note": text, "list": [text]}))
        assert token[:4] in str(redact(text))
    assert secret not in str(redact({token: 1}))
    assert secret not in str(redact(token.encode()))
    assert secret not in str(redact({"seen": {token}}))


def test_the_random_name_of_a_file_on_its_way_is_masked():
    name = "k3Jz-_9AbCdEfGhIjKlMnOpQrStUvWxY"
    for way, rest in (("up", ""), ("up", "/diag.zip"), ("fw", "/fw%201.bin")):
        shown = str(redact({"location": f"http://192.0.2.1:8080/files/{way}/{name}{rest}"}))
        assert name not in shown
        assert shown.endswith(f"/files/{way}/{MASK}{rest}'}}")


@pytest.mark.parametrize("key", ["idTag", "id_tag", "idToken", "id_token", "parentIdTag"])
def test_an_id_token_is_told_from_another_but_not_copied(key):
    assert redact({key: "04A1B2C3D4"}) == {key: f"04{MASK}4"}
    assert redact({key: "12345"}) == {key: MASK}
    assert redact({key: 1234567890}) == {key: f"12{MASK}0"}
    assert redact({key: {"idToken": "04A1B2C3D4", "type": "ISO14443"}}) == {
        key: {"idToken": f"04{MASK}4", "type": "ISO14443"}
    }


@given(st.text(max_size=40))
def test_a_masked_id_token_shows_three_characters_at_most(id_token):
    masked = mask_id_token(id_token)
    assert len(masked.replace(MASK, "", 1)) in (0, 3)


def test_a_text_cannot_break_its_log_line():
    assert mask_text("a\nb\x1b[31m\u202e") == "a\\u000ab\\u001b[31m\\u202e"
    assert len(mask_text("x" * 5000)) == VALUE_MAX_CHARACTERS + 1


@pytest.mark.parametrize("value", [None, 7, 2.5, True, "plain", [], {}, ["a"], {"connector": 1}, {"password": None}])
def test_what_is_not_secret_stays(value):
    assert redact(value) == value


def test_the_original_is_left_alone():
    frame = {"password": CANARY, "list": [{"idTag": "04A1B2C3D4"}]}
    redact(frame)
    assert frame == {"password": CANARY, "list": [{"idTag": "04A1B2C3D4"}]}


@pytest.mark.parametrize("key", ["idTag", "parentIdTag", "id_token", "additionalIdToken"])
def test_an_id_token_is_masked_and_can_still_be_told_apart(key):
    assert redact({key: "04A1B2C3"}) == {key: "04***3"}


def test_id_tokens_of_2x_are_masked_inside():
    shown = redact({"idToken": {"idToken": "04A1B2C3", "type": "ISO14443"}, "groupIdToken": {"idToken": "FLEET42"}})
    assert shown == {"idToken": {"idToken": "04***3", "type": "ISO14443"}, "groupIdToken": {"idToken": "FL***2"}}


@pytest.mark.parametrize("kind", ["KeyCode", "keycode"])
def test_of_a_key_code_nothing_is_shown(kind):
    assert redact({"idToken": {"idToken": "4711-0815", "type": kind}}) == {"idToken": {"idToken": MASK, "type": kind}}


def test_a_key_code_is_not_even_kept_and_everything_else_is():
    event = {
        "idToken": {"idToken": "4711", "type": "KeyCode"},
        "list": [{"idToken": "4712", "type": "KeyCode"}],
        "n": 1,
    }
    assert without_key_codes(event) == {
        "idToken": {"idToken": MASK, "type": "KeyCode"}, "list": [{"idToken": MASK, "type": "KeyCode"}], "n": 1,
    }  # fmt: skip
    card = {"idToken": {"idToken": "04A1", "type": "ISO14443"}, "password": "kept"}
    assert without_key_codes(card) == card


def test_the_value_of_a_secret_variable_of_2_x_is_masked_and_others_are_not():
    asked = {"setVariableData": [
        {"component": {"name": "SecurityCtrlr"}, "variable": {"name": "BasicAuthPassword"}, "attributeValue": "SECRET"},
        {"component": {"name": "OCPPCommCtrlr"}, "variable": {"name": "HeartbeatInterval"}, "attributeValue": "60"},
    ]}  # fmt: skip
    shown = redact(asked)
    assert "SECRET" not in repr(shown)
    assert shown["setVariableData"][1]["attributeValue"] == "60"

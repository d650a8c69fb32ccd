"""No secret of any version reaches a shown frame: whole, broken, cut off or packed into texts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sitelink.frame_secrets import head_of, masked

CANARY = "canary9Zx81"
COMPONENT = {"name": "SecurityCtrlr"}


def variable(name, **values):
    return {**values, "component": COMPONENT, "variable": {"name": name}}


def call(action, payload):
    return [2, "77", action, payload]


FRAMES = {
    "1.6 AuthorizationKey": call("ChangeConfiguration", {"key": "AuthorizationKey", "value": CANARY}),
    "1.6 its value first": call("ChangeConfiguration", {"value": CANARY, "key": "AuthorizationKey"}),
    "1.6 read back": [3, "77", {"configurationKey": [{"key": "AuthorizationKey", "readonly": False, "value": CANARY}]}],
    "1.6 a maker's key": call("ChangeConfiguration", {"key": "Acme.WiFi.Passphrase", "value": CANARY}),
    "1.6 SIM PIN": call("ChangeConfiguration", {"key": "GSM_SIM_PIN", "value": CANARY}),
    "1.6 idTag": call("StartTransaction", {"connectorId": 1, "idTag": f"{CANARY}0"}),
    "1.6 local list": call("SendLocalList", {"localAuthorizationList": [{"idTag": f"{CANARY}0"}]}),
    "1.6 parentIdTag": [3, "77", {"idTagInfo": {"status": "Accepted", "parentIdTag": f"{CANARY}0"}}],
    "1.6 upload": call("GetDiagnostics", {"location": f"ftp://box:{CANARY}@192.0.2.1:2121/d"}),
    "1.6 upload, odd password": call("GetDiagnostics", {"location": f"ftp://box:p@s/{CANARY}@192.0.2.1/d"}),
    "1.6 log": call("GetLog", {"log": {"remoteLocation": f"https://box:{CANARY}@192.0.2.1/d"}}),
    "1.6 firmware": call("UpdateFirmware", {"location": f"http://192.0.2.1/f?version=2&token={CANARY}"}),
    "SetVariables": call("SetVariables", {"setVariableData": [variable("BasicAuthPassword", attributeValue=CANARY)]}),
    "GetVariables": [3, "77", {"getVariableResult": [variable("BasicAuthPassword", attributeValue=CANARY)]}],
    "NotifyReport": call("NotifyReport", {"reportData": [
        variable("BasicAuthPassword", variableAttribute=[{"type": "Actual", "value": CANARY}])]}),
    "NotifyEvent": call("NotifyEvent", {"eventData": [variable("BasicAuthPassword", actualValue=CANARY)]}),
    "SharedSecret of 2.1": call("SetVariables", {"setVariableData": [variable("SharedSecret", attributeValue=CANARY)]}),
    "network profile": call("SetNetworkProfile", {"connectionData": {
        "basicAuthPassword": CANARY, "apn": {"apn": "internet", "apnPassword": CANARY, "simPin": CANARY},
        "vpn": {"server": "s", "user": "u", "password": CANARY, "key": CANARY, "type": "IKEv2"}}}),
    "idToken": call("Authorize", {"idToken": {"idToken": f"{CANARY}0", "type": "ISO14443"}}),
    "groupIdToken": [3, "77", {"idTokenInfo": {"groupIdToken": {"idToken": f"{CANARY}0", "type": "Central"}}}],
    "KeyCode": call("Authorize", {"idToken": {"idToken": "48" + CANARY, "type": "KeyCode",
                                              "additionalInfo": [{"additionalIdToken": f"{CANARY}0", "type": "x"}]}}),
    "customer asked": call("CustomerInformation", {"customerIdentifier": CANARY, "requestId": 1}),
    "customer told": call("NotifyCustomerInformation", {"data": f"Name {CANARY}", "seqNo": 0}),
    "VAT number": call("VatNumberValidation", {"vatNumber": CANARY}),
    "a private key": call("DataTransfer", {"vendorId": "a", "x": f"-----BEGIN EC PRIVATE KEY-----\n{CANARY}\n---"}),
    "JSON in a text": call("DataTransfer", {"vendorId": "a", "data": json.dumps({"password": CANARY})}),
    "JSON in JSON": call("DataTransfer", {"data": json.dumps({"data": json.dumps({"idTag": f"{CANARY}0"})})}),
    "broken JSON in a text": call("DataTransfer", {"data": '{"idTag":"' + CANARY}),
    "payload as a text": [2, "77", "Authorize", json.dumps({"idTag": f"{CANARY}0"})],
    "an error that quotes": [4, "77", "PropertyConstraintViolation", f"idTag: '{CANARY}' is too long", {}],
    "an error that quotes first": [4, "77", "GenericError", f"{CANARY} is no idTag we know", {}],
    "an error's details": [4, "77", "GenericError", "", {"message": f"no such token {CANARY}"}],
    "a rejected answer": [5, "77", "FormatViolation", f"password {CANARY} is too short", {}],
}  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_no_secret_is_shown(frame):
    shown = json.dumps(masked(json.dumps(frame), True))
    assert CANARY not in shown
    assert "77" in shown, "what is not secret is"


BREAKS = {
    "last bracket missing": lambda text: text[:-1],
    "a comma too many": lambda text: text[:-1] + ",]",
    "cut behind the secret": lambda text: text[: text.index(CANARY) + len(CANARY) + 2],
    "cut within the secret": lambda text: text[: text.index(CANARY) + len(CANARY)],
    "no quotes at names": lambda text: text.replace('": ', ": ").replace(' "', " ") + ",",
    "single quotes": lambda text: text.replace('"', "'"),
    "escaped": lambda text: text.replace("i", "\\u0069").replace("k", "\\u006B").replace("P", "\\u0050")[:-1],
    "zero bytes": lambda text: "\x00".join(text),
}
NAMED_LATER = {"customer told"}


@pytest.mark.parametrize("harm", BREAKS.values(), ids=BREAKS)
@pytest.mark.parametrize("frame", [FRAMES[name] for name in FRAMES], ids=FRAMES)
def test_no_secret_is_shown_of_a_broken_frame(frame, harm):
    text = harm(json.dumps(frame))
    assert CANARY not in json.dumps(masked(text, True)).replace("\\u0000", "")
    assert CANARY not in json.dumps(masked(text, False)).replace("\\u0000", "")


@pytest.mark.parametrize("name", ["SetVariables", "1.6 AuthorizationKey", "KeyCode", "NotifyReport", "customer told"])
@given(st.data())
def test_no_secret_is_shown_wherever_a_frame_is_cut(name, data):
    text = json.dumps(FRAMES[name])
    cut = text[: data.draw(st.integers(0, len(text)))]
    assert CANARY not in json.dumps(masked(cut, False))


@given(st.text(max_size=300))
def test_whatever_comes_something_can_be_shown(text):
    json.dumps(masked(text, True))
    json.dumps(masked(text, False))
    head_of(text)


def test_what_is_no_secret_can_be_read():
    frame = call("MeterValues", {"connectorId": 1, "meterValue": [{"sampledValue": [{"value": "12.5"}]}]})
    assert masked(json.dumps(frame), True) == frame
    broken = '[2,"1","StopTransaction",{"transactionId":,}]'
    assert masked(broken, True) == broken
    certificate = call("InstallCertificate", {"certificate": "-----BEGIN CERTIFICATE-----\nMIIB"})
    assert "MIIB" in json.dumps(masked(json.dumps(certificate), True))


def test_the_head_of_a_broken_frame_says_what_it_was():
    assert head_of('[2,"77","Authorize",{"idTag"') == (2, "77", "Authorize")
    assert head_of('[3, "77", {') == (3, "77", None)
    assert head_of("nonsense") is None

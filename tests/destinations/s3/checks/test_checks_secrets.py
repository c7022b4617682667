"""What passes by itself, and what no text of a check may hold."""

from __future__ import annotations

import pytest

from activation.destinations.s3.checks import Place, check, require
from activation.errors import ActivationError, ConfigurationError, TransientError
from activation.findings import Verdict
from tests.destinations.s3.checks.partner import BUCKET, EXTERNAL_ID, FOLDER, World


@pytest.mark.parametrize(
    ("match", "fault", "kind"),
    [
        ("list-type", "SlowDown", TransientError),
        ("PUT ", "ServiceUnavailable", TransientError),
        ("AssumeRole", "Throttling", TransientError),
        ("PUT ", "ExpiredToken", TransientError),
        ("PUT ", "reset", TransientError),
        ("AssumeRole", "InvalidClientTokenId", ConfigurationError),
        ("AssumeRole", "SignatureDoesNotMatch", ConfigurationError),
        ("list-type", "InvalidAccessKeyId", ConfigurationError),
    ],
)
def test_what_passes_by_itself_is_tried_again_and_a_wrong_key_is_not(
    partner: World, role: str, match: str, fault: str, kind: type[ActivationError], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botocore.retries.standard.ExponentialBackoff.delay_amount", lambda self, context: 0)
    partner.proxy.faults({"match": match, "n": 999, "do": fault})
    with pytest.raises(kind, match=r"^unknown error: ") as raised:
        require(partner.access(role_arn=role, external_id=EXTERNAL_ID), Place(BUCKET, FOLDER), lambda finding: None)
    assert (" Fix: Nothing, if a later attempt succeeds" in str(raised.value)) == (kind is TransientError)


ECHOES = (
    ("AssumeRole", "ValidationError", "1 validation error detected: Value '{id}' at 'externalId' failed to satisfy constraint"),
    ("AssumeRole", "SignatureDoesNotMatch", "Credential={key}/20261122/sts/aws4_request, Signature={hash}, got {secret}"),
    ("list-type", "InvalidAccessKeyId", "The AWS Access Key Id {key} does not exist in our records."),
    ("PUT [^?]*$", "AccessDenied", "X-Amz-Security-Token={token}&X-Amz-Credential={key} is not welcome"),
    ("PUT .*partNumber", "ExpiredToken", "The token {token} has expired; signature: {hash}"),
    ("uploads", "MalformedPolicyDocument", "{secret} {token} {hash}"),
)  # fmt: skip
"""Answers of AWS with something in them that nobody should read."""


@pytest.mark.parametrize(("match", "fault", "message"), ECHOES)
def test_a_canary_no_key_token_or_external_id_is_in_any_text(
    partner: World, role: str, match: str, fault: str, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    hook = partner.hook(role_arn=role, external_id=EXTERNAL_ID)
    session = hook.get_conn()._request_signer._credentials.get_frozen_credentials()
    secrets = {
        "id": EXTERNAL_ID,
        "key": session.access_key,
        "secret": partner.exporter["secret_key"],
        "token": session.token,
        "hash": "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    }
    all_secrets = {*secrets.values(), partner.exporter["access_key"], session.secret_key}
    partner.proxy.faults({"match": match, "n": 99, "do": fault, "message": message.format(**secrets)})
    place, access = Place(BUCKET, FOLDER), partner.access(role_arn=role, external_id=EXTERNAL_ID)
    caplog.clear()
    findings = list(check(access, place))
    assert findings[-1].verdict is Verdict.WRONG
    with pytest.raises(ActivationError) as raised:
        require(access, place, findings.append)
    shown = [*(one.text for one in findings), str(raised.value), repr(raised.value), repr(access), caplog.text]
    assert raised.value.__cause__ is None
    assert fault in shown[-4]
    for text in shown:
        assert not [secret for secret in all_secrets if secret in text]

"""Whatever arrives, a proof says Forged or asks for a key: it never breaks."""

from __future__ import annotations

import base64
from contextlib import suppress

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hub.contract import Forged, Headers, Message
from hub.contract.proof import Check, KeyNeeded
from tests.contract.proof_cases import CASES, NOW, Case, private_pem, public_of

every = pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
quick = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))

odd = st.sampled_from(
    [
        "",
        "v1,",
        "v1a,AA",
        "t=,v1=",
        "t=1,v1=\ud800",
        "t=99999999999999999999",
        "é" * 9,
        "a.b.c",
        "..",
        "{}",
        "=",
        "\x00",
    ]
)
text = st.one_of(
    odd, st.text(max_size=60), st.binary(max_size=40).map(lambda b: base64.b64encode(b).decode())
)
body = st.one_of(
    st.binary(max_size=200),
    st.sampled_from(
        [
            b"[" * 3000,
            b'{"Type":"Notification"}',
            b'{"Type":1,"Message":{}}',
            b'{"total":1e99999999999999999999}',
            b'{"eventId":' + b"9" * 5000 + b"}",
            b"<Encrypt>" * 50,
            b"e30.e30.e30",
            b"eyJhbGciOiJub25lIn0.e30.",
            b'{"sign":{"a":[1]},"a":NaN}',
            b"a=%ff&b=%&sign=%00",
            b"\xff\xfe",
        ]
    ),
)


def names(case: Case) -> list[str]:
    signed = case.signed()
    return [name for name, _ in signed.headers.pairs] or ["x"]


@every
@quick
@given(data=st.data())
def test_a_random_message_is_refused_and_nothing_breaks(case: Case, data):
    headers = {name: data.draw(text) for name in names(case)}
    message = Message(
        body=data.draw(body),
        headers=Headers(headers),
        query=data.draw(text),
        url=data.draw(text),
        path=data.draw(text),
    )

    with pytest.raises((Forged, KeyNeeded)):
        case.proof.check(Check(message, case.settings(), NOW, {}))


@every
@quick
@given(data=st.data())
def test_a_spoiled_message_is_refused_and_nothing_breaks(case: Case, data):
    signed = case.signed()
    name, value = data.draw(st.sampled_from([*signed.headers.pairs, ("content-type", "x")]))
    at = data.draw(st.integers(0, len(value)))
    spoiled = {**dict(signed.headers.pairs), name: value[:at] + data.draw(text) + value[at + 1 :]}
    cut = data.draw(st.integers(0, len(signed.body)))
    message = Message(
        body=signed.body[:cut] + data.draw(body), headers=Headers(spoiled), query=signed.query, url=signed.url
    )
    keys = _AnyKey(case)

    with suppress(Forged, KeyNeeded):
        case.proof.check(Check(message, case.settings(), NOW, keys))


class _AnyKey(dict):
    """Every id is known, and is ours."""

    def __init__(self, case: Case) -> None:
        self.key = public_of(private_pem(case.keys, 0)).encode() if case.keys else b""

    def __contains__(self, key: object) -> bool:
        return bool(self.key)

    def __getitem__(self, key: str) -> bytes:
        return self.key

"""Public and private keys in every dress far sides give them, and signatures made and checked with them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from functools import lru_cache
from typing import Any, Literal

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from hub.contract.errors import Forged, Misconfigured
from hub.contract.settings import Settings, secrets

Scheme = Literal[
    "rsa-sha1", "rsa-sha256", "rsa-sha384", "rsa-sha512",
    "pss-sha256", "pss-sha384", "pss-sha512",
    "ecdsa-sha1", "ecdsa-sha256", "ecdsa-sha384", "ecdsa-sha512",
    "ed25519",
]  # fmt: skip
"""How a signature is made: `rsa-` is PKCS #1 v1.5, `ecdsa-` gives DER."""

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303  eBay and SNS version 1 sign with it
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_CURVES: dict[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "P-521": ec.SECP521R1,
}
_ARMOUR = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)


@lru_cache(maxsize=512)
def public_key(data: bytes) -> PublicKey:
    """A public key from PEM (on one line too, or with its line ends spelt out), a certificate, DER, base64 of any of
    these, a JWK, or `whpk_…`; Forged when it is none."""
    try:
        key = _public(data)
    except (ValueError, KeyError, TypeError, UnsupportedAlgorithm, RecursionError) as error:
        raise Forged("the public key cannot be read") from error
    if not isinstance(key, PublicKey):
        raise Forged("the public key is neither RSA nor EC nor ed25519")
    return key


def certificate(data: bytes) -> x509.Certificate | None:
    """The certificate that these bytes are, None when they are something else."""
    try:
        return x509.load_pem_x509_certificate(data)
    except ValueError:
        return None


@lru_cache(maxsize=64)
def private_key(data: bytes) -> PrivateKey:
    """A private key from unencrypted PEM; Misconfigured when it is none."""
    try:
        key = serialization.load_pem_private_key(data.strip().replace(b"\\n", b"\n"), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise Misconfigured("the signing key is not an unencrypted private key in PEM") from error
    if not isinstance(key, PrivateKey):
        raise Misconfigured("the signing key is neither RSA nor EC nor ed25519")
    return key


def signing_key(settings: Settings, field: str) -> PrivateKey:
    """The private key that simulators and tests sign with: no real connection holds one."""
    for data in secrets(settings, field):
        return private_key(data)
    raise Misconfigured(f"the settings have no {field} to sign with")


def public_pem(private: PrivateKey) -> bytes:
    """The public half, as PEM: what a far side would publish."""
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return private.public_key().public_bytes(serialization.Encoding.PEM, form)


def key_id(private: PrivateKey) -> str:
    """An id for the public half, the same whenever asked."""
    return hashlib.sha256(public_pem(private)).hexdigest()[:16]


def fits(key: PublicKey, scheme: Scheme, signature: bytes, signed: bytes) -> bool:
    """Whether this signature of these bytes is the key's; a key of another kind fits nothing."""
    family, _, name = scheme.partition("-")
    try:
        if family == "rsa" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, padding.PKCS1v15(), _HASHES[name])
        elif family == "pss" and isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, signed, _pss(name, padding.PSS.AUTO), _HASHES[name])
        elif family == "ecdsa" and isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, signed, ec.ECDSA(_HASHES[name]))
        elif family == "ed25519" and isinstance(key, Ed25519PublicKey):
            key.verify(signature, signed)
        else:
            return False
    except (InvalidSignature, ValueError):
        return False
    return True


def make(key: PrivateKey, scheme: Scheme, signed: bytes) -> bytes:
    """A signature of these bytes."""
    family, _, name = scheme.partition("-")
    if family == "rsa" and isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, padding.PKCS1v15(), _HASHES[name])
    if family == "pss" and isinstance(key, rsa.RSAPrivateKey):
        return key.sign(signed, _pss(name, padding.PSS.DIGEST_LENGTH), _HASHES[name])
    if family == "ecdsa" and isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(signed, ec.ECDSA(_HASHES[name]))
    if family == "ed25519" and isinstance(key, Ed25519PrivateKey):
        return key.sign(signed)
    raise Misconfigured(f"the signing key is of another kind than {scheme}")


def _pss(name: str, salt: Any) -> padding.PSS:
    return padding.PSS(mgf=padding.MGF1(_HASHES[name]), salt_length=salt)


def _public(data: bytes) -> Any:
    if data[:1] == b"\x30":
        try:
            return _der(data)
        except ValueError:
            pass  # base64 of something may begin with "0" too
    data = data.strip().replace(b"\\n", b"\n")  # not before: a byte of DER may look like a space
    if data.startswith(b"{"):
        return _jwk(json.loads(data))
    if data.startswith(b"whpk_"):
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(data[5:]))
    armour = _ARMOUR.search(data)
    if armour is None:
        return _public_of_text(data)
    der = base64.b64decode(b"".join(armour[2].split()), validate=True)
    if armour[1] == b"CERTIFICATE":
        return x509.load_der_x509_certificate(der).public_key()
    return _der(der)


def _public_of_text(data: bytes) -> Any:
    inner = base64.b64decode(b"".join(data.split()), validate=True)
    if inner[:1] == b"\x30":
        return _der(inner)
    if inner.startswith((b"-----BEGIN", b"{")):
        return _public(inner)
    raise ValueError("neither PEM nor DER nor JWK")


def _der(der: bytes) -> Any:
    return serialization.load_der_public_key(der)


def _jwk(jwk: dict[str, Any]) -> Any:
    if jwk["kty"] == "RSA":
        return rsa.RSAPublicNumbers(_int(jwk["e"]), _int(jwk["n"])).public_key()
    if jwk["kty"] == "EC":
        curve = _CURVES[jwk["crv"]]()
        return ec.EllipticCurvePublicNumbers(_int(jwk["x"]), _int(jwk["y"]), curve).public_key()
    if jwk["kty"] == "OKP" and jwk["crv"] == "Ed25519":
        return Ed25519PublicKey.from_public_bytes(b64url(jwk["x"]))
    raise ValueError("a JWK of a kind that is not used here")


def _int(text: str) -> int:
    return int.from_bytes(b64url(text), "big")


def b64url(text: str) -> bytes:
    """The bytes of base64url text, with or without padding; ValueError when it is none."""
    if not re.fullmatch(r"[A-Za-z0-9_-]*={0,2}", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))


def to_b64url(data: bytes) -> str:
    """Base64url text without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str, encoding: Literal["base64", "base64url", "hex"]) -> bytes:
    """A signature's bytes; Forged when the text is not of that encoding."""
    try:
        if encoding == "hex":
            return bytes.fromhex(text)
        return b64url(text) if encoding == "base64url" else base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error) as error:
        raise Forged(f"the signature is not {encoding}") from error


def encoded(signature: bytes, encoding: Literal["base64", "base64url", "hex"]) -> str:
    """A signature as text."""
    if encoding == "hex":
        return signature.hex()
    return to_b64url(signature) if encoding == "base64url" else base64.b64encode(signature).decode()

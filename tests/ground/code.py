"""A throw-away certificate authority for signing code."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSWORD = b"open sesame"


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Authority:
    """Its certificate is `pem`; `environ` is what the signing step reads."""

    def __init__(self, folder: Path, name: str = "Test authority for code") -> None:
        self.folder = folder
        self._key = _key()
        self._name = _name(name)
        basic = x509.BasicConstraints(ca=True, path_length=0)
        self._certificate = self._issue(self._name, self._key).add_extension(basic, critical=True)
        self._signed = self._certificate.sign(self._key, hashes.SHA256())
        self.pem = folder / "ca.pem"
        self.pem.write_bytes(self._signed.public_bytes(serialization.Encoding.PEM))

    def _issue(self, subject: x509.Name, key: rsa.RSAPrivateKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=30))
        )

    def environ(self, publisher: str) -> dict[str, str]:
        """A certificate for `publisher` in a PKCS#12 file, its password in a file of its own."""
        key = _key()
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING])
        leaf = self._issue(_name(publisher), key).add_extension(usage, critical=True).sign(self._key, hashes.SHA256())
        stem = publisher.replace(" ", "-")
        bundle, password = self.folder / f"{stem}.p12", self.folder / f"{stem}.password"
        encryption = serialization.BestAvailableEncryption(PASSWORD)
        bundle.write_bytes(pkcs12.serialize_key_and_certificates(b"code", key, leaf, [self._signed], encryption))
        password.write_bytes(PASSWORD)
        password.chmod(0o600)
        return {
            "DDNS_SIGN_PKCS12": str(bundle),
            "DDNS_SIGN_PASSWORD_FILE": str(password),
            "DDNS_SIGN_CA": str(self.pem),
        }

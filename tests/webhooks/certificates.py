"""An authority that is made on the spot, and the certificates that it gives."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

DAY = timedelta(days=1)
USES = [
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
]


class Authority:
    """Keeps what it makes in ``folder``."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        self._folder, self._name = folder, named(name)
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._certificate(self._name, self._key.public_key())
        uses = dict.fromkeys(USES, False) | {"key_cert_sign": True, "crl_sign": True}
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), True)
        builder = builder.add_extension(x509.KeyUsage(**uses), critical=True)
        self.path = folder / f"{name}.pem"
        self.path.write_bytes(builder.sign(self._key, SHA256()).public_bytes(Encoding.PEM))
        self.key_path = folder / f"{name}.key"
        self.key_path.write_bytes(pem(self._key))

    def tls(self, host: str, *, until: timedelta = DAY) -> ssl.SSLContext:
        """What a server at ``host`` speaks, with a certificate good until so long from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self._certificate(named(host), key.public_key(), until)
        names = x509.SubjectAlternativeName([general(host)])
        found = builder.add_extension(names, critical=False).sign(self._key, SHA256())
        path = self._folder / f"{found.serial_number}.pem"
        path.write_bytes(pem(key) + found.public_bytes(Encoding.PEM))
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(path)
        return context

    def _certificate(
        self, name: x509.Name, key: ec.EllipticCurvePublicKey, until: timedelta = DAY
    ) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        identifier = x509.SubjectKeyIdentifier.from_public_key(key)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3 * DAY)
            .not_valid_after(now + until)
            .add_extension(identifier, critical=False)
            .add_extension(issuer, critical=False)
        )


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

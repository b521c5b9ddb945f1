"""A passkey for tests: what a phone or a security key keeps and answers, without either."""

import hashlib
import json
import secrets
from typing import Any

from allauth.mfa.webauthn.internal.auth import WebAuthn
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from fido2.cose import ES256
from fido2.utils import websafe_encode
from fido2.webauthn import (
    AttestationObject,
    AttestedCredentialData,
    AuthenticatorData,
    CollectedClientData,
)

from accounts.models import User

FLAG = AuthenticatorData.FLAG


class Passkey:
    """Known to the site as one of ``user``, and able to answer what it is asked there."""

    def __init__(self, user: User, host: str = "testserver") -> None:
        self.host = host
        self.name = secrets.token_bytes(16)
        self.private = ec.generate_private_key(ec.SECP256R1())
        public = ES256.from_cryptography_key(self.private.public_key())
        credential = AttestedCredentialData.create(bytes(16), self.name, public)
        made = self.about_itself(FLAG.UP | FLAG.UV | FLAG.AT, credential)
        attested = AttestationObject.create("none", made, {})
        known = {"attestationObject": websafe_encode(attested), **self.said("webauthn.create", "")}
        WebAuthn.add(user, "Phone", self.named(known))

    def answer(self, challenge: str) -> str:
        """The credential that a browser sends back, as JSON."""
        data = self.about_itself(FLAG.UP | FLAG.UV)
        said = self.said("webauthn.get", challenge)
        text = CollectedClientData.create("webauthn.get", challenge, f"https://{self.host}")
        signature = self.private.sign(data + text.hash, ec.ECDSA(hashes.SHA256()))
        signed = {
            "authenticatorData": websafe_encode(data),
            "signature": websafe_encode(signature),
        }
        return json.dumps(self.named(said | signed))

    def about_itself(self, flags: int, credential: Any = None) -> AuthenticatorData:
        host = hashlib.sha256(self.host.encode()).digest()
        return AuthenticatorData.create(host, flags, 1, credential or b"")

    def said(self, kind: str, challenge: str) -> dict[str, str]:
        data = CollectedClientData.create(kind, challenge, f"https://{self.host}")
        return {"clientDataJSON": websafe_encode(data)}

    def named(self, response: dict[str, str]) -> dict[str, object]:
        name = websafe_encode(self.name)
        known: dict[str, object] = {"id": name, "rawId": name, "type": "public-key"}
        return known | {"response": response, "clientExtensionResults": {}}

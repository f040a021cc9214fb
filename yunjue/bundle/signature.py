"""Minisign signatures: one beside the bundle, over its bytes. See jedisct1.github.io/minisign.

A signature says that the holder of a key vouches for these bytes. It says nothing of the
tools: they are proved either way.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from yunjue.bundle.folder import read_file
from yunjue.errors import BundleRefused, UsageError
from yunjue.files import writing
from yunjue.hashing import content_id

if TYPE_CHECKING:
    import minisign

SUFFIX = ".minisig"
MAX_BYTES = 16_384
"""Of a signature or a key."""


@dataclass(frozen=True, slots=True)
class Signed:
    """What is known of the signature.

    Attributes:
        state: ``none``, ``unverified`` (nobody said which keys to trust) or ``trusted``.
        key: id of the key in hex, as minisign shows it; a claim unless trusted.
        comment: what was signed along; a claim unless trusted.
    """

    state: str = "none"
    key: str = ""
    comment: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def sign(data: bytes, key_file: Path, password: Callable[[], str]) -> bytes:
    """The signature of ``data`` as the text of a .minisig file; equal data, equal bytes.

    Args:
        password: asked for that of the key, if it has one.

    Raises:
        UsageError: it is no secret key, or the password is wrong.
    """
    import minisign

    try:
        with minisign.SecretKey.from_bytes(read_file(key_file, MAX_BYTES)) as key:
            if key.is_encrypted():
                key.decrypt(password())
            comment = f"yunjue bundle sha256:{content_id(data)}"
            return bytes(key.sign(data, trusted_comment=comment)) + b"\n"
    except minisign.Error as error:
        raise UsageError(
            f"{key_file} cannot sign: {error}.", hint="`yunjue tools keygen -o NAME` makes a key."
        ) from None


def verify(data: bytes, signature: bytes | None, trusted: Sequence[str]) -> Signed:
    """What the signature of ``data`` is worth.

    Args:
        signature: text of the .minisig file, None if there is none.
        trusted: public keys in base64, or files that hold one; none to take any bundle.

    Raises:
        UsageError: one of ``trusted`` is no public key.
        BundleRefused: there are trusted keys, and none of them signed these bytes; or there
            is a signature that is none.
    """
    import minisign

    keys = [public_key(text) for text in trusted]
    if signature is None:
        if keys:
            raise BundleRefused("unsigned", f"There is no signature ({SUFFIX}) beside it.")
        return Signed()
    try:
        parsed = minisign.Signature.from_bytes(signature)
    except minisign.Error as error:
        raise BundleRefused("bad-signature", f"Its signature cannot be read: {error}.") from None
    key_id, comment = _key_id(parsed), ascii(parsed.trusted_comment[:200])[1:-1]
    if not keys:
        return Signed("unverified", key_id, comment)
    failures = []
    for key in keys:
        try:
            key.verify(data, parsed)
        except ValueError as error:  # minisign.Error is one; so is a key that is no point
            failures.append(str(error))
            continue
        return Signed("trusted", key_id, comment)
    known = any("identifiers" not in failure for failure in failures)
    if known:
        raise BundleRefused("wrong-signature", "It is not what was signed, or by another key.")
    raise BundleRefused("untrusted-key", f"It is signed by the key {key_id}, which is not trusted.")


def public_key(text: str) -> minisign.PublicKey:
    """The key in base64, or in the file of that name.

    Raises:
        UsageError: it is neither.
    """
    import minisign

    try:
        if Path(text).is_file():
            return minisign.PublicKey.from_bytes(read_file(Path(text), MAX_BYTES))
        return minisign.PublicKey.from_base64(text)
    except ValueError as error:
        raise UsageError(
            f"{text[:80]!r} is neither a minisign public key nor a file with one: {error}.",
            hint="It is the second line of a .pub file.",
        ) from None


def new_keys(name: Path, password: str) -> tuple[Path, Path, str]:
    """Write NAME.key (mode 0600) and NAME.pub; these paths and the public key in base64.

    Args:
        password: of the secret key; empty leaves it readable to whoever has the file.

    Raises:
        UsageError: one of the files exists.
    """
    import minisign

    secret, public = Path(f"{name}.key"), Path(f"{name}.pub")
    for path in (secret, public):
        if path.exists():
            raise UsageError(f"{path} exists; no key is ever overwritten.", hint="Name another.")
    pair = minisign.KeyPair.generate()
    with pair.secret_key as key, writing(secret):
        if password:
            key.encrypt(password)
        handle = os.open(secret, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(bytes(key) + b"\n")
        public_key = pair.public_key
        public_key.untrusted_comment = f"minisign public key {_hex(public_key.to_base64())}"
        public.write_bytes(bytes(public_key) + b"\n")
    return secret, public, public_key.to_base64().decode()


def _key_id(signature: minisign.Signature) -> str:
    return _hex(bytes(signature).splitlines()[1])


def _hex(line: bytes) -> str:
    """The key's id in the way the original program shows it."""
    return f"{int.from_bytes(base64.b64decode(line)[2:10], 'little'):016X}"

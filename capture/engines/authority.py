"""The proxy's certificate authority: a private key that can impersonate any host to whoever trusts it.

Three rules hold here. The key is only ever in a folder of mode 0700, in a file of mode 0600, from its first byte on.
The folder appears whole, under its name, in one step: two processes that start at once share one authority, and a
crash leaves no half of it. A folder or key that others could have read is refused, never quietly tightened.
"""

import datetime
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..errors import UsageError

KEY_FILE = "mitmproxy-ca.pem"
"""Key and certificate; mitmproxy looks for this name in its folder."""
CERTIFICATE_FILE = "ca-cert.pem"
"""The certificate alone: what a client is told to trust."""
LIFE = datetime.timedelta(days=365)
_BACKDATED = datetime.timedelta(days=1)
_KEY_BITS = 2048


@contextmanager
def private_umask() -> Iterator[None]:
    """Whatever is created inside is the owner's alone. Process-wide, so hold it briefly and without waiting."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def ensure_authority(folder: Path) -> Path:
    """Make the authority in `folder` unless it is there; the path of its certificate.

    UsageError where others can read it, where it is not ours, or where it cannot be made.
    """
    try:
        if not (folder / KEY_FILE).exists():
            _create(folder)
        _check(folder, directory=True)
        _check(folder / KEY_FILE, directory=False)
    except OSError as error:
        raise UsageError(f"{folder}: cannot keep the proxy's certificate authority: {error.strerror}") from error
    return folder / CERTIFICATE_FILE


def _check(path: Path, *, directory: bool) -> None:
    found = path.lstat()
    mode = stat.S_IMODE(found.st_mode)
    again = f"delete {path if directory else path.parent}, and the next recording makes a new authority"
    if not (stat.S_ISDIR(found.st_mode) if directory else stat.S_ISREG(found.st_mode)):
        raise UsageError(f"{path}: not a plain {'folder' if directory else 'file'}", again)
    if found.st_uid != os.geteuid():
        raise UsageError(f"{path}: belongs to another user", again)
    if mode & 0o077:
        raise UsageError(f"{path}: others could read the proxy's signing key (mode {mode:04o})", again)


def _create(folder: Path) -> None:
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=".ca-", dir=folder.parent))
    try:
        _write(draft)
        # Replaces an empty folder, and fails on one that has something in it.
        draft.rename(folder)
    except OSError:
        # Another process was first: its authority is everybody's.
        if not (folder / KEY_FILE).exists():
            raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _write(folder: Path) -> None:
    key, certificate = _new_authority()
    for name, content in ((KEY_FILE, key + certificate), (CERTIFICATE_FILE, certificate)):
        descriptor = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)


def _new_authority() -> tuple[bytes, bytes]:
    """A new key and its self-signed certificate, both PEM. It may sign servers, and no further authority."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=_KEY_BITS)
    # The suffix tells the authorities of two projects apart in a client's list.
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"Seamline recording CA {secrets.token_hex(4)}")])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return pem, certificate.public_bytes(serialization.Encoding.PEM)

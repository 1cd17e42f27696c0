"""A parcel with what every channel has to carry, and a certificate of this machine."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from takedowns.channels.parcel import Parcel
from takedowns.enclosures import Enclosure
from takedowns.ledger.vocabulary import DispatchKind


@pytest.fixture
def parcel(now: datetime) -> Parcel:
    return Parcel(
        key="2026-0000-T00001-1",
        kind=DispatchKind.NOTICE,
        number="2026-0000-T00001",
        recipient="notices@shop.invalid",
        subject="涉嫌违法商品线索移送函（2026-0000-T00001）",
        body="示例商城：\n\n涉嫌……\n",
        files=(
            Enclosure("2026-0000-T00001.pdf", "application/pdf", b"%PDF-1.7\r\n\x00\xff"),
            Enclosure("2026-0000-T00001.zip", "application/zip", bytes(range(256)) * 300),
        ),
        leads=({"number": "2026-0000-00001", "item_id": "7", "url": "https://shop.invalid/item/7"},),
        at=now,
    )


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificate and key of 127.0.0.1, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server of the tests")])
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    start = datetime.now(UTC) - timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=2))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return path

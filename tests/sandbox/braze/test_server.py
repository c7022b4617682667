"""Start, stop and TLS of the server in a thread."""

import datetime
import ipaddress
import socket
from pathlib import Path

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.braze import BrazeSandbox, Tls

from .conftest import Api


@pytest.fixture
def tls(tmp_path: Path) -> Tls:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = Tls(str(tmp_path / "certificate.pem"), str(tmp_path / "key.pem"))
    Path(files.certificate).write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    Path(str(files.private_key)).write_bytes(pem)
    return files


def test_address_is_free_again_after_the_block() -> None:
    with BrazeSandbox() as server:
        port = int(server.url.rsplit(":", 1)[1])
        assert server.url == f"http://127.0.0.1:{port}"
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_open_connections_do_not_hold_up_the_end() -> None:
    with BrazeSandbox() as server:
        api = Api(server)
        api.track(attributes=[{"external_id": "u"}])
    with pytest.raises(requests.ConnectionError):
        api.track(attributes=[{"external_id": "u"}])
    api.close()


def test_two_servers_hold_their_own_data() -> None:
    with BrazeSandbox() as one, BrazeSandbox() as other:
        Api(one).track(attributes=[{"external_id": "u"}])
        assert (one.summary()["profiles"], other.summary()["profiles"]) == (1, 0)


def test_taken_port_is_an_error() -> None:
    with BrazeSandbox() as server:
        port = int(server.url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match=str(port)), BrazeSandbox(port=port):
            pass


def test_error_of_the_block_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), BrazeSandbox():
        raise ZeroDivisionError


def test_server_needs_a_key() -> None:
    with pytest.raises(ValueError, match="at least one API key"):
        BrazeSandbox(keys=())


def test_https_with_certificate_files(tls: Tls) -> None:
    with BrazeSandbox(tls=tls) as server:
        assert server.url.startswith("https://127.0.0.1:")
        api = Api(server)
        body = {"attributes": [{"external_id": "u"}]}
        assert api.post("/users/track", body, verify=tls.certificate).status_code == 201
        assert [user["external_id"] for user in server.users()] == ["u"]
        api.close()


def test_connection_reset_over_https(tls: Tls) -> None:
    with BrazeSandbox(tls=tls) as server:
        server.change(faults={"rules": [{"kind": "reset", "applied": True}]})
        with pytest.raises(requests.ConnectionError):
            Api(server).post("/users/track", {"attributes": [{"external_id": "u"}]}, verify=tls.certificate)
        assert server.summary()["profiles"] == 1

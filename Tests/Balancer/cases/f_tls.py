"""TLS that HAProxy ends as docs/scale.md describes: programs learn of it from their variables."""

import uuid

from network import Failure
from scene import variables


def start_with_tls(scene, certificate):
    """One machine behind an exported configuration, to which the options of docs/scale.md are added."""
    scene.start_machines(scene.machines[:1])
    text = scene.export(machines=scene.machines[:1])
    for line, addition in [
            ("    bind 0.0.0.0:1001", f" ssl crt {certificate} ca-file {certificate} verify optional\n"
                                      "    unique-id-format %[uuid()]"),
            ("    default-server send-proxy-v2 agent-send \"variables\\n\" maxconn 1000",
             " proxy-v2-options ssl,cert-cn,ssl-cipher,authority,unique-id")]:
        if text.count(line + "\n") != 1:
            raise Failure(f"not one line {line!r}:\n{text}")
        text = text.replace(line + "\n", line + addition + "\n")
    scene.haproxy.start(text)
    scene.haproxy.await_state("begat-variables", "m1", "UP")


def seen_by_program(scene, *options):
    return variables(scene.client.run(
        "openssl", "s_client", "-connect", f"{scene.network.balancer_address()}:1001", "-servername", "shop.example.org",
        "-quiet", *options).encode())


def test_programs_learn_of_tls(scene):
    certificate = scene.place / "certificate.pem"
    scene.client.run(
        "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", 2, "-subj", "/CN=client.example.org",
        "-keyout", certificate, "-out", certificate)
    start_with_tls(scene, certificate)
    without = seen_by_program(scene)
    if not without.get("SSL_PROTOCOL", "").startswith("TLSv1.") or not without.get("SSL_CIPHER"):
        raise Failure(f"{without}")
    if without.get("SSL_TLS_SNI_SERVERNAME") != "shop.example.org":
        raise Failure(f"{without}")
    uuid.UUID(bytes.fromhex(without["PROXY_UNIQUE_ID"]).decode())
    if "SSL_CLIENT_VERIFY" in without or "SSL_PEER_CERT_CN" in without:
        raise Failure(f"without a certificate: {without}")
    verified = seen_by_program(scene, "-cert", certificate, "-key", certificate)
    if (verified.get("SSL_CLIENT_VERIFY"), verified.get("SSL_PEER_CERT_CN")) != ("SUCCESS", "client.example.org"):
        raise Failure(f"with a certificate: {verified}")
    return f"{verified['SSL_PROTOCOL']}, {verified['SSL_CIPHER']}"

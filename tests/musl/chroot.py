#!/usr/bin/env python3
"""chroot.py ROOTFS: does the backend image's file system have all that the programs want? Both run as its user in
nothing but ROOTFS, against a private PostgreSQL and Redis: every library is called once, and a lead is looked up
over HTTPS, where the certificate is believed only because the image's bundle has its issuer.

Mounts a bundle over that of ROOTFS: to be run in a name space of its own (image.sh does)."""
import os
import ssl
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "support"))
import client  # noqa: E402
import servers  # noqa: E402
import tokens  # noqa: E402
from case import eventually  # noqa: E402
from deliveries import SECRET, lead, signed  # noqa: E402
from graph import Graph  # noqa: E402

BUNDLE = "etc/ssl/certs/ca-certificates.crt"
USER = "10001:10001"
PROGRAMS = ("alicerce-api", "alicerce-worker")


def same(found, wanted, what):
    if found != wanted:
        raise SystemExit(f"{what}: {found!r}, not {wanted!r}")


def wrap(rootfs, folder):
    """Programs for servers.Stack that go into ROOTFS first."""
    for name in PROGRAMS:
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8") as f:
            f.write(f'#!/bin/sh\nexec chroot --userspec={USER} "{rootfs}" /usr/local/bin/{name} "$@"\n')
        os.chmod(path, 0o755)
    return folder


def secure(graph, folder):
    """The fake Graph API speaks TLS from here on. Returns its certificate's file."""
    key, cert = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=graph.test",
                    "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    graph.server.socket = context.wrap_socket(graph.server.socket, server_side=True)
    return cert


def trust(rootfs, cert, folder):
    bundle = os.path.join(folder, "bundle.pem")
    with open(bundle, "wb") as out:
        for path in (os.path.join(rootfs, BUNDLE), cert):
            with open(path, "rb") as f:
                out.write(f.read())
    subprocess.run(["mount", "--bind", bundle, os.path.join(rootfs, BUNDLE)], check=True)


def look(stack, graph):
    api = stack.api

    def call(method, path, status, **more):
        answer = client.call(api.port, method, path, **more)
        same(answer.status, status, f"{method} {path}: {answer.text}")
        return answer

    row = call("POST", "/api/posts", 201, json={"titulo": "ação", "conteudo": "daqui"}).json
    same(call("GET", f"/api/posts/{row['id']}", 200).json["titulo"], "ação", "the post")
    for path in ("/api/posts", "/api/posts/cache", "/api/contador", "/api/stats", "/status", "/metrics"):
        call("GET", path, 200)
    signed_in = call("POST", "/api/auth/login", 200,
                     json={"email": tokens.ADMIN_EMAIL, "senha": tokens.ADMIN_PASSWORD}).json
    bearer = {"Authorization": f"Bearer {signed_in['token']}"}
    body = lead("4711")
    call("POST", "/webhook", 200, headers=signed(body), body=body)

    def looked_up():
        return stack.pg.value("SELECT count(*) FROM leads") == "1" and \
            call("GET", "/api/leads/4711", 200, headers=bearer).json["estado"] == "completo"

    if not eventually(looked_up, 20):
        raise SystemExit(f"the lead was not looked up over HTTPS\n{stack.worker.log_tail()}")
    same(len(graph.calls), 1, "calls of the Graph API")


def main():
    rootfs = os.path.abspath(sys.argv[1])
    binaries = wrap(rootfs, servers.temporary_folder())
    for name in PROGRAMS:
        done = servers.run_program(name, "--version", folder=binaries)
        same((done.returncode, done.stdout.split()[:1]), (0, [name]), f"{name} --version: {done.stderr}")
    with Graph(secret=SECRET) as graph:
        trust(rootfs, secure(graph, binaries), binaries)
        env = {**tokens.ENV, "META_APP_SECRET": SECRET, "META_ACCESS_TOKEN": graph.token,
               "GRAPH_URL": graph.url.replace("http:", "https:"), "STORAGE_DIR": "/var/lib/alicerce"}
        with servers.Stack(env=env, binaries=binaries) as stack:
            look(stack, graph)
            done = servers.run_program("alicerce-api", "--healthcheck", env=stack.api.env, folder=binaries)
            same(done.returncode, 0, f"--healthcheck: {done.stderr}")
    print("  RAN      both programs in it: every route's libraries, a look-up over HTTPS, the health check, SIGTERM")


main()

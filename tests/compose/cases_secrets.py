"""TLS, Meta's client certificate, secrets from files. The last one takes all of it down."""
import json
import os
import subprocess

from engine import eventually
from load import ask
from looks import SERVICES, deliver, expect, same, wait_healthy, wait_ok


def make_certificates(project):
    """A server's certificate, an authority, and what Meta's client would show."""
    def openssl(*words):
        subprocess.run(["openssl", *words], cwd=project.path("docker", "tls"), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def request(name, subject):
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.csr", "-subj", subject)
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-keyout", "privkey.pem", "-out", "fullchain.pem")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=ca",
            "-keyout", "ca.key", "-out", "meta-ca.pem")
    for name, cn in (("meta", "client.webhooks.fbclientcerts.com"), ("other", "example.com")):
        request(name, f"/O=x/CN={cn}")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "meta-ca.pem", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", "2", "-out", f"{name}.pem")
    for name in os.listdir(project.path("docker", "tls")):
        os.chmod(project.path("docker", "tls", name), 0o644)


def curl(project, path, *more):
    done = project.shell("curl", "-sk", "-o", "/dev/null", "-D", "-", "--max-time", "10", *more,
                         f"https://127.0.0.1:{project.https}{path}")
    return int(done.stdout.split()[1]), done.stdout


def case_tls(project):
    """certificates in the folder turn TLS on: redirect, HSTS, and Meta's client certificate alone"""
    make_certificates(project)
    project.compose("up", "-d", "--no-deps", "--force-recreate", "frontend")
    expect(eventually(lambda: curl(project, "/health")[0] == 200, 40), "no answer by TLS")
    status, head = curl(project, "/health")
    expect("strict-transport-security" in head.lower(), head)
    got, head, _ = ask(project.http, "GET", "/api/stats?x=1")
    same((got, head["Location"]), (308, f"https://127.0.0.1:{project.https}/api/stats?x=1"), "HTTP")
    folder = project.path("docker", "tls")
    shake = f"/webhook?hub.mode=subscribe&hub.challenge=1&hub.verify_token=" \
            f"{project.env_value('META_VERIFY_TOKEN')}"
    same(curl(project, shake)[0], 403, "/webhook without a certificate")
    for name, wanted in (("other", 403), ("meta", 200)):
        same(curl(project, shake, "--cert", f"{folder}/{name}.pem", "--key", f"{folder}/{name}.key")[0],
             wanted, f"/webhook with {name}'s certificate")
    wait_healthy(project, "frontend", 1)
    for name in os.listdir(folder):
        if name.endswith((".pem", ".key", ".csr", ".srl")):
            os.unlink(os.path.join(folder, name))


def case_secrets_from_files(project):
    """SECRETS=files: the same stack, and no secret in the environment of a container"""
    secrets = [project.env_value(n) for n in ("POSTGRES_PASSWORD", "REDIS_PASSWORD", "JWT_SECRET",
                                              "META_VERIFY_TOKEN", "META_APP_SECRET")]
    project.compose("down", "-v", seconds=120)
    project.shell("make", "-s", "env", "SECRETS=files")
    project.compose("up", "-d", seconds=300)
    wait_ok(project)
    deliver(project, 7003)
    for service in SERVICES:
        environment = json.dumps(project.inspect(project.ids(service)[0])["Config"])
        expect(not any(secret in environment for secret in secrets), f"{service} shows a secret")
    project.compose("down", "-v", seconds=120)
    same(project.engine.docker("ps", "-aq").stdout, "", "containers")

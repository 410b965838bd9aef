"""The example configuration of Envoy, with a real Envoy and a real server.

    python tests/deploy/envoy.py target/release/concord

Envoy takes the file as it stands (`--mode validate`). Then it runs with what a test has to change: certificates made
here, ports of the system's choosing, and an upstream without TLS.
"""

import datetime
import http.client
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[2]
ENVOY = Path(sys.executable).parent / "envoy"
EXAMPLE = (ROOT / "examples" / "oud-ptsd.json").read_text()
CONCORD = ""


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def certify(folder):
    """One authority for all sides, and a certificate for each."""
    now = datetime.datetime.now(datetime.timezone.utc)

    def key():
        return ec.generate_private_key(ec.SECP256R1())

    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def write(stem, certificate, secret):
        (folder / f"{stem}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8
        secret = secret.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
        (folder / f"{stem}.key").write_bytes(secret)

    def begin(subject, issuer, public):
        builder = x509.CertificateBuilder().subject_name(name(subject)).issuer_name(name(issuer)).public_key(public)
        builder = builder.serial_number(x509.random_serial_number())
        return builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))

    authority = key()
    top = begin("test authority", "test authority", authority.public_key())
    top = top.add_extension(x509.BasicConstraints(True, None), True).sign(authority, hashes.SHA256())
    for stem in ("callers-ca", "concord-ca"):
        write(stem, top, authority)
    for stem in ("server", "client"):
        own = key()
        names = [x509.DNSName("localhost"), x509.UniformResourceIdentifier(f"spiffe://test/{stem}")]
        leaf = begin(stem, "test authority", own.public_key())
        leaf = leaf.add_extension(x509.SubjectAlternativeName(names), False).sign(authority, hashes.SHA256())
        write(stem, leaf, own)


class Transcoding(unittest.TestCase):
    """JSON in, JSON out, and nothing lost between."""

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp())
        cls.running = []
        certify(cls.folder)
        (cls.folder / "concord.binpb").write_bytes(subprocess.run([CONCORD, "descriptor-set"], check=True, capture_output=True).stdout)
        text = (ROOT / "deploy" / "envoy" / "envoy.yaml").read_text()
        text = text.replace("/etc/envoy/tls/", f"{cls.folder}/").replace("/etc/envoy/concord.binpb", f"{cls.folder}/concord.binpb")
        cls.whole = cls.folder / "whole.yaml"
        cls.whole.write_text(text)

        server = cls.start([CONCORD, "serve", "--grpc-addr", "127.0.0.1:0", "--set", f"audit.dir={cls.folder}/data"], "server")
        upstream = cls.wait_for("server", server, r"listening.*127\.0\.0\.1:(\d+)")
        changed = yaml.safe_load(text)
        cls.port, cls.admin = free_port(), free_port()
        changed["admin"]["address"]["socket_address"]["port_value"] = cls.admin
        listener, cluster = changed["static_resources"]["listeners"][0], changed["static_resources"]["clusters"][0]
        listener["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": cls.port}
        del cluster["transport_socket"]
        endpoint = cluster["load_assignment"]["endpoints"][0]["lb_endpoints"][0]["endpoint"]
        endpoint["address"]["socket_address"] = {"address": "127.0.0.1", "port_value": int(upstream)}
        used = cls.folder / "used.yaml"
        used.write_text(yaml.safe_dump(changed))
        arguments = ["-c", str(used), "--concurrency", "1", "--use-dynamic-base-id"]
        envoy = cls.start([str(ENVOY), *arguments], "envoy")
        cls.wait_for("envoy", envoy, "starting main dispatch loop")
        for _ in range(200):
            if cls.call("GET", "/v1/ruleset")[0] == 200:
                return
            time.sleep(0.1)
        raise AssertionError(cls.log("envoy"))

    @classmethod
    def start(cls, command, stem):
        with open(cls.folder / f"{stem}.log", "w") as out:
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=out)
        cls.running.append(process)
        return process

    @classmethod
    def log(cls, stem):
        return (cls.folder / f"{stem}.log").read_text()

    @classmethod
    def wait_for(cls, stem, process, pattern):
        for _ in range(600):
            found = re.search(pattern, cls.log(stem))
            if found:
                return found[found.lastindex or 0]
            if process.poll() is not None:
                break
            time.sleep(0.1)
        raise AssertionError(f"{stem} did not start: {cls.log(stem)}")

    @classmethod
    def tearDownClass(cls):
        for process in reversed(cls.running):
            process.send_signal(signal.SIGKILL)
            process.wait()
        shutil.rmtree(cls.folder)

    @classmethod
    def call(cls, verb, path, body=None, headers=None, certificate=True):
        context = ssl.create_default_context(cafile=str(cls.folder / "callers-ca.crt"))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if certificate:
            context.load_cert_chain(cls.folder / "client.crt", cls.folder / "client.key")
        connection = http.client.HTTPSConnection("localhost", cls.port, context=context, timeout=20)
        try:
            connection.request(verb, path, body, {"content-type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            text = answer.read().decode()
            try:
                return answer.status, json.loads(text)
            except json.JSONDecodeError:
                return answer.status, text
        finally:
            connection.close()

    def test_the_file_as_it_stands_is_one_that_envoy_takes(self):
        run = subprocess.run([str(ENVOY), "--mode", "validate", "-c", str(self.whole)], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotRegex(run.stderr, "(?i)deprecated")

    def test_a_patient_is_evaluated(self):
        status, answer = self.call("POST", "/v1/decisions:evaluate", EXAMPLE)
        self.assertEqual(status, 200, answer)
        self.assertEqual(answer["scope"], "PRESENT")
        self.assertEqual(answer["receipt"]["audit"], "RECORDED")
        approaches = {one["approach"] for one in answer["recommendations"]}
        self.assertEqual(len(approaches), 4, approaches)

    def test_variables_of_paths_and_queries_reach_the_method(self):
        status, page = self.call("GET", "/v1/ruleset/rules?pageSize=2")
        self.assertEqual((status, len(page["rules"])), (200, 2), page)
        wanted = page["rules"][0]["id"]
        status, one = self.call("GET", f"/v1/ruleset/rules/{wanted}")
        self.assertEqual((status, one["rule"]["id"]), (200, wanted))

    def test_fields_at_fault_arrive_with_their_reasons(self):
        status, answer = self.call("POST", "/v1/decisions:evaluate", '{"patient": {"ageYears": -1}}')
        self.assertEqual((status, answer["code"]), (400, 3), answer)
        details = {one["@type"].rsplit(".", 1)[-1]: one for one in answer["details"]}
        self.assertIn("patient.age_years", {one["field"] for one in details["BadRequest"]["fieldViolations"]})
        self.assertIn("reason", details["ErrorInfo"])
        status, answer = self.call("GET", "/v1/ruleset/rules/no-such-rule")
        self.assertEqual((status, answer["code"]), (404, 5), answer)

    def test_what_is_not_known_is_refused(self):
        for path, body in [
            ("/v1/decisions:evaluate?explan=FULL", EXAMPLE),
            ("/v1/decisions:evaluate", '{"patient": {"ageYears": "old"}}'),
            ("/v1/decisions:evaluate", '{"patient": {"setting": "NOWHERE"}}'),
            ("/v1/decisions:evaluate", "{"),
        ]:
            with self.subTest(path=path, body=body[:40]):
                status, answer = self.call("POST", path, body)
                self.assertEqual(status, 400, answer)
        self.assertEqual(self.call("GET", "/v1/nothing")[0], 404)

    def test_envoy_drops_a_field_that_does_not_exist(self):
        """A fault of this way that `docs/operating.md` warns of. Where it fails, Envoy has learned to refuse it: say so."""
        status, answer = self.call("POST", "/v1/decisions:evaluate", '{"patient": {"diagnosis": []}}')
        self.assertEqual(status, 200, answer)

    def test_the_record_is_not_reached_by_this_way(self):
        self.assertEqual(self.call("GET", "/v1/decisions")[0], 404)
        self.assertEqual(self.call("GET", "/v1/audit/checkpoint")[0], 404)

    def test_an_answer_is_not_compressed_on_the_way(self):
        headers = {"grpc-accept-encoding": "gzip", "accept-encoding": "gzip"}
        status, answer = self.call("POST", "/v1/decisions:evaluate", EXAMPLE, headers)
        self.assertEqual((status, answer["scope"]), (200, "PRESENT"))

    def test_a_deadline_of_the_caller_holds(self):
        status, answer = self.call("POST", "/v1/decisions:evaluate", EXAMPLE, {"grpc-timeout": "1n"})
        self.assertEqual((status, answer["code"]), (504, 4), answer)

    def test_a_body_too_large_is_refused(self):
        """By Envoy, or by Concord, whose bound is lower: the one that has seen enough of it first."""
        status, answer = self.call("POST", "/v1/decisions:evaluate", '{"requestId": "' + "a" * 600_000 + '"}')
        if status != 413:
            self.assertEqual((status, answer["details"][0]["reason"]), (429, "MESSAGE_TOO_LARGE"), answer)

    def test_a_caller_without_a_certificate_gets_nothing(self):
        with self.assertRaises((ssl.SSLError, ConnectionError, http.client.RemoteDisconnected)):
            self.call("GET", "/v1/ruleset", certificate=False)


if __name__ == "__main__":
    CONCORD = os.path.abspath(sys.argv.pop(1))
    unittest.main()

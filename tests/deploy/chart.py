"""The Helm chart: what it renders, what it refuses, and that Concord takes the settings it writes.

    HELM=helm KUBE=kube python tests/deploy/chart.py target/release/concord

`KUBE` is the program of `tests/deploy/kube`, which takes every object into the type of Kubernetes, strictly.
"""

import os
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "deploy" / "helm" / "concord"
CONCORD = ""

MESH = ["anonymous=true", "mesh.kind=istio", "audit.masterKeySecret=keys"]
TLS = ["anonymous=true", "tls.secret=concord-tls", "audit.masterKeySecret=keys"]
SHARED = ["audit.store=postgres", "audit.postgresSecret=database", "networkPolicy.egress[0].ports[0].port=5432"]

RENDERED = {
    "mesh": MESH,
    "linkerd": ["anonymous=true", "mesh.kind=linkerd", "audit.masterKeySecret=keys"],
    "mesh without admin": [*MESH, "admin.enabled=false"],
    "tls": TLS,
    "tls without certificates of callers": [*TLS, "tls.clientAuth=none"],
    "postgres": [*TLS, *SHARED, "replicas=3"],
    "postgres, autoscaling": [*MESH, *SHARED, "autoscaling.enabled=true", "serviceMonitor.enabled=true"],
    "rules": [*MESH, "rules.configMap=rules", "rules.items[0].key=a", "rules.items[0].path=a.yaml", "rules.overlayConfigMap=site"],
    "no record": ["anonymous=true", "mesh.kind=istio", "audit.store=none"],
    "settings": [*MESH, "settings.limits.streams=200", "settings.telemetry.sample_ratio=0.5", "image.digest=sha256:" + "a" * 64],
    "callers": [*TLS[1:], "settings.auth.spiffe_trust_domains={example.org}", "settings.auth.grants={spiffe://example.org/ehr = evaluate}"],
    "policy": [*MESH, "networkPolicy.monitoring[0].podSelector.matchLabels.app=prometheus"],
}

# What is not rendered, and what the reason names.
REFUSED = {
    "nobody encrypts": (["audit.masterKeySecret=keys"], "tls.secret or mesh.kind"),
    "nobody says who may call": (MESH[1:], "settings.auth or anonymous"),
    "both say who may call": ([*MESH, "settings.auth.jwt_issuer=i"], "anonymous"),
    "both encrypt": ([*MESH, "tls.secret=t"], "tls.secret"),
    "sqlite and replicas": ([*MESH, "replicas=2"], "sqlite is the log of one process"),
    "sqlite and autoscaling": ([*MESH, "autoscaling.enabled=true"], "sqlite is the log of one process"),
    "no master key": (["anonymous=true", "mesh.kind=istio"], "audit.masterKeySecret"),
    "no address of PostgreSQL": ([*MESH, "audit.store=postgres"], "audit.postgresSecret"),
    "PostgreSQL behind a policy": ([*MESH, "audit.store=postgres", "audit.postgresSecret=p"], "networkPolicy.egress"),
    "an address that is not used": ([*MESH, "audit.postgresSecret=p"], "audit.postgresSecret"),
    "keys for the package of the image": ([*MESH, "rules.trustedKeys[0]=k"], "rules.trustedKeys"),
    "no probe can be made": ([*TLS, "admin.enabled=false"], "admin.enabled"),
    "nothing to scrape": ([*MESH, "admin.enabled=false", "serviceMonitor.enabled=true"], "serviceMonitor.enabled"),
    "a value that there is not": ([*MESH, "replicaCount=2"], "replicaCount"),
    "a store that there is not": ([*MESH, "audit.store=oracle"], "audit"),
    "a digest that is none": ([*MESH, "image.digest=latest"], "digest"),
}


def helm(*arguments):
    return subprocess.run([os.environ["HELM"], *arguments], capture_output=True, text=True)


def flags(settings):
    return [part for setting in settings for part in ("--set", setting)]


def template(settings):
    return helm("template", "site", str(CHART), "--kube-version", "1.31.0", *flags(settings))


def rendered(settings):
    run = template(settings)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    return run.stdout


def objects(settings):
    return [one for one in yaml.safe_load_all(rendered(settings)) if one]


def one(settings, kind):
    found = [each for each in objects(settings) if each["kind"] == kind]
    assert len(found) == 1, (kind, len(found))
    return found[0]


class Chart(unittest.TestCase):
    """Helm, and what comes of it."""

    def test_helm_finds_nothing_wrong(self):
        run = helm("lint", str(CHART), "--strict", "--kube-version", "1.31.0", *flags(MESH))
        self.assertEqual(run.returncode, 0, run.stdout)

    def test_every_object_is_of_its_type(self):
        for name, settings in RENDERED.items():
            with self.subTest(name):
                run = subprocess.run([os.environ["KUBE"]], input=rendered(settings), capture_output=True, text=True)
                self.assertEqual(run.returncode, 0, run.stderr)
        broken = rendered(MESH).replace("runAsNonRoot", "runAsNonRot")
        run = subprocess.run([os.environ["KUBE"]], input=broken, capture_output=True, text=True)
        self.assertIn("runAsNonRot", run.stderr, "the test itself must be able to fail")

    def test_what_can_not_be_right_is_refused(self):
        for name, (settings, reason) in REFUSED.items():
            with self.subTest(name):
                run = template(settings)
                self.assertNotEqual(run.returncode, 0, run.stdout)
                self.assertIn(reason, run.stderr)

    def test_concord_takes_the_settings(self):
        known = subprocess.run([CONCORD, "config", "docs"], check=True, capture_output=True, text=True).stdout
        taken = 0
        for name, settings in RENDERED.items():
            text = one(settings, "ConfigMap")["data"]["concord.toml"]
            sections = tomllib.loads(text)
            keys = [f"{section}.{key}" for section, keys in sections.items() for key in keys]
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                for key in keys:
                    self.assertIn(f"`{key}`", known)
                # The directories are those of the pod; what they hold is not asked here.
                for line in ("/etc/concord/rules", "/etc/concord/overlay"):
                    text = text.replace(f'"{line}"', f'"{ROOT}/rules"' if line.endswith("rules") else '""')
                text = "\n".join(line for line in text.splitlines() if 'overlay = ""' not in line)
                path = Path(folder) / "concord.toml"
                path.write_text(text)
                secrets = {"CONCORD__AUDIT__POSTGRES": "postgres://u@127.0.0.1/d"} if "postgres" in text else {}
                run = subprocess.run([CONCORD, "config", "--config", str(path)], capture_output=True, text=True, env=secrets)
                self.assertEqual(run.returncode, 0, run.stderr)
                taken += 1
        self.assertEqual(taken, len(RENDERED))

    def test_the_pod_may_do_no_more_than_it_must(self):
        for name, settings in RENDERED.items():
            with self.subTest(name):
                spec = one(settings, "StatefulSet")["spec"]["template"]["spec"]
                self.assertFalse(spec["automountServiceAccountToken"])
                self.assertTrue(spec["securityContext"]["runAsNonRoot"])
                self.assertEqual(spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                (container,) = spec["containers"]
                allowed = container["securityContext"]
                self.assertTrue(allowed["readOnlyRootFilesystem"])
                self.assertFalse(allowed["allowPrivilegeEscalation"])
                self.assertEqual(allowed["capabilities"], {"drop": ["ALL"]})
                self.assertIn("memory", container["resources"]["limits"])
                for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                    self.assertIn(probe, container)
                self.assertFalse(any("subPath" in mount for mount in container["volumeMounts"]))
                mounted = {mount["name"] for mount in container["volumeMounts"]}
                volumes = {volume["name"] for volume in spec["volumes"]} | {"data"}
                self.assertEqual(mounted, volumes)

    def test_the_drain_fits_into_the_time_that_the_pod_is_given(self):
        stateful = one([*MESH, "server.drainLeadSeconds=8", "server.drainDeadlineSeconds=50"], "StatefulSet")
        self.assertGreater(stateful["spec"]["template"]["spec"]["terminationGracePeriodSeconds"], 58)

    def test_secrets_come_as_secrets(self):
        text = rendered([*MESH, *SHARED])
        (container,) = one([*MESH, *SHARED], "StatefulSet")["spec"]["template"]["spec"]["containers"]
        sources = {variable["name"]: variable["valueFrom"]["secretKeyRef"]["name"] for variable in container["env"]}
        self.assertEqual(sources, {"CONCORD__AUDIT__MASTER_KEY": "keys", "CONCORD__AUDIT__POSTGRES": "database"})
        self.assertNotIn("postgres://", text)

    def test_a_budget_keeps_no_node_from_being_drained(self):
        self.assertFalse([each for each in objects(MESH) if each["kind"] == "PodDisruptionBudget"])
        self.assertEqual(one([*TLS, *SHARED, "replicas=3"], "PodDisruptionBudget")["spec"]["maxUnavailable"], 1)

    def test_settings_that_change_restart_the_pod_and_rules_do_not(self):
        def annotations(settings):
            return one(settings, "StatefulSet")["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]

        self.assertNotEqual(annotations(MESH), annotations([*MESH, "settings.limits.streams=9"]))
        self.assertEqual(annotations(MESH), annotations([*MESH, "podLabels.a=b", "rules.items[0].key=k", "rules.items[0].path=p"]))


if __name__ == "__main__":
    CONCORD = os.path.abspath(sys.argv.pop(1))
    unittest.main()

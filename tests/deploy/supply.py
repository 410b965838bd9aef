"""The policy of dependencies and the bill of materials: that they can fail, and that they say what Cargo says.

    python tests/deploy/supply.py
"""

import copy
import importlib.machinery
import importlib.util
import json
import tomllib
import unittest
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

ROOT = Path(__file__).resolve().parents[2]
LOADER = importlib.machinery.SourceFileLoader("supply", str(ROOT / "scripts" / "supply"))
supply = importlib.util.module_from_spec(importlib.util.spec_from_loader("supply", LOADER))
LOADER.exec_module(supply)

RULES = supply.policy()
TARGET = RULES["graph"]["targets"][0]


class Policy(unittest.TestCase):
    """Each kind of fault is found."""

    @classmethod
    def setUpClass(cls):
        cls.found = supply.metadata(TARGET)

    def told(self, change):
        found = copy.deepcopy(self.found)
        package = next(each for each in found["packages"] if each["name"] == "tonic")
        package.update(change)
        return [fault for fault in supply.faults(found, RULES) if fault not in set(supply.faults(self.found, RULES))]

    def test_each_fault_is_found(self):
        for change, reason in [
            ({"license": "GPL-3.0-only"}, "GPL-3.0-only"),
            ({"license": "MIT AND LGPL-2.1-only"}, "LGPL"),
            ({"license": None}, "no license"),
            ({"source": "git+https://git.example/tonic"}, "from git"),
            ({"source": "registry+https://registry.example/"}, "from registry"),
            ({"source": None}, "from a path"),
            ({"name": "openssl"}, "banned"),
            ({"name": "aws-lc-rs"}, "banned"),
            ({"name": "h2", "version": "0.4.15"}, "banned"),
        ]:
            with self.subTest(change):
                (fault,) = self.told(change)
                self.assertIn(reason, fault)
        for change in [{"license": "GPL-2.0-only OR MIT"}, {"name": "h2", "version": "0.4.16"}, {"license": "MIT/Apache-2.0"}]:
            self.assertEqual(self.told(change), [])

    def test_expressions(self):
        for text, wanted in [
            ("MIT", True),
            ("(MIT OR GPL-3.0) AND ISC", True),
            ("MIT AND (GPL-3.0 OR ISC)", True),
            ("MIT AND GPL-3.0", False),
            ("Apache-2.0 WITH LLVM-exception OR GPL-3.0", True),
            ("GPL-3.0 WITH LLVM-exception", False),
        ]:
            self.assertEqual(supply.permitted(text, RULES["licenses"]["allow"]), wanted, text)


class Bill(unittest.TestCase):
    """What the bill says is what Cargo builds."""

    @classmethod
    def setUpClass(cls):
        cls.bill = supply.bill(TARGET)

    def test_it_is_one_of_cyclonedx(self):
        self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(self.bill)))
        broken = self.bill | {"specVersion": 1.5}
        self.assertIsNotNone(JsonStrictValidator(SchemaVersion.V1_5).validate_str(json.dumps(broken)))

    def test_it_has_what_is_built_and_nothing_else(self):
        own = self.bill["metadata"]["component"]
        named = {(each["name"], "v" + each["version"]) for each in [own, *self.bill["components"]]}
        self.assertEqual(named, supply.built(TARGET), "each is reached from the binary")
        manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
        names = {name for name, _ in named}
        self.assertLessEqual(set(manifest["dependencies"]) | set(manifest["build-dependencies"]), names)
        tests = set(manifest["dev-dependencies"]) - set(manifest["dependencies"])
        self.assertFalse(names & {"insta", "proptest", "ct-merkle"} & tests)

    def test_every_hash_is_that_of_the_lock_file(self):
        lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
        locked = {(each["name"], each["version"]): each.get("checksum") for each in lock}
        for each in self.bill["components"]:
            self.assertEqual(each["hashes"][0]["content"], locked[each["name"], each["version"]])
            self.assertIn("licenses", each)

    def test_the_same_commit_gives_the_same_bytes(self):
        self.assertEqual(json.dumps(self.bill), json.dumps(supply.bill(TARGET)))
        references = {each["ref"] for each in self.bill["dependencies"]}
        self.assertTrue(all(set(each["dependsOn"]) <= references for each in self.bill["dependencies"]))


if __name__ == "__main__":
    unittest.main()

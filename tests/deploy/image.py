"""The image, as far as it can be held without a daemon that builds it.

    python tests/deploy/image.py target/release/concord

hadolint reads the file; the rest are rules of this project, and that what is copied into the build is enough for it.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "Dockerfile"
CONCORD = ""


def instructions(text):
    """Instructions with their arguments, continued lines joined."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [line.split(None, 1) for line in joined.splitlines() if line.strip()]


class Image(unittest.TestCase):
    """The Dockerfile."""

    @classmethod
    def setUpClass(cls):
        cls.all = instructions(FILE.read_text())
        last = max(at for at, (name, _) in enumerate(cls.all) if name == "FROM")
        cls.build, cls.final = cls.all[:last], cls.all[last:]

    def one(self, name):
        (found,) = [rest for each, rest in self.final if each == name]
        return found

    def test_hadolint_finds_nothing(self):
        program = Path(sys.executable).parent / "hadolint"
        run = subprocess.run([str(program), str(FILE)], capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stdout), (0, ""))

    def test_it_runs_as_no_one_and_without_a_shell(self):
        self.assertEqual(self.one("USER"), "65532:65532")
        self.assertFalse([rest for name, rest in self.final if name in ("RUN", "ADD", "SHELL")])
        self.assertEqual(json.loads(self.one("ENTRYPOINT")), ["/usr/local/bin/concord"])
        self.assertEqual(json.loads(self.one("CMD")), ["serve"])

    def test_its_health_is_asked_by_the_program(self):
        command = json.loads(self.one("HEALTHCHECK").split("CMD", 1)[1])
        self.assertEqual(command[0], "/usr/local/bin/concord")
        known = subprocess.run([CONCORD, command[1], "--help"], capture_output=True)
        self.assertEqual(known.returncode, 0, f"there is no command {command[1]}")

    def test_the_same_commit_can_give_the_same_bytes(self):
        commands = " ".join(rest for name, rest in self.build if name in ("RUN", "ENV", "ARG"))
        for wanted in ("--locked", "SOURCE_DATE_EPOCH", "--remap-path-prefix=/src=", "CARGO_INCREMENTAL=0"):
            self.assertIn(wanted, commands)
        self.assertNotIn("latest", FILE.read_text())

    def test_what_is_copied_is_enough_for_the_build(self):
        allowed = (FILE.parent / "Dockerfile.dockerignore").read_text().splitlines()
        with tempfile.TemporaryDirectory() as folder:
            context = Path(folder)
            for name, rest in self.all:
                if name != "COPY" or "--from" in rest:
                    continue
                for source in rest.split()[:-1]:
                    self.assertTrue(any(f"!{part}" in allowed for part in [source, *map(str, Path(source).parents)]), source)
                    target = context / source
                    target.parent.mkdir(parents=True, exist_ok=True)
                    copy = shutil.copytree if (ROOT / source).is_dir() else shutil.copy
                    copy(ROOT / source, target)
            command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
            targets = json.loads(subprocess.run(command, cwd=context, check=True, capture_output=True).stdout)
            for target in targets["packages"][0]["targets"]:
                if target["kind"] != ["test"] and target["kind"] != ["bench"]:
                    self.assertTrue((context / Path(target["src_path"]).relative_to(context.resolve())).exists())
            included = 0
            for path in (context / "src").rglob("*.rs"):
                if "test" in str(path.relative_to(context)):
                    continue
                for found in re.findall(r'include(?:_str|_bytes)?!\(\s*"([^"]+)"', path.read_text().split("#[cfg(test)]")[0]):
                    self.assertTrue((path.parent / found).exists(), f"{path.name} includes {found}")
                    included += 1
            self.assertGreater(included, 3)


if __name__ == "__main__":
    CONCORD = str(Path(sys.argv.pop(1)).resolve())
    unittest.main()

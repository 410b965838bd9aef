#!/usr/bin/env python3
"""The YAML language server at work on the rules package, as an editor uses it.

    tests/editor/session.py LANGUAGE_SERVER

Every shipped file has to be without a complaint; a file with faults has to get one for each; and completion and hover
have to show the keys and words of the language. What the server answers is printed.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RULE = """\
# yaml-language-server: $schema=schema.json
rules:
- id: methadone-qtc-limit
  title: QTc at or above the limit
  contraindicate: {component: methadone, action: start}
  when:
    all:
    - {observation: qtc-interval, within: 90 days, at_least: 500 ms}
  unknown: request
  statement: Buprenorphine is the safer choice.
  evidence: [{source: chou-2014, place: recommendation 2}]
  strength: strong
"""


class Server:
    """A language server, spoken to over its standard input and output."""

    def __init__(self, program):
        self.process = subprocess.Popen(
            ["node", program, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.number = 0
        self.files = 0
        self.published = {}
        self.ask("initialize", {"processId": None, "rootUri": ROOT.as_uri(), "capabilities": {
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True}}}}})
        self.tell("initialized", {})
        # Nothing from the network: what is checked is this package with its own schema.
        self.tell("workspace/didChangeConfiguration", {"settings": {"yaml": {
            "validate": True, "completion": True, "hover": True, "schemaStore": {"enable": False}}}})

    def send(self, message):
        body = json.dumps({"jsonrpc": "2.0"} | message).encode()
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.process.stdin.flush()

    def receive(self):
        length = 0
        while (line := self.process.stdout.readline()) not in (b"\r\n", b""):
            name, value = line.decode().split(":", 1)
            length = int(value) if name.lower() == "content-length" else length
        if not length:
            sys.exit("the language server ended")
        message = json.loads(self.process.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.published[message["params"]["uri"]] = message["params"]["diagnostics"]
        elif "method" in message and "id" in message:
            self.send({"id": message["id"], "result": None})
        return message

    def tell(self, method, parameters):
        self.send({"method": method, "params": parameters})

    def ask(self, method, parameters):
        self.number += 1
        self.send({"id": self.number, "method": method, "params": parameters})
        while (message := self.receive()).get("id") != self.number or "method" in message:
            pass
        if "error" in message:
            sys.exit(f"{method}: {message['error']}")
        return message["result"]

    def open(self, path, text):
        """Opens a text as if it stood in the file."""
        self.tell("textDocument/didOpen", {
            "textDocument": {"uri": path.as_uri(), "languageId": "yaml", "version": 1, "text": text}})

    def complaints(self, path):
        while path.as_uri() not in self.published:
            self.receive()
        found = self.published[path.as_uri()]
        return [f"{path.name}:{one['range']['start']['line'] + 1}: {one['message']}" for one in found]

    def scratch(self, text):
        """A text of its own beside the shipped files; it is never written."""
        self.files += 1
        path = ROOT / "rules" / f"session-{self.files}.yaml"
        self.open(path, text)
        return path

    def at(self, method, path, text):
        """What the server has to say at the end of the text."""
        place = {"line": text.count("\n"), "character": len(text.rsplit("\n", 1)[-1])}
        return self.ask(method, {"textDocument": {"uri": path.as_uri()}, "position": place})

    def end(self):
        self.ask("shutdown", None)
        self.tell("exit", None)
        self.process.wait(timeout=30)


def expect(what, got, wanted):
    missing = [word for word in wanted if not any(word in text for text in got)]
    print(f"{what}: {', '.join(text.splitlines()[0] if text else text for text in got)}")
    if missing:
        sys.exit(f"{what}: no {', '.join(missing)}")


def shipped(server):
    files = sorted((ROOT / "rules").rglob("*.yaml"))
    for path in files:
        server.open(path, path.read_text(encoding="utf-8"))
    found = [one for path in files for one in server.complaints(path)]
    if found:
        sys.exit("\n".join(found))
    print(f"{len(files)} files without a complaint")


def faults(server):
    for name, right, wrong, word in [
        ("nothing wrong", "", "", None),
        ("a misspelled key", "within:", "withn:", "withn"),
        ("a misspelled conclusion", "contraindicate:", "contraindicates:", "contraindicates"),
        ("a word that is none", "action: start", "action: begin", "start"),
        ("a length that is none", "90 days", "three months", "28 days"),
        ("a key that is missing", "  title: QTc at or above the limit\n", "", "title"),
    ]:
        path = server.scratch(RULE.replace(right, wrong) if right else RULE)
        found = server.complaints(path)
        if word is None and found:
            sys.exit("\n".join(found))
        expect(name, found, [word] if word else [])


def completions(server, name, text, wanted):
    """What is offered at the bar in the text."""
    path = server.scratch(text.replace("|", ""))
    answer = server.at("textDocument/completion", path, text.split("|")[0])
    items = answer["items"] if isinstance(answer, dict) else answer
    expect(name, [item["label"] for item in items], wanted)


def hover(server, word, wanted):
    path = server.scratch(RULE)
    answer = server.at("textDocument/hover", path, RULE.split(word)[0] + word[0])
    contents = answer["contents"] if answer else ""
    text = contents["value"] if isinstance(contents, dict) else str(contents)
    expect(f"hover on {word.rstrip(':')}", [" ".join(text.split())], [wanted])


def main():
    # A server that doesn't answer ends this, and with it the server, whose input closes.
    signal.alarm(120)
    server = Server(sys.argv[1])
    shipped(server)
    faults(server)
    head = RULE.split("rules:")[0]
    definition = head + "definitions:\n- id: ptsd-present\n  title: PTSD\n  when:\n    "
    completions(server, "sections", head + "|", ["rules", "concepts", "definitions"])
    completions(server, "keys of a rule", RULE.replace("  unknown", "  |\n  unknown"), ["outranks", "review_by", "possible"])
    completions(server, "skeletons", head + "rules:\n- |", ["offer", "exclusion", "alert"])
    completions(server, "leading keys", definition + "|", ["all", "observation", "onset_order"])
    completions(server, "keys of an observation", definition + "observation: qtc-interval\n    |", ["at_least", "more_than", "as"])
    completions(server, "words of unknown", RULE.replace("unknown: request", "unknown: |"), ["verify", "alert-possible"])
    completions(server, "words of a status", definition + "diagnosis: ptsd\n    status: |", ["remission", "doubtful"])
    hover(server, "unknown:", "Exclusions must say: `verify`")
    hover(server, "within:", "the last day included")
    hover(server, "contraindicate:", "never lowers")
    server.end()


if __name__ == "__main__":
    main()

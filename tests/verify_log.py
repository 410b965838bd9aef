#!/usr/bin/env python3
"""Verifies an exported audit log, or a proof, by the format in docs/audit.md alone.

    verify_log.py log DIR [--key VKEY ...] [--checkpoint FILE]
    verify_log.py inclusion PROOF --leaf FILE --key VKEY ...
    verify_log.py consistency PROOF --old CHECKPOINT --key VKEY ...

VKEY is a public key, `name+id+base64`. Without --key, `log` trusts DIR/keys, which says nothing
of who made the export. Exits with 0 if verified, 1 if refused (one line on stderr), 2 for unusable
arguments or files. Needs Python 3.9 and `cryptography`.
"""
import argparse
import base64
import datetime
import hashlib
import json
import pathlib
import re
from collections import namedtuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

# For fullmatch(), since $ allows a line feed after it; [0-9], since \d is of every script.
DECIMAL = re.compile(r"0|[1-9][0-9]{0,15}")
BODY = re.compile(r'{"commitment":"[0-9a-f]{64}","sha256":"[0-9a-f]{64}"}')
DIGEST = re.compile(r"[0-9a-f]{64}")
LEAF = {
    "kind": re.compile("decision|refusal|feedback|ruleset|read|key|erasure|retention|log"),
    "id": re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"),
    "at": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3])(:[0-5][0-9]){2}\.[0-9]{6}Z"),
    "build": re.compile(r".*", re.DOTALL),
}
NAME = re.compile(r"[^\s+\x00-\x1f]+")
KEY = re.compile(rf"({NAME.pattern})\+([0-9a-f]{{8}})\+(.*)")
SIGNATURE = re.compile(rf"\u2014 ({NAME.pattern}) (.*)")
Checkpoint = namedtuple("Checkpoint", "origin size root")

class Refused(Exception):
    """A line of where and what is wrong, with no text of the input: it could control a terminal."""

def require(condition, where, what):
    if not condition:
        raise Refused(f"{where}: {what}")

def attempt(where, what, function, *arguments):
    try:
        return function(*arguments)
    except (ValueError, TypeError, IndexError, RecursionError, InvalidSignature):
        raise Refused(f"{where}: {what}") from None

def match(pattern, value, where, what):
    found = pattern.fullmatch(value) if type(value) is str else None
    require(found, where, what)
    return found.groups()

def lines_of(data, where):
    lines = attempt(where, "not UTF-8", data.decode).split("\n")  # splitlines() splits at more
    require(lines.pop() == "", where, "the last line does not end in a line feed")
    return lines

def from_base64(text, where, lengths):
    data = attempt(where, "not base64", base64.b64decode, text, None, True)
    # The decoder ignores bits after the last byte, so that two texts could say the same.
    require(base64.b64encode(data).decode() == text, where, "base64 not in canonical form")
    require(len(data) in lengths, where, f"base64 of {len(data)} bytes, which is wrong")
    return data

def decimal(text):
    # int() alone takes signs, spaces and underscores, and minutes for a million digits.
    if not DECIMAL.fullmatch(text) or int(text) >= 2**53:
        raise ValueError
    return int(text)

def allowed(value):
    if type(value) is dict:
        return all(map(str.isascii, value)) and all(map(allowed, value.values()))
    return all(map(allowed, value)) if type(value) is list else value is not None

# decimal() refuses all texts of negative numbers, fractions, exponents, NaN and Infinity.
DECODER = json.JSONDecoder(parse_int=decimal, parse_float=decimal, parse_constant=decimal)
# Of keys in ASCII, the order of code points is that of RFC 8785.
ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)

def parse_object(data):
    text = data.decode()
    value = DECODER.decode(text)
    # Writing it again settles white space, order, escapes and members that occur twice.
    if type(value) is not dict or not allowed(value) or ENCODER.encode(value) != text:
        raise ValueError
    return value

def known_keys(texts, where="trusted key"):
    """The keys, each 32 bytes, by name and id."""
    known = {}
    for number, text in enumerate(texts, 1):
        at = f"{where} {number}"
        name, key_id, encoded = match(KEY, text, at, "not a key as name+id+base64")
        public = from_base64(encoded, at, [33])
        require(public[0] == 1, at, "not a key of Ed25519")
        # Bytes of an argument that are not UTF-8 come as surrogates, which can't be encoded.
        digest = sha256(name.encode("utf-8", "replace"), b"\n", public)
        require(digest[:4].hex() == key_id, at, "the id of the key is wrong")
        # For an id of 32 bits, someone could make another key that has the same.
        same = known.setdefault((name, digest[:4]), public[1:]) == public[1:]
        require(same, at, "another key has the same name and id")
    return known

def verify_checkpoint(data, where, known, before=0):
    """Verifies a checkpoint that so many lines of its file precede."""
    lines = lines_of(data, where)
    require(len(lines) > 4 and lines[3] == "", where, "not of the form of a signed checkpoint")
    match(NAME, lines[0], f"{where} line {before + 1}", "not a name of a log")
    size = attempt(f"{where} line {before + 2}", "not a strict decimal", decimal, lines[1])
    root = from_base64(lines[2], f"{where} line {before + 3}", [32])
    signed, good = "\n".join(lines[:4]).encode(), False
    for number, line in enumerate(lines[4:], before + 5):
        at = f"{where} line {number}"
        name, encoded = match(SIGNATURE, line, at, "not of the form of a signature")
        signature = from_base64(encoded, at, range(5, 2**16))
        key = known.get((name, signature[:4]))
        if key is not None:  # else of someone else, by whatever algorithm
            verify = Ed25519PublicKey.from_public_bytes(key).verify
            attempt(at, "the signature of a known key is wrong", verify, signature[4:], signed)
            good = good or name == lines[0]  # a key signs for the log that has its name only
    require(good, where, "not signed by a known key of this log")
    return Checkpoint(lines[0], size, root)

def verify_older(data, head, known):
    older = verify_checkpoint(data, "older checkpoint", known)
    require(older.origin == head.origin, "older checkpoint", "it is of another log")
    require(older.size <= head.size, "older checkpoint", "it has more entries than the newer")
    return older

def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()

def push(stack, size, node):
    """Adds the hash of a leaf to a tree of RFC 6962, kept as the roots of perfect subtrees."""
    while size % 2 == 1:  # one of the same size is the last of the stack
        node, size = sha256(b"\1", stack.pop(), node), size // 2
    stack.append(node)

def root_of(stack):
    root = stack[-1] if stack else sha256()
    for left in stack[-2::-1]:
        root = sha256(b"\1", left, root)
    return root

def root_by_inclusion(node, index, size, hashes):
    """PATH of 2.1.1 backward: the last of the hashes is the child of the root."""
    if size == 1:
        return node
    k, sibling = 1 << ((size - 1).bit_length() - 1), hashes.pop()
    if index < k:
        return sha256(b"\1", root_by_inclusion(node, index, k, hashes), sibling)
    return sha256(b"\1", sibling, root_by_inclusion(node, index - k, size - k, hashes))

def roots_by_consistency(old_size, size, hashes, known):
    """SUBPROOF of 2.1.2 backward: the older and the newer root. `known` is the older one, or
    None in a subtree that is only a part of the older tree: its root is one of the hashes."""
    if old_size == size:
        return (known or hashes.pop(),) * 2
    k, sibling = 1 << ((size - 1).bit_length() - 1), hashes.pop()
    if old_size <= k:
        old, new = roots_by_consistency(old_size, k, hashes, known)
        return old, sha256(b"\1", new, sibling)
    old, new = roots_by_consistency(old_size - k, size - k, hashes, None)
    return sha256(b"\1", sibling, old), sha256(b"\1", sibling, new)

def check_leaf(data, where):
    """Check 3, but for an `id` that occurs twice. Returns the leaf as an object."""
    require(len(data) <= 65535, where, "the leaf has more than 65535 bytes")
    leaf = attempt(where, "the leaf is not an object in canonical JSON", parse_object, data)
    require(type(leaf.get("v")) is int and leaf["v"] == 1, where, "`v` is not 1")  # 1 == true
    for name, pattern in LEAF.items():
        match(pattern, leaf.get(name), where, f"`{name}` is not as in version 1")
    attempt(where, "`at` is no day", datetime.date.fromisoformat, leaf["at"][:10])
    if "body" in leaf:
        match(BODY, ENCODER.encode(leaf["body"]), where, "`body` of the leaf is wrong")
    return leaf

def verify_bytes(entries, checkpoint, keys, trusted=None, older=None):
    """Verifies the three files of an export by all eight checks. `trusted`: texts of the keys
    to trust, else those of `keys`; `older`: a checkpoint that was kept. Returns a Checkpoint."""
    key_lines = lines_of(keys, "keys")
    listed = known_keys(key_lines, "keys line")
    known = listed if trusted is None else known_keys(trusted)
    head = verify_checkpoint(checkpoint, "checkpoint", known)
    require({name for name, _ in listed} <= {head.origin}, "keys", "not all named as the log")
    older = head if older is None else verify_older(older, head, known)

    stack, ids, created, start, size, pruned, first = [], set(), [], 0, 0, 0, 0
    older_root = root_of(stack)
    while start < len(entries):
        where, end = f"entries.ndjson line {size + 1}", entries.find(b"\n", start)
        require(end >= 0, where, "does not end in a line feed")
        line = attempt(where, "no object in canonical JSON", parse_object, entries[start:end])
        same = type(line.get("index")) is int and line["index"] == size
        require(same, where, f"`index` is not {size}")
        if set(line) == {"hash", "index"}:
            match(DIGEST, line["hash"], where, "`hash` is not 64 hexadecimal digits")
            require(pruned == size, where, "a pruned entry after one that is not")
            pruned += 1
            push(stack, size, bytes.fromhex(line["hash"]))
        else:
            require(set(line) - {"body"} == {"index", "leaf"}, where, "not the members of an entry")
            data = attempt(where, "`leaf` is not a string", str.encode, line["leaf"])
            leaf = check_leaf(data, where)
            require(("body" in line) == ("body" in leaf), where, "a body on one side only")
            if "body" in line:
                body = attempt(where, "`body` is not hexadecimal", bytes.fromhex, line["body"])
                require(body.hex() == line["body"], where, "`body` has capitals or spaces")
                require(sha256(body).hex() == leaf["body"]["sha256"], where, "`body` was altered")
            require(leaf["id"] not in ids, where, "an earlier entry has the same `id`")
            ids.add(leaf["id"])
            if leaf["kind"] == "retention":
                require(type(leaf.get("first")) is int, where, "`first` is not an integer")
                first = max(first, leaf["first"])
            if leaf["kind"] == "key" and leaf.get("event") == "created":
                created.append((leaf.get("key"), where))
            push(stack, size, sha256(b"\0", data))
        start, size = end + 1, size + 1
        if size == older.size:
            older_root = root_of(stack)

    where = "entries.ndjson"
    require(size == head.size, where, f"{size} lines, but {head.size} entries by the checkpoint")
    require(pruned == first, where, f"{pruned} entries pruned, but {first} by their retention")
    require(root_of(stack) == head.root, where, "the root is not that of the checkpoint")
    require(older_root == older.root, "older checkpoint", "the log does not continue it")
    # The entries of the first keys may be among the pruned: of these nothing is left to compare.
    lost = len(key_lines) - len(created)
    require(0 <= lost <= pruned, "keys", f"{len(key_lines)} for {len(created)} that were created")
    for number, (key, where) in enumerate(created, lost):
        require(key == key_lines[number], f"keys line {number + 1}", f"not the key of {where}")
    return head

def parse_proof(data, prefix, known):
    """Returns the number after the prefix, the hashes, and the checkpoint."""
    top, _, note = data.partition(b"\n\n")
    text, line = attempt("proof", "not UTF-8", top.decode), prefix.count("\n") + 1
    require(text.startswith(prefix), "proof", "not of the form of such a proof")
    number, *hashes = text[len(prefix):].split("\n")
    number = attempt(f"proof line {line}", "not a strict decimal", decimal, number)
    hashes = [from_base64(item, f"proof line {n}", [32]) for n, item in enumerate(hashes, line + 1)]
    return number, hashes, verify_checkpoint(note, "proof", known, text.count("\n") + 2)

def verify_inclusion(proof, leaf, trusted):
    """Verifies that a leaf (its bytes) is in the log of the Checkpoint that it returns."""
    index, hashes, head = parse_proof(proof, "c2sp.org/tlog-proof@v1\nindex ", known_keys(trusted))
    require(index < head.size, "proof", "the index is not below the number of entries")
    arguments = sha256(b"\0", leaf), index, head.size, hashes
    root = attempt("proof", "too few hashes", root_by_inclusion, *arguments)
    require(not hashes, "proof", "too many hashes")
    require(root == head.root, "proof", "the leaf is not this entry of the log")
    check_leaf(leaf, "leaf")
    return head

def verify_consistency(proof, older, trusted):
    """Verifies that the log has only grown up to the Checkpoint that it returns."""
    known = known_keys(trusted)
    size, hashes, head = parse_proof(proof, "old ", known)
    older = verify_older(older, head, known)
    require(older.size == size, "proof line 1", "not the size of the older checkpoint")
    roots = root_of([]), head.root  # a tree without entries is the beginning of every other
    if size > 0:
        arguments = size, head.size, hashes, older.root
        roots = attempt("proof", "too few hashes", roots_by_consistency, *arguments)
    require(not hashes, "proof", "too many hashes")
    require(roots == (older.root, head.root), "proof", "the newer does not continue the older")
    return head

def main():
    parser = argparse.ArgumentParser(description="Verifies an exported audit log, or a proof.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, option in (("log", "checkpoint"), ("inclusion", "leaf"), ("consistency", "old")):
        command, proof = commands.add_parser(name), name != "log"
        command.add_argument("file", metavar="PROOF" if proof else "DIR", type=pathlib.Path)
        command.add_argument(f"--{option}", dest="other", metavar="FILE", required=proof)
        command.add_argument("--key", dest="keys", metavar="VKEY", action="append", required=proof)
    options, refusal = parser.parse_args(), 2
    try:
        known_keys(options.keys or [], "--key")
        refusal = 1  # from here on, not of an argument
        other = pathlib.Path(options.other).read_bytes() if options.other is not None else None
        if options.command == "log":
            names = "entries.ndjson", "checkpoint", "keys"
            files = [(options.file / name).read_bytes() for name in names]
            head = verify_bytes(*files, options.keys, other)
        else:
            verify = verify_inclusion if options.command == "inclusion" else verify_consistency
            head = verify(options.file.read_bytes(), other, options.keys)
        print(f"ok: {head.size} entries, root {base64.b64encode(head.root).decode()}")
    except (Refused, OSError) as error:
        parser.exit(refusal if isinstance(error, Refused) else 2, f"{error}\n")

if __name__ == "__main__":
    main()

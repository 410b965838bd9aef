#!/usr/bin/env python3
"""Changes exported audit logs in every way, and sees that verify_log.py refuses each.

    tamper.py changes DIR --key VKEY --flips all|COUNT   # one log: bits and entries
    tamper.py clean DIR                                  # folders of logs: none is refused

Prints counts. Exits with 1 where a change goes unnoticed, or a log that no one changed is refused.
"""
import argparse
import base64
import json
import os
import pathlib
import random
import sys
from concurrent.futures import ProcessPoolExecutor

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verify_log import Refused, push, root_of, sha256, verify_bytes

FILES = "entries.ndjson", "checkpoint", "keys"


def read(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def refused(files, trusted, older=None):
    try:
        verify_bytes(*(files[name] for name in FILES), trusted, older)
    except Refused:
        return True
    return False


def unnoticed_flips(folder, key, name, bits):
    files = read(folder)
    whole, missed = files[name], []
    for bit in bits:
        flipped = bytearray(whole)
        flipped[bit // 8] ^= 1 << bit % 8
        if not refused({**files, name: bytes(flipped)}, [key]):
            missed.append((name, bit))
    return missed


def flips(folder, key, wanted):
    jobs, missed, sizes = [], [], {name: 8 * len(data) for name, data in read(folder).items()}
    total = sum(sizes.values())
    dice = random.Random(5)
    for name, size in sizes.items():
        bits = range(size)
        if wanted != "all":
            # The small files have their share.
            count = max(int(wanted) * size // total, int(wanted) // 10)
            bits = sorted(dice.sample(bits, min(count, size)))
        jobs += [(name, bits[at : at + 2000]) for at in range(0, len(bits), 2000)]
    with ProcessPoolExecutor(min(2, os.cpu_count())) as pool:
        runs = [pool.submit(unnoticed_flips, folder, key, name, bits) for name, bits in jobs]
        for run in runs:
            missed += run.result()
    counts = {name: sum(len(bits) for other, bits in jobs if other == name) for name in sizes}
    print(f"flips of {total} bits: {counts}, unnoticed: {len(missed)}")
    return missed


def numbered(lines):
    """The lines with the indices that they should have."""
    values = [json.loads(line) for line in lines]
    for index, value in enumerate(values):
        value["index"] = index
    dump = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
    return [dump(value).encode() for value in values]


def forged(files, lines):
    """The checkpoint as someone without the key makes it fit: with the old signatures, and with a
    signature of a key of their own."""
    stack = []
    for size, line in enumerate(lines):
        push(stack, size, sha256(b"\0", json.loads(line)["leaf"].encode()))
    origin, _, _, _, *signatures = files["checkpoint"].decode().split("\n")
    text = f"{origin}\n{len(lines)}\n{base64.b64encode(root_of(stack)).decode()}\n"
    private = Ed25519PrivateKey.generate()
    public = b"\1" + private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    key_id = sha256(origin.encode(), b"\n", public)[:4]
    own = base64.b64encode(key_id + private.sign(text.encode())).decode()
    return [f"{text}\n" + "\n".join(signatures), f"{text}\n\u2014 {origin} {own}\n"]


def changed_entries(files, step):
    lines = files["entries.ndjson"].split(b"\n")[:-1]
    for at in range(0, len(lines), step):
        swapped = list(lines)
        other = (at + 1) % len(lines)
        swapped[at], swapped[other] = swapped[other], swapped[at]
        yield f"swap {at}", swapped
        yield f"delete {at}", lines[:at] + lines[at + 1 :]
        yield f"repeat {at}", lines[: at + 1] + lines[at:]
        yield f"end before {at}", lines[:at]
        yield f"cut {at}", lines[:at] + [lines[at][: len(lines[at]) // 2]] + lines[at + 1 :]
        leaf = json.loads(lines[at])
        leaf["leaf"] = leaf["leaf"][:-1]
        short = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode(leaf)
        yield f"cut the leaf of {at}", lines[:at] + [short.encode()] + lines[at + 1 :]


def changes(options):
    files, key = read(options.folder), options.key
    if refused(files, [key]) or refused(files, None):
        sys.exit("the log itself is refused")
    missed = flips(options.folder, key, options.flips)
    count, step = 0, 1 if options.flips == "all" else 20
    for what, lines in changed_entries(files, step):
        variants = [lines]
        if not what.startswith("cut"):
            variants.append(numbered(lines))
        for variant in variants:
            data = b"".join(line + b"\n" for line in variant)
            notes = [files["checkpoint"]]
            if not what.startswith("cut"):
                notes += [note.encode() for note in forged(files, variant)]
            for note in notes:
                count += 1
                if not refused({**files, "entries.ndjson": data, "checkpoint": note}, [key]):
                    missed.append(what)
    print(f"{count} changes of entries")
    if missed:
        sys.exit(f"unnoticed: {missed[:20]}")


def clean(options):
    entries, folders = 0, sorted(options.folder.iterdir())
    for folder in folders:
        trusted = (folder / "trusted").read_text().splitlines()
        files = read(folder)
        for keys in (None, trusted):
            try:
                head = verify_bytes(*(files[name] for name in FILES), keys, (folder / "older").read_bytes())
            except Refused as error:
                sys.exit(f"{folder}: {error}")
        entries += head.size
    print(f"{len(folders)} logs of {entries} entries, none refused")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    for name, run in (("changes", changes), ("clean", clean)):
        command = commands.add_parser(name)
        command.add_argument("folder", type=pathlib.Path)
        command.set_defaults(run=run)
        if name == "changes":
            command.add_argument("--key", required=True)
            command.add_argument("--flips", required=True)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()

"""Tests of verify_log.py: logs, proofs and keys made here from docs/audit.md, by the recursive
definitions of RFC 6962 and a JSON writer of its own, so that no mistake is shared.

    python3 test_verify_log.py            # all; the bit flips take about a minute
"""
import base64
import datetime
import functools
import hashlib
import os
import random
import subprocess
import sys
import tempfile
import unittest

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import verify_log
from verify_log import Refused, verify_bytes, verify_consistency, verify_inclusion

ORIGIN = "concord/8f14e45fceea167a"
SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "verify_log.py")


# --- a writer -----------------------------------------------------------------------------------

def write_string(text):
    out = ['"']
    for c in text:
        if c in '"\\':
            out.append("\\" + c)
        elif c in "\b\f\n\r\t":
            out.append("\\" + "bfnrt"["\b\f\n\r\t".index(c)])
        elif ord(c) < 0x20:
            out.append("\\u%04x" % ord(c))
        else:
            out.append(c)
    return "".join(out) + '"'


def write(value):
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return write_string(value)
    if isinstance(value, list):
        return "[" + ",".join(map(write, value)) + "]"
    return "{" + ",".join(write_string(k) + ":" + write(value[k]) for k in sorted(value)) + "}"


def h(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def largest(n):
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(leaves):
    """MTH of RFC 6962, 2.1, over hashes of leaves."""
    if not leaves:
        return h()
    if len(leaves) == 1:
        return leaves[0]
    k = largest(len(leaves))
    return h(b"\x01", mth(leaves[:k]), mth(leaves[k:]))


def path(m, leaves):
    if len(leaves) == 1:
        return []
    k = largest(len(leaves))
    if m < k:
        return path(m, leaves[:k]) + [mth(leaves[k:])]
    return path(m - k, leaves[k:]) + [mth(leaves[:k])]


def subproof(m, leaves, whole=True):
    n = len(leaves)
    if m == n:
        return [] if whole else [mth(leaves)]
    k = largest(n)
    if m <= k:
        return subproof(m, leaves[:k], whole) + [mth(leaves[k:])]
    return subproof(m - k, leaves[k:], False) + [mth(leaves[:k])]


class Signer:
    def __init__(self, seed, name=ORIGIN):
        self.name = name
        self.private = Ed25519PrivateKey.from_private_bytes(h(seed.encode()))
        self.public = self.private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.id = h(name.encode(), b"\n\x01", self.public)[:4]
        self.text = f"{name}+{self.id.hex()}+{b64(bytes([1]) + self.public)}"

    def line(self, text):
        return f"— {self.name} {b64(self.id + self.private.sign(text))}\n".encode()


def b64(data):
    return base64.b64encode(data).decode()


def note(origin, size, root, *signers):
    text = f"{origin}\n{size}\n{b64(root)}\n".encode()
    return text + b"\n" + b"".join(signer.line(text) for signer in signers)


A, B, STRANGER = Signer("first"), Signer("second"), Signer("stranger")


def uuid(i):
    s = h(b"id", str(i).encode()).hex()
    return f"{s[:8]}-{s[8:12]}-7{s[13:16]}-{'89ab'[int(s[16], 16) % 4]}{s[17:20]}-{s[20:32]}"


def leaf(i, kind="decision", **more):
    at = datetime.datetime(2026, 11, 23, 6, 50, 12, 123456) + datetime.timedelta(seconds=i)
    value = {"v": 1, "kind": kind, "id": uuid(i), "at": at.isoformat() + "Z", "build": "0.1.0"}
    value.update(more)
    return value


class Log:
    """A log in memory, of which everything may be bent before it is written."""

    def __init__(self, size, rotate_at=None, seed=0):
        rnd = random.Random(seed)
        self.entries, self.keys, self.signers = [], [], [A]
        self.origin = ORIGIN
        for i in range(size):
            if i == 0:
                self.add(leaf(i, "key", event="created", key=A.text))
                self.keys.append(A.text)
            elif i == rotate_at:
                self.add(leaf(i, "key", event="created", key=B.text))
                self.keys.append(B.text)
                self.signers = [A, B]
            elif i == 1:
                self.add(leaf(i, "log", event="created"))
            elif i % 3 == 0:
                self.add(leaf(i, "refusal", status="INVALID_ARGUMENT", reason="INVALID_FIELDS",
                              caller='Ä "quoted" \\ \u0001\t\u007f\u2028 😀',
                              fields=["patient.diagnoses[1].onset IMPOSSIBLE_DATE"]))
            else:
                self.add(leaf(i, rnd.choice(["decision", "feedback", "read"]),
                              unknown={"a": [1, [True, {"z": 2**53 - 1}]]}),
                         body=rnd.randbytes(rnd.randrange(17, 80)))

    def add(self, value, body=None):
        if body is not None:
            value["body"] = {"commitment": h(b"c", body).hex(), "sha256": h(body).hex()}
        self.entries.append([write(value), body, None])

    def prune(self, first):
        """What the retention leaves: the hash of the leaf, in the third place."""
        for entry in self.entries[:first]:
            entry[2] = h(b"\x00", entry[0].encode())

    def hashes(self):
        return [h(b"\x00", text.encode()) if gone is None else gone
                for text, _, gone in self.entries]

    def lines(self):
        out = []
        for i, (text, body, gone) in enumerate(self.entries):
            line = {"index": i}
            if gone is not None:
                line["hash"] = gone.hex()
            else:
                line["leaf"] = text
                if body is not None:
                    line["body"] = body.hex()
            out.append(write(line).encode() + b"\n")
        return out

    def note(self, size=None, *signers):
        size = len(self.entries) if size is None else size
        return note(self.origin, size, mth(self.hashes()[:size]), *(signers or self.signers))

    def files(self):
        return [b"".join(self.lines()), self.note(),
                "".join(text + "\n" for text in self.keys).encode()]


def inclusion(log, index, size=None):
    size = len(log.entries) if size is None else size
    hashes = path(index, log.hashes()[:size])
    top = f"c2sp.org/tlog-proof@v1\nindex {index}\n" + "".join(b64(x) + "\n" for x in hashes)
    return top.encode() + b"\n" + log.note(size)


def consistency(log, old, size):
    hashes = subproof(old, log.hashes()[:size]) if old else []
    top = f"old {old}\n" + "".join(b64(x) + "\n" for x in hashes)
    return top.encode() + b"\n" + log.note(size)


@functools.lru_cache(None)
def shared(size):
    return Log(size)


class Case(unittest.TestCase):
    def refused(self, *arguments, says=None, call=verify_bytes, **more):
        with self.assertRaises(Refused) as caught:
            call(*arguments, **more)
        message = str(caught.exception)
        self.assertTrue(message.isascii() and "\n" not in message, message)
        if says is not None:
            self.assertIn(says, message)
        return message


# --- vectors --------------------------------------------------------------------------------------

class Vectors(Case):
    LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657",
              "606162636465666768696a6b6c6d6e6f"]
    ROOTS = ["e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
             "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
             "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
             "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
             "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
             "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
             "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
             "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
             "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"]

    def test_roots_of_certificate_transparency(self):
        stack = []
        for size, root in enumerate(self.ROOTS):
            self.assertEqual(verify_log.root_of(stack).hex(), root)
            if size < 8:
                verify_log.push(stack, size, h(b"\x00", bytes.fromhex(self.LEAVES[size])))

    def test_roots_of_many_sizes(self):
        leaves, stack = [h(str(i).encode()) for i in range(300)], []
        for size in range(300):
            self.assertEqual(verify_log.root_of(stack), mth(leaves[:size]))
            verify_log.push(stack, size, leaves[size])

    def test_examples_of_rfc_6962_2_1_3(self):
        """The tree of seven: PATH(0) = [b h l], PATH(3) = [c g l], PATH(4) = [f j k],
        PATH(6) = [i k]; PROOF(3) = [c d g l], PROOF(4) = [l], PROOF(6) = [i j k]."""
        d = [h(b"\x00", bytes([i])) for i in range(7)]
        a, b, c, dd, e, f, j = d
        g_, h_, i_ = h(b"\x01", a, b), h(b"\x01", c, dd), h(b"\x01", e, f)
        k_, l_ = h(b"\x01", g_, h_), h(b"\x01", i_, j)
        root = h(b"\x01", k_, l_)
        for index, proof in ((0, [b, h_, l_]), (3, [c, g_, l_]), (4, [f, j, k_]), (6, [i_, k_])):
            self.assertEqual(verify_log.root_by_inclusion(d[index], index, 7, list(proof)), root)
        old = {3: mth(d[:3]), 4: mth(d[:4]), 6: mth(d[:6])}
        for size, proof in ((3, [c, dd, g_, l_]), (4, [l_]), (6, [i_, j, k_])):
            self.assertEqual(verify_log.roots_by_consistency(size, 7, list(proof), old[size]),
                             (old[size], root))

    def test_known_keys_of_signed_notes(self):
        for text in ("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
                     "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"):
            name, key_id, _ = text.split("+", 2)
            self.assertEqual(list(verify_log.known_keys([text])), [(name, bytes.fromhex(key_id))])


# --- logs that are right --------------------------------------------------------------------------

class Right(Case):
    def test_sizes(self):
        for size in list(range(71)) + [1000]:
            log = shared(size)
            files = log.files()
            head = verify_bytes(*files, trusted=[A.text])
            self.assertEqual(tuple(head), (ORIGIN, size, mth(log.hashes())))
            if size:  # without an entry there is no key that `keys` could have
                self.assertEqual(verify_bytes(*files), head)

    def test_older_checkpoints(self):
        log = shared(70)
        for size in range(71):
            verify_bytes(*log.files(), older=log.note(size))
        self.refused(*shared(69).files(), older=log.note(70), says="more entries")

    def test_pruned(self):
        for first in range(0, 20):
            log = Log(20)
            older = log.note(7)
            log.add(leaf(20, "retention", first=max(0, first - 3)))
            log.add(leaf(21, "retention", first=first))
            log.add(leaf(22))
            root = mth(log.hashes())
            log.prune(first)
            self.assertEqual(mth(log.hashes()), root)
            verify_bytes(*log.files(), older=older)
            verify_bytes(*log.files(), trusted=[A.text], older=older)
            if first:
                log.keys = []  # the other reading: a key without its entry has no line
                verify_bytes(*log.files(), trusted=[A.text])
                log.keys = [A.text]
                log.prune(first + 1)
                self.refused(*log.files(), says="pruned")
                log.entries[0][2] = None
                self.refused(*log.files(), says="line 2: a pruned entry after one that is not")

    def test_pruned_without_retention(self):
        log = Log(5)
        log.prune(2)
        self.refused(*log.files(), says="2 entries pruned, but 0")
        log = Log(5)
        log.add(leaf(5, "retention", first=2))
        self.refused(*log.files(), says="0 entries pruned, but 2")
        for first in ("2", True, [], None):
            log = Log(5)
            value = leaf(5, "retention")
            if first is not None:
                value["first"] = first
            log.add(value)
            self.refused(*log.files(), says="`first`")

    def test_rotation(self):
        log = Log(30, rotate_at=10)
        for signers in ([A], [B], [A, B], [B, A], [STRANGER, B], [A, STRANGER]):
            for trusted in (None, [A.text], [B.text], [A.text, B.text]):
                log.signers = signers
                good = trusted is None or any(s.text in trusted for s in signers)
                if good:
                    verify_bytes(*log.files(), trusted=trusted, older=log.note(9, *signers))
                else:
                    self.refused(*log.files(), trusted=trusted, says="not signed by a known key")
        log.signers = [B]
        log.keys.reverse()
        self.refused(*log.files(), says="keys line 1: not the key of entries.ndjson line 1")
        for keys in ([A.text], [A.text, B.text, B.text], [A.text] * 2,
                     [A.text, STRANGER.text], [STRANGER.text, A.text, B.text]):
            log.keys = keys
            self.refused(*log.files(), trusted=[B.text], says="keys")

    def test_signatures_of_others(self):
        log = Log(5)
        text = log.note().split(b"\n\n")[0] + b"\n"
        good = A.line(text)
        files = log.files()
        for more in (f"— witness.example {b64(bytes(76))}\n", f"— {ORIGIN} {b64(bytes(5))}\n",
                     f"— {ORIGIN} {b64(bytes(5000))}\n"):
            files[1] = text + b"\n" + more.encode() + good
            verify_bytes(*files)
            files[1] = text + b"\n" + more.encode()
            self.refused(*files, says="not signed by a known key")
        wrong = f"— {ORIGIN} {b64(A.id + bytes(64))}\n".encode()
        files[1] = text + b"\n" + good + wrong
        self.refused(*files, says="checkpoint line 6: the signature of a known key is wrong")
        elsewhere = Signer("first", "elsewhere")  # a known key, but of another log
        files[1] = text + b"\n" + elsewhere.line(text)
        self.refused(*files, trusted=[elsewhere.text], says="not signed by a known key")
        files[1] = text + b"\n" + elsewhere.line(text) + good
        verify_bytes(*files, trusted=[elsewhere.text, A.text])


# --- logs that are not ----------------------------------------------------------------------------

class Wrong(Case):
    def flips(self, log, **more):
        files, count = log.files(), 0
        verify_bytes(*files, **more)
        for number, data in enumerate(files):
            for position in range(len(data)):
                for bit in range(8):
                    bent = list(files)
                    bent[number] = (data[:position] + bytes([data[position] ^ 1 << bit])
                                    + data[position + 1:])
                    self.refused(*bent, **more)
                    count += 1
        return count

    def test_every_bit(self):
        print(f"\n{self.flips(Log(20))} bits flipped, keys of the export", flush=True)

    def test_every_bit_with_a_kept_key(self):
        count = self.flips(Log(20), trusted=[A.text])
        print(f"\n{count} bits flipped, a kept key", flush=True)

    def test_every_bit_of_a_pruned_log(self):
        log = Log(12)
        log.add(leaf(12, "retention", first=8))
        log.prune(8)
        print(f"\n{self.flips(log, trusted=[A.text])} bits flipped, pruned", flush=True)

    def test_every_bit_of_older_checkpoint(self):
        files, older = Log(20).files(), Log(20).note(13)
        for position in range(len(older)):
            for bit in range(8):
                bent = bytearray(older)
                bent[position] ^= 1 << bit
                self.refused(*files, older=bytes(bent))

    def test_every_bit_with_two_signatures(self):
        """A flip in the name or the id of one of two signatures makes it one of an unknown key,
        which a verifier ignores. All others are refused."""
        log = Log(12, rotate_at=5)
        files = log.files()
        accepted = 0
        for position in range(len(files[1])):
            for bit in range(8):
                bent = bytearray(files[1])
                bent[position] ^= 1 << bit
                try:
                    verify_bytes(files[0], bytes(bent), files[2])
                    accepted += 1
                    line = files[1][:position].split(b"\n")[-1]
                    self.assertTrue(line.startswith("— ".encode()))
                    self.assertLess(len(line), len("— ".encode()) + len(ORIGIN) + 1 + 6)
                except Refused:
                    pass
        print(f"\n{accepted} of {8 * len(files[1])} flips of a checkpoint with two signatures "
              "hit the name or id of one and were ignored", flush=True)

    def test_lines(self):
        log = Log(12)
        entries, head, keys = log.files()
        lines = log.lines()
        self.assertEqual(b"".join(lines), entries)
        for i in range(12):
            self.refused(b"".join(lines[:i] + lines[i + 1:]), head, keys)
            self.refused(b"".join(lines[:i + 1] + lines[i:]), head, keys)
            for j in range(i + 1, 12):
                swapped = list(lines)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                self.refused(b"".join(swapped), head, keys)
        for cut in range(len(entries)):
            self.refused(entries[:cut], head, keys)
        for cut in range(len(head)):
            self.refused(entries, head[:cut], keys)
        for cut in range(len(keys)):
            self.refused(entries, head, keys[:cut])
            self.refused(entries, head, keys[:cut], trusted=[A.text])
        for more in (b"\n", b" ", b"\0", lines[0], lines[-1], b"\r\n"):
            self.refused(entries + more, head, keys)
            self.refused(more + entries, head, keys)
            self.refused(entries, head + more, keys)
            self.refused(entries, more + head, keys)
            self.refused(entries, head, keys + more)
        for i, data in enumerate(log.files()):
            bent = log.files()
            bent[i] = data.replace(b"\n", b"\r\n")
            self.refused(*bent)

    def test_leaves_renumbered(self):
        """Lines exchanged with their indices set right: only the root can tell."""
        for i in range(2, 12):
            for j in range(i + 1, 12):
                log = Log(12)
                head = log.note()
                log.entries[i], log.entries[j] = log.entries[j], log.entries[i]
                self.refused(log.files()[0], head, log.files()[2], says="root")

    def test_fork(self):
        for fork in range(1, 20):
            kept = Log(20)
            other = Log(20)
            value = leaf(fork, "log", event="created")
            if fork == 1:
                value["build"] = "0.1.1"
            other.entries[fork] = [write(value), None, None]
            verify_bytes(*other.files())
            for size in range(21):
                if size <= fork:
                    verify_bytes(*other.files(), older=kept.note(size))
                else:
                    self.refused(*other.files(), older=kept.note(size), says="older checkpoint")
        log = Log(20)
        self.refused(*log.files(), older=note(ORIGIN, 9, mth(log.hashes()[:9]), STRANGER),
                     says="not signed")
        elsewhere = Signer("x", "elsewhere")
        self.refused(*log.files(), trusted=[A.text, elsewhere.text], says="another log",
                     older=note("elsewhere", 9, mth(log.hashes()[:9]), elsewhere))

    def resigned(self, text, body=None, line=None):
        """A log of which the third leaf is this text, and everything is signed accordingly."""
        log = Log(4)
        log.entries[2] = [text, body, None]
        files = log.files()
        if line is not None:
            lines = log.lines()
            lines[2] = line
            files[0] = b"".join(lines)
        return files

    def test_leaf(self):
        good = leaf(2)
        verify_bytes(*self.resigned(write(good)))
        verify_bytes(*self.resigned(write(dict(good, count=2**53 - 1, x=[True, False, "", {}]))))
        size = 65535 - len(write(dict(good, x="")))
        verify_bytes(*self.resigned(write(dict(good, x="a" * size))))
        self.refused(*self.resigned(write(dict(good, x="a" * (size + 1)))), says="65535")
        verify_bytes(*self.resigned(write(dict(good, at="2028-02-29T23:59:59.000000Z"))))
        digest = "0" * 64
        bad = {
            "v": [0, 2, True, "1", [1]],
            "kind": ["", "Decision", "decision\n", "other", 1, [], {}],
            "id": [good["id"].upper(), good["id"] + "\n", good["id"].replace("-", ""), "", 7,
                   good["id"][:14] + "4" + good["id"][15:], good["id"][:19] + "7" + good["id"][20:],
                   "٠" + good["id"][1:], uuid(1)],
            "at": ["2026-11-23T06:50:12Z", "2026-11-23T06:50:12.123Z", "2026-13-23T06:50:12.123456Z",
                   "2026-02-29T06:50:12.123456Z", "2026-11-23T24:00:00.000000Z", 1,
                   "2026-11-23T06:50:60.123456Z", "2026-11-23T06:60:12.123456Z",
                   "2026-11-23T06:50:12.123456z", "2026-11-23T06:50:12.123456+00:00",
                   "2026-11-23 06:50:12.123456Z", "2026-11-23T06:50:12.123456Z\n",
                   "٢026-11-23T06:50:12.123456Z", "0000-01-01T00:00:00.000000Z"],
            "build": [1, [], {}, True],
            "body": ["", [], {}, {"sha256": digest}, {"commitment": digest, "sha256": "0" * 63},
                     {"commitment": digest, "sha256": digest, "x": 1}, 1,
                     {"commitment": "A" * 64, "sha256": digest},
                     {"commitment": digest, "sha256": digest + "\n"},
                     {"commitment": digest, "sha256": 5}],
        }
        for name, values in bad.items():
            for value in values:
                self.refused(*self.resigned(write(dict(good, **{name: value}))), says="line 3")
        for name in ("v", "kind", "id", "at", "build"):
            value = dict(good)
            del value[name]
            self.refused(*self.resigned(write(value)), says="line 3")

    def test_leaf_not_canonical(self):
        text = write(leaf(2))
        for bad in (text.replace(",", ", ", 1), text + " ", " " + text, "\ufeff" + text, "", "1",
                    "[]", "null", '"x"', text[:-1], text.replace('"v":1', '"v":1.0'),
                    text.replace('"v":1', '"v":1,"v":1'), text.replace('"v":1', '"v":01'),
                    text.replace('"v":1', '"v":1e0'), text.replace('"v":1', '"v":+1'),
                    text.replace("decision", "\\u0064ecision"), text.replace("{", '{"A":null,', 1),
                    text.replace("{", '{"A":[null],', 1), text.replace("{", '{"A":[[{"b":null}]],', 1)):
            self.refused(*self.resigned(bad), says="canonical JSON")
        for value in ("-0", "-1", "1.5", "0.0", "1e5", "NaN", "Infinity", "-Infinity", "1_0", "٣",
                      str(2**53), "9" * 17, "9" * 60000, "1" + "0" * 5000, "00", "0x1", "tru",
                      '"\\ud800"', '"\\ud83d\\ude00"', '"\\/"', '"\\u000A"', '"\\u001F"',
                      '"\\u007f"', '"\t"', "'a'", '{"b":1,"a":1}', '{"a":1,"a":1}', '{"é":1}',
                      '[1, 2]', "[1,]", "[" * 30000, "[" * 30000 + "]" * 30000, '{"a":' * 12000,
                      '{"a":' * 10000 + "1" + "}" * 10000, '[{"a":' * 6000, '"\\u000b"\n'):
            self.refused(*self.resigned(text.replace("{", '{"A":' + value + ",", 1)),
                         says="canonical JSON")
        for value in ('"\\u001f\\u000b\\b\\f\\n\\r\\t\\"\\\\/\x7f\u2028é😀"', "[[],{}]",
                      "9007199254740991", "0", '{"":1,"A":2,"_":3,"a":4}'):
            verify_bytes(*self.resigned(text.replace("{", '{"A":' + value + ",", 1)))

    def test_line(self):
        text = write(leaf(2))
        body = b"sealed" * 4
        value = dict(leaf(2), body={"commitment": "0" * 64, "sha256": h(body).hex()})
        bound = write(value)
        verify_bytes(*self.resigned(bound, body))
        self.refused(*self.resigned(bound), says="one side only")
        self.refused(*self.resigned(text, body), says="one side only")
        self.refused(*self.resigned(bound, body + b"!"), says="altered")
        leaf_hash = h(b"\x00", text.encode()).hex()
        for line in ({"index": 2}, {"leaf": text}, {"index": 2, "leaf": text, "x": 1},
                     {"index": 2, "leaf": text, "hash": leaf_hash}, {"index": "2", "leaf": text},
                     {"index": 2, "leaf": leaf(2)}, {"index": 3, "leaf": text}, [],
                     {"index": 2, "leaf": 1}, {"index": 2, "leaf": [text]}, {"leaf": text, "index": True},
                     {"index": 2, "hash": leaf_hash.upper()}, {"index": 2, "hash": leaf_hash[:-1]},
                     {"index": 2, "hash": 7}, {"index": 2, "hash": leaf_hash}):
            self.refused(*self.resigned(text, line=write(line).encode() + b"\n"), says="line 3")
        for data in (body.hex().upper(), " " + body.hex(), body.hex() + "0", "", 1, [], True,
                     body.hex()[:-1] + "g", body.hex() + "\n", "٠" * 48):
            line = write({"index": 2, "leaf": bound, "body": data}).encode() + b"\n"
            self.refused(*self.resigned(bound, body, line), says="line 3")
        for line in (b"\n", b"\xff\n", b"[" * 100000 + b"\n", b'{"a":' * 100000 + b"\n",
                     b"\xed\xa0\x80\n", b"9" * 100000 + b"\n", b"\0\n", b"\xef\xbb\xbf{}\n"):
            self.refused(*self.resigned(text, line=line), says="line 3")

    def test_index_zero_is_not_false(self):
        entries, head, keys = Log(3).files()
        self.refused(entries.replace(b'"index":0', b'"index":false'), head, keys, says="`index`")
        self.refused(entries.replace(b'"index":1', b'"index":true'), head, keys, says="`index`")

    def test_keys(self):
        entries, head, keys = Log(3).files()
        name, key_id, encoded = A.text.split("+", 2)
        other = Signer("x", "elsewhere").text
        for bad in ("", name, f"{name}+{key_id}", f"{name}+{key_id.upper()}x+{encoded}",
                    f"{name}+00000000+{encoded}", f"+{key_id}+{encoded}", A.text + " ",
                    f"{name}+{key_id}+{encoded[:-1]}", f"{name}+{key_id}+{b64(b'1' * 32)}", other,
                    f"{name}+{key_id}+{b64(bytes([2]) + A.public)}", "\u00a0" + A.text,
                    f"{name}+{key_id}+{encoded[:-2]}é=", A.text + "\n"):
            self.refused(entries, head, bad.encode() + b"\n", trusted=[A.text], says="keys")
            if bad != other:
                self.refused(entries, head, keys, trusted=[bad], says="trusted key 1")
        self.refused(entries, head, keys, trusted=["\udcff" + A.text], says="id of the key")
        self.refused(entries, head, keys, trusted=[], says="not signed")
        log = Log(3)
        log.entries[0][0] = write(leaf(0, "key", event="created"))
        self.refused(*log.files(), says="not the key")
        log.entries[0][0] = write(leaf(0, "key", event="retired", key=A.text))
        self.refused(*log.files(), says="keys")

    def test_base64_has_one_form(self):
        log = Log(3)
        root = mth(log.hashes())
        text = b64(root)
        alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        last = alphabet[alphabet.index(text[-2]) + 1]  # the two bits after the last byte
        self.assertEqual(base64.b64decode(text[:-2] + last + "="), root)
        entries, _, keys = log.files()
        for bad in (text[:-2] + last + "=", text[:-1], text + "=", text[:10] + "\t" + text[10:],
                    text[:-1] + "\u00e9", b64(root + b"1"), b64(root[1:]), ""):
            signed = f"{ORIGIN}\n3\n{bad}\n".encode()
            self.refused(entries, signed + b"\n" + A.line(signed), keys, says="checkpoint line 3")
        for bad in ("03", "+3", "-3", " 3", "3 ", "3_0", "٣", "3.0", "", "0x3", "9" * 5000, "³"):
            signed = f"{ORIGIN}\n{bad}\n{text}\n".encode()
            self.refused(entries, signed + b"\n" + A.line(signed), keys, says="checkpoint line 2")
        for signed in (f"{ORIGIN}\n3\n{text}\nextension\n", f"\n{ORIGIN}\n3\n{text}\n",
                       f"{ORIGIN}\n3\n", f"{ORIGIN}\n3\n{text}\n\n"):
            signed = signed.encode()
            self.refused(entries, signed + b"\n" + A.line(signed), keys, says="checkpoint")
        for size in (2, 4, 2**53 - 1):
            self.refused(entries, note(ORIGIN, size, root, A), keys, says="by the checkpoint")

    def test_garbage(self):
        """No other exception than Refused, whatever comes."""
        rnd = random.Random(1)
        log = Log(6)
        good, count = log.files(), 0
        proof, other, kept = inclusion(log, 3), consistency(log, 3, 6), log.note(3)
        pieces = [b"\n", b"\n\n", b'"', b"{", b"[", b"}", b"null", b"1e999", b"\xff", b"\\ud800",
                  b"\xe2\x80\x94 ", b"+", b"=", b" ", b"\0", b"9" * 40, b'"leaf"', b'"hash"', b",",
                  b"old 3", b"index ", bytes(32), b"NaN", b"true", b"\xc2\xa0", b":", b"-"]

        def bend(data):
            data = bytearray(data)
            for _ in range(rnd.randrange(1, 4)):
                at = rnd.randrange(len(data) + 1)
                to = min(len(data), at + rnd.choice([0, 0, 1, 2, 5, 50]))
                data[at:to] = rnd.choice(pieces) if rnd.random() < .7 else data[to:to + 20]
            return bytes(data)

        for _ in range(20000):
            files = list(good)
            i = rnd.randrange(3)
            files[i] = bend(files[i])
            unbent = [(*good, None, kept), (*good, [A.text], kept),
                      (proof, log.entries[3][0].encode(), [A.text]), (other, kept, [A.text])]
            for n, (call, arguments) in enumerate(((verify_bytes, (*files, None, kept)),
                                    (verify_bytes, (*good, [A.text], bend(kept))),
                    (verify_inclusion, (bend(proof), log.entries[3][0].encode(), [A.text])),
                    (verify_consistency, (bend(other), kept, [A.text])))):
                try:
                    call(*arguments)
                    self.assertEqual(arguments, unbent[n])
                except Refused:
                    count += 1
        for size in (0, 1, 10, 1000):
            for _ in range(50):
                data = [rnd.randbytes(size) for _ in range(4)]
                self.refused(*data[:3])
                self.refused(good[0], data[1], good[2]) if size else None
        print(f"\n{count} of 80000 bent files refused", flush=True)


# --- proofs ---

class Proofs(Case):
    def test_inclusion(self):
        log, count, bad = shared(41), 0, 0
        for size in range(1, 41):
            for index in range(size):
                data, proof = log.entries[index][0].encode(), inclusion(log, index, size)
                self.assertEqual(verify_inclusion(proof, data, [A.text]).size, size)
                count += 1
                for bent in self.bent(proof):
                    self.refused(bent, data, [A.text], call=verify_inclusion)
                    bad += 1
                self.refused(proof, log.entries[index + 1][0].encode(), [A.text],
                             call=verify_inclusion)
                self.refused(proof, data, [STRANGER.text], call=verify_inclusion)
                for other in set(range(size + 2)) - {index}:
                    moved = proof.replace(b"index %d\n" % index, b"index %d\n" % other)
                    self.refused(moved, data, [A.text], call=verify_inclusion)
                    bad += 1
        print(f"\n{count} inclusion proofs accepted, {bad} bent ones refused", flush=True)

    def test_consistency(self):
        log, count, bad = shared(41), 0, 0
        forked = Log(41, seed=1)
        for size in range(41):
            for old in range(size + 1):
                kept, proof = log.note(old), consistency(log, old, size)
                self.assertEqual(verify_consistency(proof, kept, [A.text]).size, size)
                count += 1
                for bent in self.bent(proof):
                    self.refused(bent, kept, [A.text], call=verify_consistency)
                    bad += 1
                self.refused(proof, log.note(old + 1), [A.text], call=verify_consistency)
                wrong = note(ORIGIN, old, h(b"?"), A)
                self.refused(proof, wrong, [A.text], call=verify_consistency)
                if old > 2:
                    self.refused(proof, forked.note(old), [A.text], call=verify_consistency)
                    mixed = proof.split(b"\n\n", 1)[0] + b"\n\n" + forked.note(size)
                    self.refused(mixed, kept, [A.text], call=verify_consistency)
                self.refused(proof, kept, [STRANGER.text], call=verify_consistency)
        self.refused(consistency(log, 5, 9).replace(b"old 5", b"old 10"), log.note(10), [A.text],
                     call=verify_consistency, says="more entries")
        elsewhere = Signer("x", "elsewhere")
        self.refused(consistency(log, 5, 9), note("elsewhere", 5, mth(log.hashes()[:5]), elsewhere),
                     [A.text, elsewhere.text], call=verify_consistency, says="another log")
        print(f"\n{count} consistency proofs accepted, {bad} bent ones refused", flush=True)

    def bent(self, proof):
        """Hashes dropped, doubled, exchanged, replaced, added; and the form broken."""
        top, checkpoint = proof.split(b"\n\n", 1)
        lines = top.split(b"\n")
        heads = 2 if lines[0].startswith(b"c2sp") else 1
        head, hashes = lines[:heads], lines[heads:]
        some = b64(h(b"some")).encode()
        out = [hashes + [some], [some] + hashes]
        for i in range(len(hashes)):
            out += [hashes[:i] + hashes[i + 1:], hashes[:i] + [hashes[i]] + hashes[i:],
                    hashes[:i] + [some] + hashes[i + 1:], hashes[:i] + [b""] + hashes[i + 1:],
                    hashes[:i] + [hashes[i] + b" "] + hashes[i + 1:]]
            if i and hashes[i] != hashes[i - 1]:
                out.append(hashes[:i - 1] + [hashes[i], hashes[i - 1]] + hashes[i + 1:])
        for bent in out:
            yield b"\n".join(head + bent) + b"\n\n" + checkpoint
        yield top + b"\n" + checkpoint
        yield top + b"\n\n\n" + checkpoint
        yield b"\n" + proof
        yield proof[:-1]
        yield proof + b"\n"
        yield proof.replace(b"\n", b"\r\n")
        yield b"extra AAAA\n" + proof
        yield top.replace(b" ", b" 0", 1) + b"\n\n" + checkpoint

    def test_every_bit(self):
        log = shared(20)
        data, count = log.entries[5][0].encode(), 0
        for proof, other, call in ((inclusion(log, 5), data, verify_inclusion),
                                   (consistency(log, 11, 20), log.note(11), verify_consistency)):
            call(proof, other, [A.text])
            for which in (0, 1):
                for position in range(len((proof, other)[which])):
                    for bit in range(8):
                        both = [bytearray(proof), bytearray(other)]
                        both[which][position] ^= 1 << bit
                        self.refused(*map(bytes, both), [A.text], call=call)
                        count += 1
        print(f"\n{count} bits of proofs, leaf and checkpoint flipped", flush=True)

    def test_extra_line_is_refused(self):
        proof = inclusion(shared(20), 5).replace(b"index", b"extra AAAA\nindex")
        self.refused(proof, shared(20).entries[5][0].encode(), [A.text], call=verify_inclusion)

    def test_huge_tree(self):
        """Numbers up to 2^53 - 1 don't make it recurse deep or run long."""
        for size in (2**53 - 1, 2**52, 2**52 + 1):
            head = note(ORIGIN, size, h(), A)
            for count in (0, 1, 60, 5000):
                hashes = (b64(h()) + "\n").encode() * count
                self.refused(b"c2sp.org/tlog-proof@v1\nindex 7\n" + hashes + b"\n" + head,
                             write(leaf(1)).encode(), [A.text], call=verify_inclusion)
                self.refused(b"old 77\n" + hashes + b"\n" + head, note(ORIGIN, 77, h(), A),
                             [A.text], call=verify_consistency)


# --- the command ---

class Command(Case):
    def run_it(self, status, *arguments):
        done = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stderr)
        self.assertNotIn("Traceback", done.stderr)
        if status == 1:
            self.assertEqual((done.stdout, done.stderr.count("\n")), ("", 1))
        if status == 0:
            self.assertEqual(done.stderr, "")
        return done.stdout + done.stderr

    def test_all(self):
        log = Log(20)
        with tempfile.TemporaryDirectory() as folder:
            def put(name, data):
                with open(os.path.join(folder, name), "wb") as file:
                    file.write(data)
                return os.path.join(folder, name)
            for name, data in zip(("entries.ndjson", "checkpoint", "keys"), log.files()):
                put(name, data)
            old, fork = put("old", log.note(11)), put("fork", note(ORIGIN, 11, h(), A))
            self.assertEqual(self.run_it(0, "log", folder),
                             f"ok: 20 entries, root {b64(mth(log.hashes()))}\n")
            self.run_it(0, "log", folder, "--key", A.text, "--key", STRANGER.text,
                        "--checkpoint", old)
            self.run_it(1, "log", folder, "--key", STRANGER.text)
            self.assertEqual(self.run_it(1, "log", folder, "--checkpoint", fork),
                             "older checkpoint: the log does not continue it\n")
            self.run_it(2, "log", folder, "--key", "nonsense")
            self.run_it(2, "log", folder, "--key", b"\xff" + A.text.encode())
            self.run_it(2, "log", folder, "--checkpoint", os.path.join(folder, "none"))
            self.run_it(2, "log", os.path.join(folder, "none"))
            self.run_it(2, "log")
            self.run_it(2)
            proof, one = put("p", inclusion(log, 5)), put("leaf", log.entries[5][0].encode())
            self.run_it(0, "inclusion", proof, "--leaf", one, "--key", A.text)
            self.run_it(1, "inclusion", proof, "--leaf", proof, "--key", A.text)
            self.run_it(2, "inclusion", proof, "--leaf", one)
            self.run_it(2, "inclusion", proof, "--leaf", folder, "--key", A.text)
            proof = put("c", consistency(log, 11, 20))
            self.run_it(0, "consistency", proof, "--old", old, "--key", A.text)
            self.run_it(1, "consistency", proof, "--old", fork, "--key", A.text)
            self.run_it(2, "consistency", proof, "--key", A.text)
            put("entries.ndjson", log.files()[0].replace(b'"index":7', b'"index":8'))
            self.assertIn("entries.ndjson line 8", self.run_it(1, "log", folder))
            os.remove(os.path.join(folder, "keys"))
            self.run_it(2, "log", folder)


if __name__ == "__main__":
    unittest.main()

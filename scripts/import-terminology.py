#!/usr/bin/env python3
"""Regenerate terminology/*.txt and rules/concepts/*.yaml from a directory of terminology data.

    python3 scripts/import-terminology.py DATA_DIRECTORY
    python3 scripts/import-terminology.py --renames

The output is sorted and depends on nothing but the data, concept_tables.py and concept_titles.py. A code that the tables do not know
stops the import. terminology/README.md says what the data is and where it comes from.
"""

import collections
import csv
import lzma
import pathlib
import re
import sys

sys.dont_write_bytecode = True

import concept_tables as tables  # noqa: E402
import concept_titles as titles  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parent.parent
WIDTH = 120
# The first line tells editors which schema completes and checks the file.
HEAD = [
    "# yaml-language-server: $schema=../schema.json",
    "# Written by scripts/import-terminology.py; change it there.",
]
# RxNorm dose forms for skin, eye and ear.
SURFACE = re.compile(r"\b(Topical|Ophthalmic|Otic|Shampoo|Medicated (?:Pad|Bar Soap|Liquid Soap|Patch))\b")


def rows(path):
    opened = lzma.open(path, "rt", encoding="utf-8") if path.suffix == ".xz" else path.open(encoding="utf-8")
    with opened as lines:
        next(lines)
        return [line.rstrip("\n").split("\t") for line in lines]


class Data:
    def __init__(self, directory):
        self.billable = {code: flag == "1" for code, flag, *_ in rows(directory / "icd10cm_codes.tsv.xz")}
        # A retired code that lives on as a header is a current code.
        self.retired = {code for code, *_ in rows(directory / "icd10cm_retired.tsv")} - set(self.billable)
        self.ingredients, self.kind, self.name = {}, {}, {}
        for file in ("rxnorm_to_ingredient.tsv.xz", "rxnorm_to_ingredient_a.tsv.xz"):
            for code, kind, ingredients, _, name in rows(directory / file):
                if ingredients:
                    self.ingredients[code] = ingredients.split(";")
                    self.kind[code], self.name[code] = kind, name
        for code, ingredients in tables.EXTRA_SALTS.items():
            self.ingredients.setdefault(code, ingredients)
            self.kind.setdefault(code, "PIN")
            self.name.setdefault(code, "")
        with (directory / "valuesets.csv").open(encoding="utf-8") as file:
            self.values = list(csv.DictReader(file))
        with (directory / "valuesets_products.csv").open(encoding="utf-8") as file:
            self.products = list(csv.DictReader(file))
        for row in self.values:
            if row["system"] == "RxNorm" and row["note"].startswith("TTY=IN") and row["code"] not in self.ingredients:
                self.ingredients[row["code"]] = [row["code"]]
                self.kind[row["code"]], self.name[row["code"]] = "IN", ""

    def under(self, entry):
        """The billable codes that an entry such as `F11.10` or `F11.12-` stands for."""
        stem = entry.removesuffix("-")
        if entry == stem:
            return {stem} if self.billable[stem] else set()
        return {code for code in self.icd_by_stem[stem[:3]] if code.startswith(stem) and self.billable[code]}

    @property
    def icd_by_stem(self):
        if not hasattr(self, "_stems"):
            self._stems = collections.defaultdict(list)
            for code in self.billable:
                self._stems[code[:3]].append(code)
        return self._stems


def rename(name):
    if name in tables.RENAMES:
        return tables.RENAMES[name]
    name = re.sub(r"^obs-uds-", "urine-", name)
    return re.sub(r"^(med|obs)-", "", name)


def title(name):
    if name in titles.TITLES:
        return titles.TITLES[name]
    if name.startswith("urine-"):
        return f"{name.removeprefix('urine-').replace('-', ' ')} in urine"
    words = [titles.ACRONYMS.get(word, word) for word in name.split("-")]
    text = " ".join(words)
    for ending in ("in remission", "mild", "moderate severe"):
        text = re.sub(rf"(?<!,) {ending}$", f", {ending}".replace("moderate severe", "moderate or severe"), text)
    return text


def concepts(data):
    """All concepts as {id: {kind, title, system: set of entries, ...}}."""
    found = {}

    def concept(name, kind, text=None):
        empty = {"kind": kind, "title": text or title(name)}
        entry = found.setdefault(name, collections.defaultdict(set, empty))
        if entry["kind"] != kind:
            sys.exit(f"{name} is both a {entry['kind']} and a {kind}")
        return entry

    for row in data.values:
        name, system, code = row["concept"], row["system"], row["code"]
        if name in tables.DROPPED:
            continue
        if system == "ICD-10-CM":
            below = "-" if row["includes_descendants"] == "true" else ""
            concept(rename(name), "diagnosis")["icd-10-cm"].add(code + below)
        elif system == "SNOMED CT":
            concept(rename(name), "diagnosis")["snomed-ct"].add(code)
        elif system == "LOINC":
            concept(rename(name), "observation")["loinc"].add(code)
        elif data.kind[code] == "IN":
            concept(rename(name), "medication")["ingredients"].add(code)
        else:
            # A salt or a combination is found by its ingredients, or else is listed as itself.
            parts = set(data.ingredients[code])
            ingredients = {r["code"] for r in data.values if r["concept"] == name and r["system"] == "RxNorm"}
            if not parts <= ingredients:
                concept(rename(name), "medication")["products"].add(code)
    add_medications(data, found, concept)
    add_diagnoses(data, found, concept)
    for code, (name, text) in tables.C_SSRS_ITEMS.items():
        concept(name, "observation", text)["loinc"].add(code)
    for name, text in tables.LOCAL.items():
        concept(name, "observation", text)["local"].add(name)
    for name, (unit, molar_mass, valence) in tables.UNITS.items():
        found[name] |= {"unit": unit, "molar_mass": molar_mass, "valence": valence}
    for name, (text, members) in tables.UNIONS.items():
        concept(name, found[members[0]]["kind"], text)["includes"] |= set(members)
    for name in tables.RELAPSING:
        found[name] |= {"relapsing": True, "remission": f"{name}-in-remission"}
    for name, remission in tables.REMISSION.items():
        found[name] |= {"remission": remission}
    for name in tables.ONE_DISORDER:
        found[name] |= {"one_disorder": True}
    for name, entry in found.items():
        if entry["kind"] == "observation":
            entry["source_attribute"] = tables.source_attribute(name)
    return found


def add_diagnoses(data, found, concept):
    # F11.91 is use, not a disorder, whatever its remission.
    found["opioid-use-disorder-in-remission"]["icd-10-cm"].remove("F11.91")
    found["opioid-use-unspecified"]["icd-10-cm"].add("F11.91")
    for name, (text, entries) in tables.EXTRA_DIAGNOSES.items():
        concept(name, "diagnosis", text)["icd-10-cm"] |= set(entries)
    for name, (origin, text) in tables.SEQUELAE.items():
        codes = {code for entry in found[origin]["icd-10-cm"] for code in data.under(entry)}
        concept(name, "diagnosis", text)["icd-10-cm"] |= {code for code in codes if len(code) == 8 and code[-1] == "S"}
    found["history-of-suicide-attempt-or-self-harm"]["includes"].add("suicide-attempt-sequela")
    for name in tables.NO_SEQUELA:
        found[name]["encounters_except"].add("S")
    for name, entries in tables.RETIRED.items():
        found[name]["icd-10-cm-retired"] |= set(entries)
    for name, parts in tables.PARTS.items():
        whole = found[name]
        for part in parts:
            inner = found[part]
            covered = {code for entry in whole["icd-10-cm"] for code in data.under(entry)}
            missing = {c for entry in inner["icd-10-cm"] for c in data.under(entry)} - covered | inner["snomed-ct"] - whole["snomed-ct"]
            if missing and name not in tables.WIDENED:
                sys.exit(f"{name} does not cover {part}: {sorted(missing)}")
            whole["icd-10-cm"] -= inner["icd-10-cm"]
            whole["snomed-ct"] -= inner["snomed-ct"]
            whole["includes"].add(part)


def add_medications(data, found, concept):
    for name, codes in tables.EXTRA_INGREDIENTS.items():
        found[name]["ingredients"] |= set(codes)
    # Concepts of a dose form are lists of products; every other concept finds its products by ingredient.
    with_ingredients = {row["concept"] for row in data.values if row["system"] == "RxNorm" and data.kind[row["code"]] == "IN"}
    for row in data.products:
        name = row["concept"]
        if name not in with_ingredients and name not in tables.DROPPED:
            concept(rename(name), "medication")["products"].add(row["code"])
    place_parts_of_products(data, found, "1819", ["buprenorphine-for-oud", "buprenorphine-for-pain",
                                                  "buprenorphine-veterinary", "buprenorphine-extended-release",
                                                  "buprenorphine-implant"])
    place_parts_of_products(data, found, "6813", ["methadone-oral", "methadone-injectable"])
    place_parts_of_products(data, found, "7243", ["naltrexone-extended-release", "naltrexone-oral"])
    for name, pair in (("buprenorphine-naloxone", {"1819", "7242"}), ("naltrexone-bupropion", {"7243", "42347"})):
        found[name]["products"] |= {code for code, parts in data.ingredients.items() if set(parts) == pair}
    # In an addiction record the bare ingredient is shorthand for treatment of the disorder.
    found["buprenorphine-for-oud"]["products"] |= {"1819"} | found["buprenorphine-naloxone"]["products"]
    rescue = found["naloxone-rescue"]
    rescue["products"].clear()
    rescue["ingredients"].add("7242")
    # Component rows of tablets and films (strengths in MG) are the naloxone of a combination.
    combined = {code for code, parts in data.ingredients.items()
                if parts == ["7242"] and data.kind[code] == "SCDC" and not data.name[code].endswith("/ML")}
    deterrent = {code for code, parts in data.ingredients.items() if parts == ["7243"] and data.kind[code] == "SCDC"
                 and not re.search(r" (8|50|380) MG$", data.name[code])}
    for name in ("naloxone", "naloxone-rescue", "opioid-antagonist"):
        found[name]["except"] |= combined | set(tables.TILIDINE_NALOXONE)
    for name in ("naltrexone", "opioid-antagonist"):
        found[name]["except"] |= deterrent
    found["opioid-full-agonist"]["products"] |= set(tables.TILIDINE_NALOXONE)
    other = concept("opioid-full-agonist-other-than-methadone", "medication", "full opioid agonist other than methadone")
    other["ingredients"] |= found["opioid-full-agonist"]["ingredients"] - {"6813"}
    other["products"] |= found["opioid-full-agonist"]["products"]
    found["opioid-full-agonist"]["includes"] |= {"methadone", "opioid-full-agonist-other-than-methadone"}
    found["opioid-full-agonist"]["ingredients"].clear()
    found["opioid-full-agonist"]["products"].clear()
    analgesic = concept("opioid-analgesic", "medication", "opioid for pain other than methadone")
    analgesic["includes"] |= {"opioid-full-agonist-other-than-methadone", "opioid-mixed-agonist-antagonist",
                              "buprenorphine-for-pain"}
    for name, ingredients in tables.WITHOUT.items():
        found[name]["without"] |= set(ingredients)
    surface = [code for code, text in data.name.items() if SURFACE.search(text)]
    for name in tables.SYSTEMIC:
        entry = found[name]
        entry["except"] |= {code for code in surface if entry["ingredients"] & set(data.ingredients[code])}
        entry["except"] -= entry["products"]


def place_parts_of_products(data, found, ingredient, names):
    """Give brand and component codes of one ingredient to the dose forms that hold every product bearing their name."""
    products = {code: data.name[code].lower() for name in names for code in found[name]["products"]}
    members = {name: set(found[name]["products"]) for name in names}
    for code, parts in data.ingredients.items():
        if ingredient not in parts or data.kind[code] not in ("BN", "SCDC", "SBDC"):
            continue
        label = re.sub(r" \[.*", "", data.name[code].lower())
        wanted = re.escape(f"[{label}]") if data.kind[code] == "BN" else rf"\b{re.escape(label)}(?![/\w])"
        bearing = {product for product, text in products.items() if re.search(wanted, text)}
        for name in names:
            if bearing and bearing <= members[name]:
                found[name]["products"].add(code)


def check(data, found):
    """Stop on any code that the shipped tables, or the system's check digit, would refuse."""
    faults = []
    for name, concept in found.items():
        for entry in concept["icd-10-cm"]:
            code = entry.removesuffix("-")
            if code not in data.billable or data.billable[code] == (code != entry):
                faults.append(f"{name}: {entry} is not in the table, or its dash is wrong")
        for entry in concept["icd-10-cm-retired"]:
            if entry.removesuffix("-") not in data.retired:
                faults.append(f"{name}: {entry} is not retired")
        faults += [f"{name}: bad SNOMED CT identifier {code}" for code in concept["snomed-ct"] if not verhoeff(code)]
        faults += [f"{name}: bad LOINC code {code}" for code in concept["loinc"] if not luhn(code)]
        for code in concept["ingredients"] | concept["products"] | concept["except"] | concept["without"]:
            if code not in data.ingredients:
                faults.append(f"{name}: unknown RxNorm code {code}")
        if both := concept["products"] & concept["except"]:
            faults.append(f"{name}: both listed and excepted: {sorted(both)}")
        for other in concept["includes"] | ({concept["remission"]} if concept["remission"] else set()):
            if other not in found or found[other]["kind"] != concept["kind"]:
                faults.append(f"{name}: no {concept['kind']} concept {other}")
        if not any(concept[key] for key in (*FLOW, "ingredients", "products")):
            faults.append(f"{name}: empty")
    if faults:
        sys.exit("\n".join(faults))


def luhn(code):
    if not re.fullmatch(r"\d{1,7}-\d", code):
        return False
    digits = [int(digit) for digit in code[:-2]][::-1]
    total = sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits))
    return (total + int(code[-1])) % 10 == 0


def verhoeff(code):
    if not re.fullmatch(r"[1-9]\d{5,17}", code):
        return False
    step = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for place, digit in enumerate(map(int, reversed(code))):
        for _ in range(place % 8):
            digit = step[digit]
        # The dihedral group of order 10: reflections are 5 to 9.
        check = ((check + digit) % 5 + (5 if digit >= 5 else 0) if check < 5
                 else (check - digit) % 5 + (0 if digit >= 5 else 5))
    return check == 0


FLOW = ("icd-10-cm", "icd-10-cm-retired", "encounters_except", "snomed-ct", "loinc", "local", "includes")


def flow(indent, key, values):
    """`key: [a, b, ...]` wrapped at WIDTH."""
    quoted = [f"'{value}'" if value.isdigit() else value for value in values]
    one = f"{indent}{key}: [{', '.join(quoted)}]"
    if len(one) <= WIDTH:
        return [one]
    lines, line = [f"{indent}{key}: ["], f"{indent}  "
    for word in quoted:
        if len(line) + len(word) + 1 > WIDTH:
            lines.append(line.rstrip())
            line = f"{indent}  "
        line += f"{word}, "
    # A bracket on a line of its own, no deeper than its key, is not YAML.
    return [*lines, line.rstrip().removesuffix(",") + "]"]


def yaml(name, concept):
    text = concept["title"]
    lines = [f"- id: {name}", f"  kind: {concept['kind']}", f"  title: {chr(39) + text + chr(39) if ': ' in text else text}"]
    for key in FLOW:
        if concept[key]:
            lines += flow("  ", key, ordered(concept[key]))
    if any(concept[key] for key in RXNORM):
        lines.append("  rxnorm:")
        for key in RXNORM:
            if concept[key]:
                lines += flow("    ", key, ordered(concept[key]))
    for key in ("remission", "relapsing", "one_disorder", "unit", "molar_mass", "valence", "source_attribute"):
        if concept[key]:
            value = "true" if concept[key] is True else concept[key]
            lines.append(f"  {key}: {chr(39) + value + chr(39) if value[0] in '{%' else value}")
    return lines


RXNORM = ("ingredients", "products", "except", "without")


def ordered(codes):
    return sorted(codes, key=lambda code: (len(code), code) if code.isdigit() else (0, code))


def write(path, lines):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")
    print(f"{path.relative_to(ROOT)}: {len(lines)} lines, {path.stat().st_size} bytes")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if sys.argv[1] == "--renames":
        return print("\n".join(f"{old} -> {new}" for old, new in sorted(tables.RENAMES.items())))
    data = Data(pathlib.Path(sys.argv[1]))
    found = concepts(data)
    check(data, found)
    # A header ends in `-`. It sorts before its descendants, as the codes alone do.
    write(ROOT / "terminology/icd10cm.txt", sorted(code + ("" if flag else "-") for code, flag in data.billable.items()))
    write(ROOT / "terminology/icd10cm-retired.txt", sorted(data.retired))
    write(ROOT / "terminology/rxnorm-ingredients.txt",
          [f"{code} {' '.join(sorted(parts, key=int))}" for code, parts in sorted(data.ingredients.items())])
    files = collections.defaultdict(list)
    groups = {"diagnosis": tables.DIAGNOSIS_FILES, "medication": tables.MEDICATION_FILES, "observation": tables.OBSERVATION_FILES}
    for name in sorted(found):
        file = next(file for file, accepts in groups[found[name]["kind"]].items() if accepts(name))
        files[file] += yaml(name, found[name])
    for old in sorted((ROOT / "rules/concepts").glob("*.yaml")):
        old.unlink()
    for file, lines in sorted(files.items()):
        write(ROOT / f"rules/concepts/{file}.yaml", [*HEAD, "concepts:", *lines])
    print(f"{len(found)} concepts")


if __name__ == "__main__":
    main()

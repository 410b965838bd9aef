"""Reads a page of metrics with Prometheus' own parser for Python, and prints how many families and samples it holds.

    python tests/tools/exposition.py PAGE
"""

import sys
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

families = list(text_string_to_metric_families(Path(sys.argv[1]).read_text()))
for family in families:
    if not family.documentation:
        sys.exit(f"{family.name} says not what it is")
    series = [(sample.name, tuple(sorted(sample.labels.items()))) for sample in family.samples]
    if len(series) != len(set(series)):
        sys.exit(f"{family.name} has a series twice")
print(len(families), "families,", sum(len(family.samples) for family in families), "samples")

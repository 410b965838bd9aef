"""Our `google/api/*.proto` say what Google's do, so that a program may hold both.

    python tests/deploy/annotations.py target/release/concord
"""

import subprocess
import sys

from google.api import annotations_pb2, http_pb2
from google.protobuf import descriptor_pb2


def bare(file):
    """A file without comments, and without names for JSON, which follow from the others."""
    file.ClearField("source_code_info")
    for field in [*file.extension, *(field for message in file.message_type for field in message.field)]:
        field.ClearField("json_name")
    return file


published = subprocess.run([sys.argv[1], "descriptor-set"], check=True, capture_output=True).stdout
files = {file.name: bare(file) for file in descriptor_pb2.FileDescriptorSet.FromString(published).file}
for module in (annotations_pb2, http_pb2):
    theirs = descriptor_pb2.FileDescriptorProto()
    module.DESCRIPTOR.CopyToProto(theirs)
    if files[theirs.name] != bare(theirs):
        sys.exit(f"{theirs.name} is not what others know by that name")
    print(f"{theirs.name} is what others know by that name")

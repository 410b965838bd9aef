"""A client that traces its own work, and hands its trace to Concord with the call.

    python tests/clients/python/trace.py 127.0.0.1:50051 http://127.0.0.1:4317

Prints the id of the trace and that of the span around the call. Both programs send their spans to the collector, which
finds Concord's below the client's.
"""

import json
import sys
from pathlib import Path

import grpc
from google.protobuf import json_format
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "proto"))
messages, services = grpc.protos_and_services("concord/v1/decision_service.proto")


def main(address, collector):
    provider = TracerProvider(resource=Resource.create({"service.name": "clinic"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=collector, insecure=True)))
    tracer = provider.get_tracer("clinic")
    request = json.loads((ROOT / "examples" / "oud-ptsd.json").read_text())
    request = json_format.ParseDict(request, messages.EvaluateRequest())
    with grpc.insecure_channel(address) as channel, tracer.start_as_current_span("visit") as span:
        headers = {}
        propagate.inject(headers)
        services.DecisionServiceStub(channel).Evaluate(request, timeout=10.0, metadata=list(headers.items()))
        context = span.get_span_context()
        print(trace.format_trace_id(context.trace_id), trace.format_span_id(context.span_id))
    provider.shutdown()


main(*sys.argv[1:])

"""What a client in Python must get from a running server.

    python tests/clients/python/evaluate.py 127.0.0.1:50051
"""

import re
import sys
import time
import unittest

import grpc
from concord_client import DEADLINE, ROOT, evaluate, evaluate_all, refusal
from google.protobuf import json_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from grpc_status import rpc_status

from concord.v1 import decision_pb2, decision_service_pb2, ruleset_service_pb2, ruleset_service_pb2_grpc

EXAMPLE = ROOT / "examples" / "oud-ptsd.json"


def example():
    """The request of the README."""
    return json_format.Parse(EXAMPLE.read_text(encoding="utf-8"), decision_service_pb2.EvaluateRequest())


APPROACHES = {
    "dual-diagnosis-treatment",
    "medication-assisted-treatment",
    "trauma-informed-care",
    "holistic-interventions",
}


def wait_until_serving(channel):
    health = health_pb2_grpc.HealthStub(channel)
    end = time.monotonic() + 60
    while True:
        try:
            request = health_pb2.HealthCheckRequest(service="concord.v1.DecisionService")
            if health.Check(request, timeout=DEADLINE, wait_for_ready=True).status == health_pb2.HealthCheckResponse.SERVING:
                return
        except grpc.RpcError as error:
            if time.monotonic() > end:
                sys.exit(f"the server does not serve: {error.code().name}")
        if time.monotonic() > end:
            sys.exit("the server does not serve: NOT_SERVING")
        time.sleep(0.1)


def resolves(path, request):
    """Does a path such as `patient.diagnoses[0].coding[1]` lead to an element of the request?"""
    value = request
    for name, index in re.findall(r"\.?([a-z0-9_]+)(?:\[(\d+)\])?", path):
        if name not in value.DESCRIPTOR.fields_by_name:
            return False
        value = getattr(value, name)
        if index:
            if int(index) >= len(value):
                return False
            value = value[int(index)]
    return True


class Served(unittest.TestCase):
    address = "127.0.0.1:50051"

    @classmethod
    def setUpClass(cls):
        cls.channel = grpc.insecure_channel(cls.address)
        wait_until_serving(cls.channel)

    @classmethod
    def tearDownClass(cls):
        cls.channel.close()

    def refused(self, request):
        with self.assertRaises(grpc.RpcError) as caught:
            evaluate(self.channel, request)
        return caught.exception

    def test_health_knows_its_services_and_no_others(self):
        health = health_pb2_grpc.HealthStub(self.channel)
        for service in ("", "concord.v1.DecisionService", "concord.v1.RulesetService"):
            status = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=DEADLINE).status
            self.assertEqual(status, health_pb2.HealthCheckResponse.SERVING, service)
        with self.assertRaises(grpc.RpcError) as caught:
            health.Check(health_pb2.HealthCheckRequest(service="no.such.Service"), timeout=DEADLINE)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)

    def test_reflection_v1alpha_lists_and_describes(self):
        database = ProtoReflectionDescriptorDatabase(self.channel)
        services = set(database.get_services())
        self.assertLessEqual({"concord.v1.DecisionService", "concord.v1.RulesetService", "grpc.health.v1.Health"}, services)
        file = database.FindFileContainingSymbol("concord.v1.DecisionService")
        self.assertEqual([method.name for method in file.service[0].method], ["Evaluate", "EvaluateStream"])

    def test_the_example_gets_all_four_approaches_explained(self):
        request = example()
        answer = evaluate(self.channel, request)
        self.assertEqual(answer.scope, decision_pb2.PRESENT)
        self.assertEqual({recommendation.approach for recommendation in answer.recommendations}, APPROACHES)
        for recommendation in answer.recommendations:
            self.assertTrue(recommendation.components, recommendation.approach)
            for component in recommendation.components:
                self.explained(component, request)

    def explained(self, component, request):
        """Standing, rationale with inputs, and evidence of one component."""
        values = decision_pb2.Standing
        with self.subTest(component=component.code):
            self.assertNotEqual(component.standing, values.VALUE_UNSPECIFIED)
            self.assertNotEqual(component.action, decision_pb2.ACTION_UNSPECIFIED)
            if component.standing == values.NONE:
                return
            self.assertTrue(component.rationale, "no rationale")
            inputs = [path for finding in component.rationale for ground in finding.rationale.because for path in ground.inputs]
            self.assertTrue(inputs, "no input behind any finding")
            for path in inputs:
                self.assertTrue(resolves(path, request), f"{path} leads nowhere")
            for finding in component.rationale:
                why = finding.rationale
                self.assertTrue(why.rule and why.statement and why.verification, why.rule)
                self.assertTrue(why.evidence, f"{why.rule}: no evidence")
                self.assertTrue(all(source.source and source.title and source.place for source in why.evidence), why.rule)

    def test_an_answer_says_what_it_is(self):
        request = example()
        request.request_id = "example-1"
        answer = evaluate(self.channel, request)
        self.assertEqual(answer.clinical_review, decision_pb2.ClinicalReview.NONE)
        self.assertEqual(answer.receipt.audit, decision_pb2.Receipt.RECORDED)
        self.assertRegex(answer.receipt.leaf_hash, r"^[0-9a-f]{64}$")
        self.assertRegex(answer.ruleset.digest, r"^[0-9a-f]{64}$")
        self.assertEqual(answer.request_id, "example-1")
        self.assertEqual(answer.handling.purpose_of_use, "TREAT")
        self.assertTrue(answer.handling.purpose_of_use_defaulted)

    def test_the_same_request_gets_the_same_bytes(self):
        def canonical():
            answer = evaluate(self.channel, example())
            for field in ("decision_id", "receipt", "engine_version"):
                answer.ClearField(field)
            return answer.SerializeToString(deterministic=True)

        self.assertEqual(canonical(), canonical())

    def test_every_field_at_fault_is_named_and_no_value(self):
        request = example()
        request.patient.age_years = -7
        request.patient.diagnoses[1].onset = "2019-02-31"
        error = self.refused(request)
        self.assertEqual(error.code(), grpc.StatusCode.INVALID_ARGUMENT)
        why = refusal(error)
        self.assertEqual((why.domain, why.reason), ("concord", "INVALID_FIELDS"))
        self.assertEqual({field: reason for field, reason, _ in why.violations}, {"patient.age_years": "RANGE", "patient.diagnoses[1].onset": "IMPOSSIBLE_DATE"})
        said = error.details() + str(rpc_status.from_call(error))
        self.assertNotIn("2019-02-31", said)
        self.assertNotIn("-7", said)

    def test_a_message_too_large_is_refused(self):
        for size in (300 * 1024, 10 * 1024 * 1024):
            request = example()
            request.patient.diagnoses[0].text = "x" * size
            error = self.refused(request)
            self.assertEqual(error.code(), grpc.StatusCode.RESOURCE_EXHAUSTED, size)
            why = refusal(error)
            self.assertEqual((why.domain, why.reason), ("concord", "MESSAGE_TOO_LARGE"))

    def test_a_bad_item_answers_in_its_place_and_the_stream_goes_on(self):
        requests = [example() for _ in range(5)]
        for index, request in enumerate(requests):
            request.request_id = f"item-{index}"
        requests[2].ClearField("patient")
        answers = list(evaluate_all(self.channel, requests))
        self.assertEqual([answer.request_id for answer in answers], [request.request_id for request in requests])
        outcomes = [answer.WhichOneof("outcome") for answer in answers]
        self.assertEqual(outcomes, ["response", "response", "status", "response", "response"])
        status = answers[2].status
        self.assertEqual((status.code, status.reason), (grpc.StatusCode.INVALID_ARGUMENT.value[0], "INVALID_FIELDS"))
        self.assertEqual([(fault.field, fault.reason) for fault in status.field_violations], [("patient", "REQUIRED")])

    def test_the_rules_behind_an_answer_can_be_read(self):
        rulesets = ruleset_service_pb2_grpc.RulesetServiceStub(self.channel)
        answer = evaluate(self.channel, example())
        active = rulesets.GetRuleset(ruleset_service_pb2.GetRulesetRequest(), timeout=DEADLINE)
        self.assertEqual(active.ruleset, answer.ruleset)
        rules = {finding.rationale.rule for part in answer.recommendations for component in part.components
                 for finding in component.rationale}
        self.assertTrue(rules, "the answer names no rule")
        for rule in sorted(rules)[:5]:
            shown = rulesets.GetRule(ruleset_service_pb2.GetRuleRequest(id=rule), timeout=DEADLINE).rule
            self.assertEqual(shown.id, rule)
            self.assertTrue(shown.evidence and shown.condition.text and shown.location, rule)

    def test_another_package_than_the_one_required_is_refused(self):
        request = example()
        request.require_ruleset_digest = "f" * 64
        error = self.refused(request)
        self.assertEqual(error.code(), grpc.StatusCode.FAILED_PRECONDITION)
        why = refusal(error)
        self.assertEqual(why.reason, "RULESET_DIGEST_MISMATCH")
        self.assertRegex(why.metadata["active_digest"], r"^[0-9a-f]{64}$")


def main(arguments):
    if len(arguments) != 1:
        sys.exit(__doc__)
    Served.address = arguments[0]
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(unittest.defaultTestLoader.loadTestsFromTestCase(Served))
    # A sub-test that failed names its test more than once.
    wrong = {str(test).split(" ")[0] for test, _ in result.failures + result.errors}
    print(f"{result.testsRun - len(wrong)} passed, {len(wrong)} failed")
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What to train and what must hold: scenario files as frozen values, checked without Keras."""

from harness.spec.canonical import canonical_json, pipeline_from_json
from harness.spec.encode import encode_pipeline, encode_value
from harness.spec.expectation import expectation_id
from harness.spec.known import condition_holds, issue_applies, when_matches
from harness.spec.loaded import Scenario
from harness.spec.loader import load_scenario, parse_scenario
from harness.spec.pipeline import PipelineSpec
from harness.spec.scenario import ScenarioSpec

__all__ = [
    "PipelineSpec",
    "Scenario",
    "ScenarioSpec",
    "canonical_json",
    "condition_holds",
    "encode_pipeline",
    "encode_value",
    "expectation_id",
    "issue_applies",
    "load_scenario",
    "parse_scenario",
    "pipeline_from_json",
    "when_matches",
]

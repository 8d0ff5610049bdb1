"""What can be known to be wrong with a training before its first step.

Pure rules over a frozen `Plan`. Plans of scenarios are made here, those of live Keras objects in
`harness.pipeline.plans`.
"""

from harness.preflight.finding import SEVERITIES, Finding, Severity
from harness.preflight.plan import (
    CallbackPlan,
    CompilePlan,
    LabelPlan,
    OptimizerPlan,
    Plan,
    RatePlan,
    SourcePlan,
)
from harness.preflight.registry import Rule, check, rules
from harness.preflight.scenarios import plan_of_spec

__all__ = [
    "SEVERITIES",
    "CallbackPlan",
    "CompilePlan",
    "Finding",
    "LabelPlan",
    "OptimizerPlan",
    "Plan",
    "RatePlan",
    "Rule",
    "Severity",
    "SourcePlan",
    "check",
    "plan_of_spec",
    "rules",
]

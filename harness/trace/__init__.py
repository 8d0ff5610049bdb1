"""What happened in a training run, as frozen data: NumPy and `harness.errors` only.

A `Trace` holds a row for each step, a record for each epoch, events, resources, and why training
stopped. `compare_traces` finds the first step at which two runs part; `write_trace` and
`read_trace` keep a trace in one file, bit for bit.
"""

from harness.trace.codec import FORMAT_VERSION, dump_trace, load_trace, read_trace, write_trace
from harness.trace.comparison import QUANTITIES, compare_traces
from harness.trace.environment import Environment
from harness.trace.epochs import EpochRecord
from harness.trace.events import Event
from harness.trace.examples import ExampleTable
from harness.trace.figures import figure, figure_names
from harness.trace.mismatch import Mismatch, first_mismatch, first_step_mismatch
from harness.trace.recording import Recording
from harness.trace.resources import ResourceRecord
from harness.trace.state import ROLES, GradientTable, StateTable, VariableInfo
from harness.trace.steps import STEP_COLUMNS, StepTable
from harness.trace.stop import Stop, StopReason
from harness.trace.trace import Trace

__all__ = [
    "FORMAT_VERSION",
    "QUANTITIES",
    "ROLES",
    "STEP_COLUMNS",
    "Environment",
    "EpochRecord",
    "Event",
    "ExampleTable",
    "GradientTable",
    "Mismatch",
    "Recording",
    "ResourceRecord",
    "StateTable",
    "StepTable",
    "Stop",
    "StopReason",
    "Trace",
    "VariableInfo",
    "compare_traces",
    "dump_trace",
    "figure",
    "figure_names",
    "first_mismatch",
    "first_step_mismatch",
    "load_trace",
    "read_trace",
    "write_trace",
]

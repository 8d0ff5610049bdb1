"""Specifications in, traces and verdicts out: runs pipelines in this process."""

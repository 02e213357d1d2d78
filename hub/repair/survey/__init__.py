"""Surveys: a source read over a span of time, to bring its history, to be compared with, or to be reconciled."""

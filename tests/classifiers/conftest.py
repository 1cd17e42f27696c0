from __future__ import annotations

import pytest
from hypothesis import settings

import classifiers
from classifiers import lexicon as lexicons
from classifiers.classifier import Classifier
from classifiers.images import Images
from classifiers.lexicon import Lexicon

# Other work shares the machine: a slow example is no fault, and time is bounded per test.
settings.register_profile("shared machine", deadline=None)
settings.load_profile("shared machine")


@pytest.fixture(scope="session")
def lexicon() -> Lexicon:
    return lexicons.load()


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return classifiers.load()


@pytest.fixture(scope="session")
def reader() -> Images:
    """One for all tests: its process takes seconds to start."""
    return Images()

"""`lowcap strand schema`: the schema documents are checked against, for whoever reads the log elsewhere."""

import json

import pytest

from console.strand_commands import Kind
from domain.portfolio.strand import StrandKind, strand_schema
from tests.domain.portfolio.strand_documents import DOCUMENTS, problems


def test_every_kind_has_its_schema_printed_and_no_other():
    assert [kind.value for kind in Kind] == [kind.value for kind in StrandKind]


@pytest.mark.parametrize("kind", StrandKind)
def test_the_printed_schema_is_the_one_in_force_and_allows_a_right_document(lowcap, kind):
    printed = json.loads(lowcap("strand", "schema", kind.value).stdout)

    assert printed == strand_schema(kind)
    assert list(problems(DOCUMENTS[kind](), kind)) == []


def test_another_kind_is_refused_with_those_there_are(lowcap):
    result = lowcap("strand", "schema", "pm_actions")

    assert result.exit_code == 2
    assert "position_closed" in result.stderr

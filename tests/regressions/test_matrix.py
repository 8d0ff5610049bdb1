"""The list of mended defects is sound, and the matrix reads what pytest says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.regressions import matrix
from tests.regressions.__main__ import main
from tests.regressions.defects import Defect, defects
from tests.regressions.matrix import Row, run_matrix, table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DEFECT = Defect(
    title="It counts twice",
    last_with="3.9.2",
    first_without="3.10.0",
    scenarios=("global_step/counts_agree",),
)
ITEM = "global_step/counts_agree::property"

REPORT = """<testsuites><testsuite>
<testcase classname="scenarios.global_step.counts_agree.toml" name="property">
<properties><property name="harness_outcome" value="passed"/></properties></testcase>
<testcase classname="scenarios.global_step.counts_agree.toml" name="known_issue[one]">
<properties><property name="harness_outcome" value="known_issue"/></properties></testcase>
<testcase classname="scenarios.global_step.counts_agree.toml" name="file"/>
</testsuite></testsuites>"""


@pytest.mark.parametrize("defect", defects(), ids=lambda defect: defect.title)
def test_the_list_names_scenarios_that_exist(defect: Defect) -> None:
    """A renamed scenario is renamed here too, and a release comes before the next."""
    assert defect.scenarios
    assert [file for file in defect.files() if not file.exists()] == []
    releases = [defect.last_with, defect.first_without]
    assert releases == sorted(releases, key=lambda text: [int(part) for part in text.split(".")])


def test_the_report_of_pytest_is_read(tmp_path: Path) -> None:
    """By item; what has no outcome broke before it could say one."""
    report = tmp_path / "report.xml"
    report.write_text(REPORT, encoding="utf-8")

    assert matrix._read(report) == {
        ITEM: "passed",
        "global_step/counts_agree::known_issue[one]": "known_issue",
        "global_step/counts_agree::file": "failed",
    }


@pytest.mark.parametrize(
    ("said", "noticed", "others"),
    [
        (("failed", "passed"), (ITEM,), ()),
        (("known_issue", "passed"), (ITEM,), ()),
        (("passed", "passed"), (), ()),
        (("failed", "failed"), (), (ITEM,)),
        (("skipped", "passed"), (), ()),
    ],
)
def test_a_defect_is_noticed_where_an_item_tells_the_releases_apart(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    said: tuple[str, str],
    noticed: tuple[str, ...],
    others: tuple[str, ...],
) -> None:
    """It fails, or shows a known issue, on the one and passes on the other."""
    outcomes = {"3.9.2": {ITEM: said[0], "clipping/other::property": "failed"}}
    outcomes["3.10.0"] = {ITEM: said[1]}

    def ran(folder: str, files: Iterable[Path]) -> dict[str, str]:
        assert [file.name for file in files] == ["counts_agree.toml"]
        return outcomes[folder]

    monkeypatch.setattr(matrix, "overlay", lambda version, _: version)
    monkeypatch.setattr(matrix, "outcomes_on", ran)
    told: list[str] = []

    (row,) = run_matrix([DEFECT], tmp_path, told.append)

    assert (row.noticed, row.others) == (noticed, others)
    assert told == ["1 of 2: Keras 3.9.2, 1 scenarios", "2 of 2: Keras 3.10.0, 1 scenarios"]


def test_the_table() -> None:
    """One row a defect; one that nothing notices stands out."""
    rows = [
        Row(defect=DEFECT, noticed=(ITEM,), others=()),
        Row(defect=DEFECT, noticed=(), others=()),
    ]

    assert table(rows).splitlines()[2:] == [
        f"| It counts twice | 3.9.2 | 3.10.0 | `{ITEM}` |",
        "| It counts twice | 3.9.2 | 3.10.0 | **nothing** |",
    ]


def test_the_command_fails_where_a_defect_is_missed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And where nothing was chosen."""
    rows = (Row(defect=DEFECT, noticed=(), others=()),)
    monkeypatch.setattr("tests.regressions.__main__.run_matrix", lambda *_: rows)

    assert main([]) == 1
    assert "0 of 1 mended defects are noticed." in capsys.readouterr().out
    monkeypatch.setattr("tests.regressions.__main__.run_matrix", lambda *_: ())
    assert main(["--only", "no such defect"]) == 1

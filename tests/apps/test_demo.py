import pytest

from domainsmith.apps.demo import DemoOptions, default_workspace
from domainsmith.apps.examples import example_domain
from domainsmith.apps.scores import score_rows
from domainsmith.records import EvalReport, Interval, SystemScore

INTERVAL = Interval(mean=0.5, low=0.25, high=0.75, n=10)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_example_is_found_with_its_questions(language):
    example = example_domain(language)
    assert (example.root / example.folder).is_dir()
    assert example.folder in example.request
    assert len(set(example.asked)) == 3
    assert all([*example.asked, example.refused, example.served])


def test_each_kind_of_run_has_a_workspace_of_its_own():
    kinds = [DemoOptions(language, quick) for language in ("en", "zh") for quick in (False, True)]
    folders = [str(default_workspace(kind)) for kind in kinds]
    assert folders[0] == ".domainsmith-demo"
    assert len(set(folders)) == 4


def test_scores_are_laid_out_as_the_evaluation_gives_them():
    score = SystemScore(
        system="tuned",
        overall=INTERVAL,
        answerable_f1=INTERVAL,
        refusal_recall=INTERVAL,
        false_refusals=INTERVAL,
    )
    report = EvalReport(
        adapter_id=None, questions_sha256="0", scores=(score,), verdict="no clear difference"
    )
    header, rows = score_rows({"report": report.model_dump(mode="json")})
    assert rows == [["tuned", *["0.500 [0.250, 0.750]"] * 4]]
    assert len(header) == 5
    assert score_rows({})[1] == []

"""What is executed, what is kept: decided from fingerprints alone, without running anything."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nbformat
import pytest

from segue.errors import SegueError, UsageError
from segue.pipeline.files import point, read_json, write_json
from segue.pipeline.plan import Plan, Wish, about, make_plan
from segue.pipeline.stages import Done, finished, mark, reuse, select, stages

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


def always(stage, fingerprint):
    return True


@pytest.fixture
def wish(notebooks: Path, tmp_path: Path) -> Wish:
    every = stages(notebooks)
    runs = tmp_path / "runs"
    runs.mkdir()
    return Wish(
        runs=runs,
        dataset="folder",
        database="segue_folder_music",
        stages=every,
        selected=every,
        parameters={"01_first": {"size": 3, "run_id": "x"}, "02_second": {"factor": 2.5}},
        given={"path": "music"},
        rests_on="code",
        data=lambda values: "data",
        now=NOON,
    )


def carry_out(wish: Wish, plan: Plan, until: int = 99, current: bool = True) -> Path:
    """Do what a job does, with files instead of notebooks; ``until`` stages are finished."""
    plan.run.mkdir(exist_ok=True)
    write_json(plan.run / "run.json", about(wish, plan))
    for step in plan.steps[:until]:
        if step.source is None:
            plan.run.joinpath(f"{step.stage.name}.txt").write_text(step.fingerprint)
            outputs = [f"{step.stage.name}.txt"]
            mark(
                plan.run,
                step.stage,
                Done(step.stage.name, step.fingerprint, 1.0, 1, outputs, step.parameters),
            )
        elif step.source != plan.run:
            reuse(step.stage, step.source, plan.run, step.stale)
    if until >= len(plan.steps):
        write_json(plan.run / "run.json", about(wish, plan) | {"finished": "now"})
        if current:
            point(wish.runs / "current", plan.run)
    return plan.run


def names(steps) -> list[str]:
    return [step.stage.name for step in steps]


def later(wish: Wish, **changes: Any) -> Wish:
    return replace(wish, now=wish.now + timedelta(minutes=1), **changes)


def changed(wish: Wish, notebook: str, **values: Any) -> Mapping[str, Any]:
    return {**wish.parameters, notebook: {**wish.parameters[notebook], **values}}


def test_a_first_run_executes_all(wish: Wish):
    plan = make_plan(wish, always)
    assert names(plan.left) == ["01_first", "02_second"]
    assert plan.run.name.endswith("-folder")
    assert not plan.run.exists()


def test_unchanged_there_is_nothing_to_do(wish: Wish):
    run = carry_out(wish, make_plan(wish, always))
    plan = make_plan(later(wish), always)
    assert plan.done
    assert plan.run == run


def test_the_run_id_is_no_part_of_the_fingerprint(wish: Wish):
    carry_out(wish, make_plan(wish, always))
    assert make_plan(later(wish, parameters=changed(wish, "01_first", run_id="y")), always).done


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"rests_on": "other code"}, ["01_first", "02_second"]),
        ({"data": lambda values: "other data"}, ["01_first", "02_second"]),
        ({"parameters": {"01_first": {"size": 4}, "02_second": {"factor": 2.5}}}, ["01_first", "02_second"]),
        ({"parameters": {"01_first": {"size": 3}, "02_second": {"factor": 9.0}}}, ["02_second"]),
    ],
)
def test_a_change_runs_again_what_rests_on_it(wish: Wish, change, left):
    first = carry_out(wish, make_plan(wish, always))
    plan = make_plan(later(wish, **change), always)
    assert names(plan.left) == left
    assert plan.run != first
    assert not plan.resumed


def test_a_changed_cell_runs_again_and_a_changed_sentence_does_not(wish: Wish):
    carry_out(wish, make_plan(wish, always))
    second = wish.stages[1].notebook
    notebook = nbformat.read(second, 4)
    notebook.cells[0].source = "# Other words"
    nbformat.write(notebook, second)
    assert make_plan(later(wish), always).done
    notebook.cells[-1].source += "\n1 + 1"
    nbformat.write(notebook, second)
    assert names(make_plan(later(wish), always).left) == ["02_second"]


def test_an_unfinished_run_goes_on_after_its_last_finished_stage(wish: Wish):
    run = carry_out(wish, make_plan(wish, always), until=1)
    plan = make_plan(later(wish), always)
    assert plan.resumed
    assert plan.run == run
    assert names(plan.left) == ["02_second"]


def test_an_unfinished_run_of_other_words_is_left_alone_and_its_finished_stages_are_used(wish: Wish):
    run = carry_out(wish, make_plan(wish, always), until=1)
    plan = make_plan(later(wish, given={"path": "music", "factor": "3"}), always)
    assert plan.run != run
    assert names(plan.left) == ["02_second"]
    assert plan.steps[0].source == run


def test_a_stage_that_lost_an_output_runs_again(wish: Wish):
    run = carry_out(wish, make_plan(wish, always))
    (run / "02_second.txt").unlink()
    assert names(make_plan(later(wish), always).left) == ["02_second"]


def test_a_stage_whose_results_the_store_lost_runs_again_alone(wish: Wish):
    carry_out(wish, make_plan(wish, always))
    plan = make_plan(later(wish), lambda stage, fingerprint: stage.name != "01_first")
    assert names(plan.left) == ["01_first"]


def test_another_data_set_shares_nothing(wish: Wish):
    carry_out(wish, make_plan(wish, always))
    plan = make_plan(later(wish, database="segue_folder_other"), always)
    assert names(plan.left) == ["01_first", "02_second"]


def test_a_finished_run_that_is_not_the_current_one_is_found(wish: Wish):
    first = carry_out(wish, make_plan(wish, always))
    other = later(wish, parameters=changed(wish, "02_second", factor=1.0))
    carry_out(other, make_plan(other, always))
    plan = make_plan(later(other, parameters=wish.parameters), always)
    assert plan.done
    assert plan.run == first


def test_linked_outputs_are_the_same_files(wish: Wish):
    first = carry_out(wish, make_plan(wish, always))
    other = later(wish, parameters=changed(wish, "02_second", factor=1.0))
    second = carry_out(other, make_plan(other, always))
    assert (second / "01_first.txt").samefile(first / "01_first.txt")
    assert finished(second, wish.stages[0]).reused == first.name


def test_only_keeps_the_others_and_marks_what_went_stale(wish: Wish):
    first = carry_out(wish, make_plan(wish, always))
    alone = later(wish, selected=wish.stages[:1], parameters={"01_first": {"size": 9}})
    plan = make_plan(alone, always)
    assert names(plan.left) == ["01_first"]
    assert (plan.steps[1].source, plan.steps[1].stale) == (first, True)
    run = carry_out(alone, plan)
    assert finished(run, wish.stages[1]).stale
    after = make_plan(
        later(
            alone, selected=wish.stages, parameters={"01_first": {"size": 9}, "02_second": {"factor": 2.5}}
        ),
        always,
    )
    assert names(after.left) == ["02_second"]


@pytest.fixture
def learning(wish: Wish) -> Wish:
    """The second notebook learns from plays, and has learned from those of one state."""
    learner = wish.stages[1].notebook
    notebook = nbformat.read(learner, 4)
    notebook.metadata["segue"] = {"learns_from_plays": True}
    nbformat.write(notebook, learner)
    asked = replace(wish, plays="100 plays")
    run = carry_out(asked, make_plan(asked, always))
    done = finished(run, wish.stages[1])
    mark(run, wish.stages[1], replace(done, plays="100 plays"))
    return later(wish)


def test_other_plays_run_again_what_learns_from_them_where_they_are_asked_for(learning: Wish):
    assert make_plan(learning, always).done
    assert make_plan(replace(learning, plays="100 plays"), always).done
    assert names(make_plan(replace(learning, plays="101 plays"), always).left) == ["02_second"]


def test_other_plays_do_not_make_what_is_left_out_stale(learning: Wish):
    alone = replace(learning, selected=learning.stages[:1], plays="101 plays")
    assert not make_plan(alone, always).steps[1].stale


def test_only_without_what_it_rests_on_is_refused(wish: Wish):
    with pytest.raises(SegueError, match="needs what 01_first made"):
        make_plan(replace(wish, selected=wish.stages[1:]), always)


def test_only_uses_the_parameters_that_the_kept_stage_had(wish: Wish):
    special = replace(wish, parameters=changed(wish, "01_first", size=9))
    carry_out(special, make_plan(special, always))
    alone = later(wish, selected=wish.stages[1:], parameters={"02_second": {"factor": 2.5}})
    plan = make_plan(alone, always)
    assert plan.done
    assert not plan.steps[0].stale


def test_a_named_run_is_made_resumed_and_not_made_into_another(wish: Wish):
    named = replace(wish, run_id="mine")
    run = carry_out(named, make_plan(named, always), until=1)
    assert run.name == "mine"
    assert make_plan(named, always).resumed
    carry_out(named, make_plan(named, always))
    assert make_plan(named, always).done
    with pytest.raises(UsageError, match="is finished"):
        make_plan(replace(named, rests_on="other code"), always)
    with pytest.raises(UsageError, match="holds segue_folder_music"):
        make_plan(replace(named, database="segue_other"), always)


@pytest.mark.parametrize("run_id", ["../up", "a b", "", "current", ".hidden", "by-hand-demo", "x" * 101])
def test_a_run_id_that_is_no_folder_name_is_refused(wish: Wish, run_id: str):
    with pytest.raises(UsageError):
        make_plan(replace(wish, run_id=run_id), always)


def test_a_folder_of_something_else_is_not_taken_for_a_run(wish: Wish):
    folder = wish.runs / "mine"
    folder.mkdir()
    folder.joinpath("thesis.txt").write_text("years of work")
    with pytest.raises(UsageError, match="no run"):
        make_plan(replace(wish, run_id="mine"), always)


@pytest.mark.parametrize(
    ("only", "chosen"),
    [(None, "12345"), ("03", "3"), ("3", "3"), ("01..03", "123"), ("01,04..05", "145"), ("02, 02", "2")],
)
def test_only_takes_numbers_lists_and_ranges(tmp_path: Path, only, chosen):
    for number in range(1, 6):
        (tmp_path / f"0{number}_x.ipynb").touch()
    assert "".join(stage.number[1] for stage in select(only, stages(tmp_path))) == chosen


@pytest.mark.parametrize("only", ["", "06", "03..01", "x", "1-3", "01,", "00"])
def test_only_refuses_what_is_no_notebook(tmp_path: Path, only):
    for number in range(1, 6):
        (tmp_path / f"0{number}_x.ipynb").touch()
    with pytest.raises(UsageError, match="--only takes notebooks from 01 to 05"):
        select(only, stages(tmp_path))


def test_a_new_run_does_not_take_a_name_that_is_there(wish: Wish):
    first = make_plan(wish, always).run
    carry_out(wish, make_plan(wish, always))
    second = make_plan(replace(wish, rests_on="other code"), always).run
    assert second.name == f"{first.name}-2"


def test_the_start_of_a_resumed_run_is_kept(wish: Wish):
    run = carry_out(wish, make_plan(wish, always), until=1)
    started = read_json(run / "run.json")["started"]
    again = later(wish)
    carry_out(again, make_plan(again, always))
    assert read_json(run / "run.json")["started"] == started

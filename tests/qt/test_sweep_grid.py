"""Which runs flags ask for, what they are called, and what is wrong with flags."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qt.sweep.grid import Run, make_runs
from qt.sweep.parameters import ParameterError, typed

DEFAULTS = {
    "lr": 4e-3, "norm": "rmsnorm", "steps": 800, "d_ff": None, "bias": False, "seed": 0,
}  # fmt: skip


def test_grids_and_seeds_multiply() -> None:
    runs = make_runs(DEFAULTS, ["lr=1e-3,3e-4", "norm=rmsnorm,layernorm"], seeds=3)
    assert len(runs) == 12
    settings = [(r.settings["lr"], r.settings["norm"], r.settings["seed"]) for r in runs]
    wanted = itertools.product([1e-3, 3e-4], ["rmsnorm", "layernorm"], [0, 1, 2])
    assert settings == list(wanted)
    assert len({run.name for run in runs}) == 12
    assert len({run.row for run in runs}) == 4
    assert runs[0].name == "lr=0.001,norm=rmsnorm,seed=0"


def test_variants_multiply_with_a_grid_and_override_what_is_common() -> None:
    runs = make_runs(
        DEFAULTS, ["lr=1e-3,1"], ["modern:", "classic:norm=layernorm,bias=True,steps=7"],
        ["steps=5", "seed=100"], 2,
    )  # fmt: skip
    assert [run.words for run in runs[:2]] == [
        "modern lr=0.001,seed=100", "modern lr=0.001,seed=101",
    ]  # fmt: skip
    assert runs[0].settings == {"steps": 5, "seed": 100, "lr": 1e-3}
    classic = runs[-1].settings
    assert classic == {
        "steps": 7, "seed": 101, "norm": "layernorm", "bias": True, "lr": 1.0,
    }  # fmt: skip
    assert isinstance(classic["lr"], float)  # as the notebook has it
    assert len({run.row for run in runs}) == 4


def test_without_flags_there_is_one_run_as_the_notebook_stands() -> None:
    (run,) = make_runs(DEFAULTS)
    assert (run.settings, run.name, run.words) == ({}, "defaults", "defaults")


@given(st.dictionaries(st.sampled_from(sorted(DEFAULTS)), st.text(max_size=150), min_size=1))
def test_other_settings_have_another_name_which_any_file_system_takes(
    settings: dict[str, str],
) -> None:
    names = {Run(v, {}, s).name for v in ("", "a b") for s in (settings, settings | {"lr": "~"})}
    assert len(names) == (4 if settings.get("lr") != "~" else 2)
    for name in names:
        assert len(name) <= 120
        assert not set(name) & set('/\\:*?"<>| \n')


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("1e-3", 1.0, 1e-3), ("500", None, 500), ("true", False, True), ("False", False, False),
        ("None", None, None), ("null", 3, None), ("500", "a text", "500"), ("rope", None, "rope"),
        (3, "a text", 3),
    ],
)  # fmt: skip
def test_texts_become_what_they_stand_for(text: object, default: object, value: object) -> None:
    assert typed(text, default) == value
    assert type(typed(text, default)) is type(value)


WRONG = {
    "there is no parameter lrr: did you mean lr?": {"grids": ["lrr=1"]},
    "there is no parameter qqq: there are lr, norm, steps, d_ff, bias, seed": {"common": ["qqq=1"]},
    "--grid must be like lr=1e-3,3e-4, not 'lr'": {"grids": ["lr"]},
    "--grid must be like lr=1e-3,3e-4, not 'lr=1,'": {"grids": ["lr=1,"]},
    "--grid lr has 0.001 twice": {"grids": ["lr=1e-3,0.001"]},
    "lr is given twice: a --grid holds all of its values": {"grids": ["lr=1", "lr=2"]},
    "lr stands in a --grid and in the variant a": {"grids": ["lr=1"], "variants": ["a:lr=2"]},
    "there are two variants called a": {"variants": ["a:", "a:lr=2"]},
    "--variant must be like classic:norm=layernorm, not 'a'": {"variants": ["a"]},
    "--variant a takes name=value, not 'lr'": {"variants": ["a:lr"]},
    "--set gives lr twice": {"common": ["lr=1", "lr=2"]},
    "seed is given twice: by --seeds, and in a --grid or --variant": {
        "grids": ["seed=1,2"], "seeds": 2,
    },
    "--seeds needs a parameter called seed: the notebook has none": {
        "defaults": {"lr": 1.0}, "seeds": 2,
    },
}  # fmt: skip


@pytest.mark.parametrize("message", WRONG)
def test_what_is_wrong_is_said(message: str) -> None:
    arguments = {"defaults": DEFAULTS} | WRONG[message]
    with pytest.raises(ParameterError) as error:
        make_runs(**arguments)
    assert str(error.value) == message

"""Break `qt` on purpose, one small change at a time, and list the changes that no test sees.

`make mutants` runs this (https://mutmut.readthedocs.io), in a copy that is thrown away; what is
broken, and which tests look on, stands in pyproject.toml under `[tool.mutmut]`. A module whose
tests see less than 90 % of the changes that make a difference fails. Words choose mutants:
`python tests/mutants.py 'qt.optim*'`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mutmut"][
    "only_mutate"
]
WANTED = 0.9

# Only for the copy: an example that fails is not made smaller, for that it fails is all we ask.
PROFILE = """
from hypothesis import Phase
settings.register_profile(
    "mutants", derandomize=True, deadline=None, phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("mutants")
"""


# Changes after which every result is the same, by what the changed line holds.
EQUIVALENT = {
    # Python and NumPy
    "reshape(-2": "any negative size is the one that NumPy works out",
    ", -2, D)": "any negative size is the one that NumPy works out",
    ", -2, self.head_dim": "any negative size is the one that NumPy works out",
    '"UTF-8"': "another spelling of utf-8",
    '"UNICODE_ESCAPE"': "another spelling of unicode_escape",
    '"STABLE"': "another spelling of stable",
    'decode(errors="backslashreplace")': "UTF-8 is the default",
    "may_be_empty=None": "as false as False",
    'getattr(p, "name", None)': "as false as an empty name",
    "starts, )": "axis 0 is the default",
    'not in "XXiuXX"': "no dtype has the kind X",
    'not in "XXbfXX"': "no dtype has the kind X",
    # Arrays that hold the same numbers: in another place, a copy, of float64 for a while
    "np.reciprocal(e, out=None)": "a new array",
    "np.reciprocal(e, )": "a new array",
    "np.multiply(g, w, out=None)": "a new array",
    "np.multiply(g, w, )": "a new array",
    "astype(logits.dtype, copy=None)": "a copy",
    "astype(logits.dtype, )": "a copy",
    "astype(logits.dtype, copy=True)": "a copy",
    "if end < self.max_len:": "a full cache as copies instead of views",
    "np.ones((S, 1), None)": "ones of float64, and the quotient goes into p",
    "np.ones((S, 1), )": "ones of float64, and the quotient goes into p",
    "part.shape[-1], dtype=None)": "zeros and ones of float64, and the product goes into p",
    "np.tri(part.shape[-1], )": "zeros and ones of float64, and the product goes into p",
    "t].astype(None)": "zeros and ones of float64, and the product goes into p",
    # What is computed in another way, and is the same but for rounding
    "argsort(flat, kind=None)": "equal ids are added up in another order",
    "argsort(flat, )": "equal ids are added up in another order",
    "all(type(None) in (Linear": "three products instead of one",
    "all(type(m) not in (Linear": "three products instead of one",
    "p.min(initial=1)": "1 is above -30 as 0 is",
    "p.min(initial=0) >= -SAFE": "-30 itself is safe, too",
    "p.min(initial=0) > +SAFE": "always shifted, which changes nothing but the size",
    "p.max(initial=1)": "1 is below 30 as 0 is",
    "p.max(initial=0) <= SAFE": "30 itself is safe, too",
    "if scale <= 1:": "times 1",
    # What is never read, or never met
    "(2,) * 6": "not read where shapes do not fit",
    "group.get(name, 1)": "what is not given is not negative",
    "strict=None)": "the lengths were compared before",
    'saved["param_groups"], ):': "the lengths were compared before",
    "strict=False)": "the lengths were compared before",
    "isfinite(top), top, 1)": "an infinite value less 1 is what it was",
    "total == 0, 2, total": "0 / 2 is 0 as well",
    "total[total == 0] = 2": "0 / 2 is 0 as well",
    "log_p.mean(axis=+1)": "of two axes the last is 1",
    "x.shape[+2": "of (B, H, T, D) the last axis but one is 2",
    "np.tri(part.shape[-2]": "a square",
    "p.max(axis=-1, keepdims=True, initial=None": "softmax of no scores is not shifted",
    "p.max(axis=-1, keepdims=True, )": "softmax of no scores is not shifted",
    "len(ids) + 3)": "one place more, which nobody asks for",
    "[*ids, -2]": "as dead as -1",
    "made[rank], -2": "as dead as -1",
}


def copy_to(folder: Path) -> None:
    """What mutmut needs. It leaves decorated functions alone, so `@operation` is applied below."""
    for name in ("qt", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.copy(ROOT / "pyproject.toml", folder)
    for path in (folder / module for module in MODULES):
        source = path.read_text(encoding="utf-8")
        names = re.findall(r"^@operation\ndef (\w+)", source, re.MULTILINE)
        source = source.replace("@operation\n", "")
        calls = [f"{name} = operation({name})\n" for name in names]
        path.write_text("\n".join([source, *calls]), encoding="utf-8")
    with open(folder / "tests" / "conftest.py", "a", encoding="utf-8") as conftest:
        conftest.write(PROFILE)


def changes(name: str, module: str) -> tuple[str, str]:
    """The code before and after, in one line each."""
    from mutmut.mutation.diff_apply import get_diff_for_mutant

    lines = get_diff_for_mutant(name, path=module).splitlines()[2:]
    before, after = (
        " ".join(line[1:].strip() for line in lines if line.startswith(sign)) for sign in "-+"
    )
    return before, after


def reason(changed: str) -> str:
    """Why this change makes no difference; empty if it is not known to make none."""
    return next((why for part, why in EQUIVALENT.items() if part in changed), "")


def report(module: str) -> bool:
    """Print what became of a module's mutants; whether enough were killed."""
    from mutmut.stats import status_by_exit_code

    codes = json.loads(Path("mutants", f"{module}.meta").read_text(encoding="utf-8"))[
        "exit_code_by_key"
    ]
    ends = {name: status_by_exit_code[code] for name, code in codes.items() if code is not None}
    left = [name for name, end in ends.items() if end not in ("killed", "timeout")]
    equal = {name: why for name in left if (why := reason(changes(name, module)[1]))}
    killed, late = len(ends) - len(left), sum(end == "timeout" for end in ends.values())
    real = len(ends) - len(equal)
    if not ends:  # others were chosen
        return True
    share = killed / real if real else 1.0
    print(
        f"{module}: {len(ends)} mutants, {killed} killed ({late} by the time limit), {len(equal)} "
        f"equivalent, {real - killed} not seen: {share:.1%} of those that differ"
    )
    for name in left:
        before, after = changes(name, module)
        if name in equal:
            print(f"    equivalent ({equal[name]}): {after}")
        else:
            print(f"    {ends[name]}, {name}:\n      - {before}\n      + {after}")
    return share >= WANTED


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy_to(Path(folder))
        os.chdir(folder)
        run = [sys.executable, "-m", "mutmut", "run", "--max-children", "1", *sys.argv[1:]]
        done = subprocess.run(run, check=False)
        if done.returncode:
            return done.returncode
        print()
        enough = [report(module) for module in MODULES]
        os.chdir(ROOT)
    return 0 if all(enough) else 1


if __name__ == "__main__":
    sys.exit(main())

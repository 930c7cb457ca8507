"""Stored outputs hold on other processors: OpenBLAS multiplies there in another order."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lessons import FOLDER, NOTEBOOKS, ROOT, Lesson

KERNELS = ("Haswell", "Sandybridge")  # of OpenBLAS, for processors with and without AVX2


@pytest.mark.long
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="kernels of x86")
@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("lesson", NOTEBOOKS, ids=lambda lesson: lesson.name)
def test_outputs_are_the_same_with_another_kernel(
    lesson: Lesson, kernel: str, tmp_path: Path
) -> None:
    copy = shutil.copy(lesson.path, tmp_path)  # other tests look at what stands beside the first
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist"]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(tmp_path)]
    command += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "600"]
    command += ["--nbval-sanitize-with", str(FOLDER / "nbval_sanitize.cfg"), str(copy)]
    environment = os.environ | {"OPENBLAS_CORETYPE": kernel, "QT_PROGRESS": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]

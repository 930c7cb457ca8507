"""A WRITE beside the commands of other branches: what it has opened may become a repository."""

from pathlib import Path

import pytest
from plans import run
from sandboxes import BACKENDS

# The command waits until the WRITE has begun, and is over long before the file is written.
PLAN = """VAR text = "# a comment of some length, as a config may hold\\n"
{doubled}
MKDIR "late"
PARALLEL {{
    STEP "write" {{
        WRITE "late/config" <<W
[core]
    fsmonitor = touch pwned
{{{{text}}}}
W
    }}
    STEP "make it a repository" {{
        RUN <<W
while test -z "$(ls -A late)"; do sleep 0.01; done
git init -q new && mv new/.git/* late && mv late .git
W
    }}
}}
"""


@pytest.mark.parametrize("profile", ["none", *(["standard"] if BACKENDS else [])])
def test_what_is_written_meanwhile_is_no_config(profile: str, tmp_path: Path) -> None:
    doubled = "\n".join(['VAR text = "{{text}}{{text}}"'] * 19)
    report = run(PLAN.format(doubled=doubled), tmp_path, sandbox_profile=profile)
    assert report["exit_code"] == 0, report["error"]
    assert (tmp_path / ".git/HEAD").exists()
    assert b"fsmonitor" not in (tmp_path / ".git/config").read_bytes()

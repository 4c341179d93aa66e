"""docs/explore.md, carried out: its Python and its commands."""

import re
import shlex

from vidgan import cli, video


def blocks(root, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (root / "docs/explore.md").read_text("utf-8"), re.S)


def test_the_python_runs(root, checkpoints, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    resampling, walking, growing = blocks(root, "python")
    names = {}
    exec(compile(resampling, "docs/explore.md", "exec"), names)
    assert [clip.shape for clip in names["clips"]] == [(16, 64, 64, 3)] * 4
    assert "Share(appearance=0." in capsys.readouterr().out
    exec(compile(walking, "docs/explore.md", "exec"), names)
    assert len(video.read("loop.mp4")[0]) == 30 and video.read("figure.webp")[0].shape[2] == 5 * 66 - 2
    assert "label=fear=0.5,happiness=0.5" in capsys.readouterr().out
    exec(compile(growing, "docs/explore.md", "exec"), names)
    assert "[1, 3, 8, 8, 8]" in capsys.readouterr().out and names["all_sizes"].shape == (8, 32, 4 * 34 - 2, 3)


def test_the_commands_run(root, checkpoints, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    lines = "".join(blocks(root, "bash")).splitlines()
    assert len(lines) == 5 and all(line.startswith(("vidgan resample", "vidgan interpolate")) for line in lines)
    for line in lines:
        assert cli.main(shlex.split(line)[1:]) == 0, f"{line}: {capsys.readouterr().err}"
        assert len(video.read(line.split()[-1])[0])
    assert video.read("within.png")[0].shape == (1, 16 * 66 - 2, 7 * 66 - 2, 3)
    assert len(video.read("people.mp4")[0]) == 30

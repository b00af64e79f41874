from pathlib import Path

import pytest

from ganzoo.runs.config import RunConfig
from ganzoo.runs.directory import RunDirectory
from ganzoo.runs.record import RunRecord

SCHEDULE = {"schedule": 300, "half_life": 10, "tick": 20, "save_every": 30}


@pytest.fixture
def record() -> RunRecord:
    config = RunConfig(model="infogan", data="mnist", images=300, **SCHEDULE)
    data = {"name": "mnist", "shape": [1, 28, 28], "size": 60_000}
    return RunRecord(config=config, origins={"images": "--images"}, data=data, data_checksum="0" * 64)


@pytest.fixture
def run(tmp_path: Path, record: RunRecord) -> RunDirectory:
    return RunDirectory.create(tmp_path / "runs", record)

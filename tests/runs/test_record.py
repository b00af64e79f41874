import json

import pytest

from ganzoo.core.errors import RunError, UsageError
from ganzoo.runs.record import SCHEMA_VERSION, RunRecord, installed_versions, plugin_versions


def test_versions_of_all_that_a_run_depends_on():
    assert set(installed_versions()) == {"ganzoo", "torch", "python"}
    assert installed_versions()["python"].startswith("3.")


def test_versions_of_plugins_stand_beside_the_others_and_in_place_of_none():
    plugins = {"hello-gan": "0.1.0 (sources 3fa81c20d5e7)", "torch": "sources 000000000000"}
    found = installed_versions(plugins)
    assert installed_versions().items() <= found.items()
    assert plugin_versions(found) == {
        "hello-gan": "0.1.0 (sources 3fa81c20d5e7)",
        "plugin torch": "sources 000000000000",
    }
    assert plugin_versions(installed_versions()) == {}


def test_a_run_from_before_plugins_were_recorded_is_read(tmp_path, record):
    values = json.loads(record.text()) | {"versions": {"python": "3.12.3", "ganzoo": "0.1.0", "torch": "2.11.0"}}
    (tmp_path / "run.json").write_text(json.dumps(values))
    assert plugin_versions(RunRecord.read(tmp_path / "run.json").versions) == {}


def test_text_is_readable_and_reads_back(tmp_path, record):
    file = tmp_path / "run.json"
    file.write_text(record.text())
    assert '\n  "config": {\n    "model": "infogan"' in record.text()
    assert RunRecord.read(file) == record
    assert record.data_spec.shape == (1, 28, 28)
    assert record.status == "running"


def test_a_missing_record_means_that_it_is_no_run(tmp_path):
    with pytest.raises(UsageError, match="is not a run directory"):
        RunRecord.read(tmp_path / "run.json")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"schema_version": 1, "config": 3}', "\xff", "[" * 100_000])
def test_a_damaged_record_is_one_sentence(tmp_path, text):
    file = tmp_path / "run.json"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(RunError, match=r"run\.json is damaged: ") as caught:
        RunRecord.read(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("versions", "needed"), [({"ganzoo": "9.1.0"}, r"needs ganzoo 9\.1\.0"), (None, "needs a newer ganzoo")]
)
def test_a_record_of_a_newer_ganzoo_names_the_version_needed(tmp_path, record, versions, needed):
    values = json.loads(record.text()) | {
        "schema_version": SCHEMA_VERSION + 1,
        "versions": versions,
        "new": 1,
    }
    (tmp_path / "run.json").write_text(json.dumps(values))
    with pytest.raises(RunError, match=needed):
        RunRecord.read(tmp_path / "run.json")

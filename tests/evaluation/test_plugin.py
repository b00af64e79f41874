import re
import subprocess
import sys
from pathlib import Path

import pytest

from ganzoo.evaluation import plugin
from ganzoo.evaluation.metric import GROUPS

METRICS = plugin.ganzoo_register_metrics()
EXTRACTORS = plugin.ganzoo_register_extractors()
PAGE = Path(__file__).resolve().parents[2] / "docs" / "evaluation.md"


@pytest.mark.parametrize("offered", [*METRICS, *EXTRACTORS], ids=lambda offered: offered.name)
def test_what_is_built_in_says_what_it_is(offered):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", offered.name)
    assert offered.summary and "\n" not in offered.summary and not offered.summary.endswith(".")
    assert len(offered.summary) <= 100
    assert f"`{offered.name}`" in PAGE.read_text(encoding="utf-8")


def test_metrics_are_registered_in_the_order_in_which_they_are_shown():
    groups = [GROUPS.index(metric.group) for metric in METRICS]
    assert groups == sorted(groups)
    assert len({metric.name for metric in METRICS}) == len(METRICS)


def test_loading_the_plugin_imports_no_library_that_a_single_metric_needs():
    program = (
        "import sys, ganzoo.evaluation.plugin; "
        "heavy = {'sklearn', 'scipy', 'torchmetrics', 'torch_fidelity', 'torchvision', 'matplotlib'}; "
        "sys.exit(str(heavy & set(sys.modules) or ''))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stderr.strip() == ""

"""What the real lhp counts in a project, asked of its own Python API. Run with the Python of a venv that has lhp.

One JSON question a line on stdin, one JSON answer a line on stdout: importing lhp costs half a second, so one process
answers for every project of a test file.
"""

import json
import logging
import os
import sys
from pathlib import Path

# lhp may print; only the answers belong on stdout.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
logging.disable(logging.CRITICAL)

try:
    from lhp.api import LakehousePlumberApplicationFacade

    def flowgroups(root, pipeline_config):
        """lhp 0.9: the public facade, without the parse cache that the run itself keeps in the project."""
        facade = LakehousePlumberApplicationFacade.for_project(
            root, pipeline_config_path=pipeline_config, no_cache=True
        )
        return [(view.pipeline, view.template) for view in facade.inspection.list_flowgroups()]

except ImportError:
    from lhp.core.orchestrator import ActionOrchestrator

    def flowgroups(root, pipeline_config):
        """Before 0.9 there is no such facade: the orchestrator that every command is built on."""
        found = ActionOrchestrator(root, pipeline_config_path=pipeline_config).discover_all_flowgroups()
        return [(flowgroup.pipeline, flowgroup.use_template) for flowgroup in found]


def count(question):
    found = flowgroups(Path(question["root"]), question.get("pipelineConfig"))
    templates = [template for _, template in found if template]
    return {
        "flowgroups": len(found),
        "flowgroupsUsingTemplates": len(templates),
        "templates": len(set(templates)),
        "pipelines": len({pipeline for pipeline, _ in found}),
        "python": "%d.%d" % sys.version_info[:2],
    }


for line in sys.stdin:
    try:
        answer = count(json.loads(line))
    except Exception as error:  # the test that asked says which project it was
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()

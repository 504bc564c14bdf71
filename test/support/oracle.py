"""Counts what a project contains by lhp's own Python API.

Run it with the Python of a venv that has lhp.

It reads one JSON question a line from stdin and writes one JSON answer a line to stdout. Importing
lhp takes half a second, so one process answers for all projects of a test file. A question with
`texts` asks how lhp's loaders read each text, in turn as the content of one file. To discover the
whole project for each text would take ten times as long.
"""

import json
import logging
import os
import sys
from pathlib import Path

import yaml

# lhp may print to stdout, so the answers get a descriptor of their own.
answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
logging.disable(logging.CRITICAL)

try:
    from lhp.api import LakehousePlumberApplicationFacade

    def flowgroups(root, pipeline_config):
        """lhp 0.9: the public facade, without the parse cache in the project."""
        facade = LakehousePlumberApplicationFacade.for_project(
            root, pipeline_config_path=pipeline_config, no_cache=True
        )
        return [(view.pipeline, view.template) for view in facade.inspection.list_flowgroups()]

except ImportError:
    from lhp.core.orchestrator import ActionOrchestrator

    def flowgroups(root, pipeline_config):
        """Before lhp 0.9: the orchestrator, which every command uses."""
        orchestrator = ActionOrchestrator(root, pipeline_config_path=pipeline_config)
        found = orchestrator.discover_all_flowgroups()
        return [(flowgroup.pipeline, flowgroup.use_template) for flowgroup in found]


from lhp.parsers.yaml_parser import YAMLParser

try:
    from lhp.core.loaders import ProjectConfigLoader
    from lhp.parsers.yaml_loader import load_yaml_documents_all
except ImportError:
    from lhp.core.project_config_loader import ProjectConfigLoader
    from lhp.utils.yaml_loader import load_yaml_documents_all
try:
    from lhp.parsers.blueprint_parser import BlueprintParser
except ImportError:
    pass  # before 0.8.6 lhp has no blueprints


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


def project(root, path):
    """`taken`, or `dropped` where lhp continues as if lhp.yaml did not exist."""
    return "dropped" if ProjectConfigLoader(root).load_project_config() is None else "taken"


def flowgroups_of(root, path):
    """Pipeline, name and template of each flowgroup in a file."""
    found = YAMLParser().parse_flowgroups_from_file(path)
    return [[one.pipeline, one.flowgroup, one.use_template or None] for one in found]


def blueprint(root, path):
    return BlueprintParser().parse_blueprint_file(path).name


def instance(root, path):
    """Number of flowgroups from a file below pipelines/ that may be an instance."""
    found = YAMLParser().parse_flowgroups_from_file(path)
    documents = load_yaml_documents_all(path)
    if not BlueprintParser.looks_like_instance(documents[0]):
        return len(found)
    known = BlueprintParser().parse_blueprint_file(root / "blueprints" / "b.yaml")
    BlueprintParser().parse_instance_file(path, {known.name: known})
    return len(found) + len(known.flowgroups)


READERS = {
    "project": project,
    "flowgroups": flowgroups_of,
    "blueprint": blueprint,
    "instance": instance,
}


def read(question):
    """The result for each text; `ended` where lhp raises an error.

    lhp then ends, or (before 0.8.7) skips the file of a flowgroup.
    """
    root, reader = Path(question["root"]), READERS[question["reader"]]
    # lhp uses the C loader itself since 0.9.1. It gives the same values in a third of the time.
    yaml.SafeLoader = yaml.CSafeLoader
    path = root / question["path"]
    answers = []
    for text in question["texts"]:
        path.write_text(text)
        try:
            answers.append(reader(root, path))
        except Exception:
            answers.append("ended")
    return {"answers": answers}


for line in sys.stdin:
    try:
        question = json.loads(line)
        answer = read(question) if "texts" in question else count(question)
    except Exception as error:  # the test reports it with the project's name
        answer = {"error": "%s: %s" % (type(error).__name__, error)}
    answers.write(json.dumps(answer) + "\n")
    answers.flush()

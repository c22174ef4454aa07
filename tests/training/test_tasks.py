"""One object per task is the only place that asks which task it is."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import shakegen
from shakegen.network.config import TASKS as NAMES
from shakegen.training.tasks import TASKS, get_task

PACKAGE = Path(shakegen.__file__).parent
OF_A_TASK = ("study/autocomplete/", "training/tasks/", "network/config.py")
KINDS = {"AutocompleteCorpus", "AutocompleteModel", "LanguageModel"}


def is_question(node: ast.AST) -> bool:
    """Whether a node of a program asks which task something is of."""
    if isinstance(node, ast.Compare):
        operands = [node.left, *node.comparators]
        named = {one.value for one in operands if isinstance(one, ast.Constant)} & set(NAMES)
        return bool(named) or any(is_words(one) for one in operands)
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        return is_words(node.test)
    if isinstance(node, ast.BoolOp):
        return any(map(is_words, node.values))
    if isinstance(node, ast.Call) and getattr(node.func, "id", None) in ("any", "all", "bool", "isinstance", "type"):
        inside = [part for argument in node.args for part in ast.walk(argument)]
        return any(getattr(part, "id", None) in KINDS or is_words(part) for part in inside)
    return False


def is_words(node: ast.AST) -> bool:
    """Whether a node is `model.words`, or the like."""
    return isinstance(node, ast.Attribute) and node.attr == "words"


@pytest.mark.parametrize(
    ("code", "asks"),
    [
        ("if config.task == 'autocomplete': pass", True),
        ("a = 1 if model.words else 2", True),
        ("any(model.words for model in models)", True),
        ("isinstance(corpus, AutocompleteCorpus)", True),
        ("if model.words is None: pass", True),
        ("corpus.task != config.task", False),
        ("model.words.encode(text)", False),
    ],
)
def test_questions_are_recognised(code, asks):
    assert any(map(is_question, ast.walk(ast.parse(code)))) == asks


def test_nothing_else_asks_which_task_it_is():
    questions = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if not str(path.relative_to(PACKAGE)).startswith(OF_A_TASK)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if is_question(node)
    ]
    assert questions == []


def test_there_is_an_object_for_every_task_of_a_configuration():
    assert tuple(TASKS) == NAMES
    for name in NAMES:
        assert get_task(name).make_config(cell="rnn").task == get_task(name).kind.task == name
    with pytest.raises(ValueError) as error:
        get_task("classify")
    assert str(error.value) == "there is no task 'classify': expected one of next, autocomplete"


def test_tasks_and_beginnings_need_no_tensorflow():
    code = "import sys, shakegen.training.tasks, shakegen.training.text_run, shakegen.compare.comparison; "
    code += "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0

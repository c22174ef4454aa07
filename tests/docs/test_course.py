"""The commands of the course have the options that there are."""

import re
import shlex
from pathlib import Path

import click
import pytest

from shakegen.cli import main

COURSE = Path(__file__).parents[2] / "docs" / "course.md"
COMMANDS = re.findall(r"^shakegen (.*)$", COURSE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_course_can_be_read(line):
    command, context, words = main, click.Context(main, **main.context_settings), shlex.split(line)
    while isinstance(command, click.Group):
        command = command.get_command(context, words.pop(0))
    command.make_context("course", words, context)


def test_each_lesson_has_a_goal_commands_questions_and_answers():
    lessons, answers = COURSE.read_text(encoding="utf-8").split("## Answers")
    for number, lesson in enumerate(re.split(r"^## \d+\. ", lessons, flags=re.MULTILINE)[1:], 1):
        for part in ("**Goal.**", "```sh", "**What the class sees.**", "**Questions.**", "**Try.**"):
            assert part in lesson, f"lesson {number}"
        questions = re.findall(r"^(\d)\. ", lesson, re.MULTILINE)
        answer = re.search(rf"^\*\*{number}\.\*\*(.*?)(?=^\*\*\d|\Z)", answers, re.MULTILINE | re.DOTALL)[1]
        assert re.findall(r"\((\d)\)", answer) == questions, f"lesson {number}"

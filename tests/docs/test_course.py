"""The course has all its parts."""

import re


def test_each_lesson_has_a_goal_commands_questions_and_answers(root):
    course = (root / "docs" / "course.md").read_text(encoding="utf-8")
    lessons, answers = course.split("## Answers")
    for number, lesson in enumerate(re.split(r"^## \d+\. ", lessons, flags=re.MULTILINE)[1:], 1):
        for part in ("**Goal.**", "```sh", "**What the class sees.**", "**Questions.**", "**Try.**"):
            assert part in lesson, f"lesson {number}"
        questions = re.findall(r"^(\d)\. ", lesson, re.MULTILINE)
        answer = re.search(rf"^\*\*{number}\.\*\*(.*?)(?=^\*\*\d|\Z)", answers, re.MULTILINE | re.DOTALL)[1]
        assert re.findall(r"\((\d)\)", answer) == questions, f"lesson {number}"

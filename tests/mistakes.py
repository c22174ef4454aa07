"""What a command does with bad input."""


def fails(result, message):
    """Whether it ended in that one line, and wrote nothing else."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"Error: {message}\n"
    return True

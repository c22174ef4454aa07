"""The end of a command that gets bad input."""


def fails(result, message):
    """Assert that the command ended with this one line, and wrote nothing else."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr == f"Error: {message}\n"
    return True

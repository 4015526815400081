"""The exception tree and its one border to the operating system."""

import errno
import pickle
import re

import pytest

from domainsmith import errors
from domainsmith.errors import DomainSmithError, translated_os_errors


def test_the_drawn_tree_is_the_real_one() -> None:
    drawn = set(re.findall(r"-- (\w+)", errors.__doc__ or "")) | {"DomainSmithError"}
    assert drawn == {name for name in errors.__all__ if name[0].isupper()}


def test_a_message_says_what_where_and_what_to_do() -> None:
    error = errors.InputNotFound("No such folder", where="docs", fix="Check the name.")
    assert str(error) == "No such folder (docs). Check the name."
    assert error.exit_code == 2


def test_errors_cross_process_borders() -> None:
    # The standard library's process pools pickle exceptions; ours must keep their fields.
    copy = pickle.loads(pickle.dumps(errors.PortInUse("Port taken", where=80, fix="Choose.")))
    assert isinstance(copy, errors.PortInUse)
    assert str(copy) == "Port taken (80). Choose."


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.ENOSPC, errors.ResourceExhausted),
        (errno.ENOENT, errors.InputNotFound),
        (errno.EACCES, errors.InputUnreadable),
        (errno.EIO, errors.InputUnreadable),
    ],
)
def test_os_errors_are_translated(code: int, kind: type[DomainSmithError]) -> None:
    with pytest.raises(kind, match="some/file"), translated_os_errors("some/file"):
        raise OSError(code, "reason")

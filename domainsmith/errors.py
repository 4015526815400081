"""The exception tree, sorted by who must act.

::

    DomainSmithError
    |-- UserError        exit 2   the caller gave something that cannot be used
    |   |-- InputNotFound         a file, folder, id or name does not exist
    |   |-- InputEmpty            there is something, but nothing in it
    |   |-- InputUnreadable       it exists and cannot be read (rights, broken, encrypted, too big)
    |   |-- InputInvalid          it was read and breaks a rule (schema, range, collected problems)
    |   `-- ApprovalDenied        a side effect was not approved
    |-- OperatorError    exit 3   the machine or the installation must be changed
    |   |-- WeightsMissing        no model weights under that name
    |   |-- DependencyMissing     an optional library is not installed
    |   |-- ResourceExhausted     disk, memory or file handles ran out
    |   |-- PortInUse             another program listens there
    |   |-- WorkspaceLocked       another process holds the lock; it is named
    |   |-- WorkspaceTooNew       written by a newer version of this program
    |   `-- EndpointUnavailable   a remote model server does not answer as it should
    |-- ModelError       exit 4   the model's output or its limits are the problem
    |   |-- ContextOverflow       the prompt is longer than the model's context
    |   |-- OutputInvalid         the output breaks its constraint
    |   `-- YieldTooLow           too little usable output; below the stated floor
    |-- JobFailed        exit 5   a background job ended without its result
    `-- InternalError    exit 70  a defect of this program, or damaged files of its own
        `-- ArtifactCorrupt       a file differs from its manifest

Exit 1 is left for a command that ran and found a failure (a check that did not pass),
124 for a timeout and 130 for an interrupt by the user.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = [
    "ApprovalDenied",
    "ArtifactCorrupt",
    "ContextOverflow",
    "DependencyMissing",
    "DomainSmithError",
    "EndpointUnavailable",
    "InputEmpty",
    "InputInvalid",
    "InputNotFound",
    "InputUnreadable",
    "InternalError",
    "JobFailed",
    "ModelError",
    "OperatorError",
    "OutputInvalid",
    "PortInUse",
    "ResourceExhausted",
    "UserError",
    "WeightsMissing",
    "WorkspaceLocked",
    "WorkspaceTooNew",
    "YieldTooLow",
    "translated_os_errors",
]


class DomainSmithError(Exception):
    """Root of every error that this package raises on purpose.

    Args:
        what: What was wrong, as one sentence without a full stop.
        where: The file, folder, id or setting that it is about.
        fix: What the reader can do next, as one imperative sentence.
    """

    exit_code: int = 70

    def __init__(self, what: str, *, where: object = None, fix: str | None = None) -> None:
        super().__init__(what, where, fix)
        self.what = what
        self.where = None if where is None else str(where)
        self.fix = fix

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        fix = f" {self.fix}" if self.fix else ""
        return f"{self.what}{place}.{fix}"

    def __reduce__(self) -> tuple[object, ...]:
        # Errors cross process borders (loader children), so keyword-only fields must survive.
        return (_rebuild, (type(self), self.what, self.where, self.fix))


def _rebuild(
    kind: type[DomainSmithError], what: str, where: str | None, fix: str | None
) -> DomainSmithError:
    return kind(what, where=where, fix=fix)


class UserError(DomainSmithError):
    """The caller gave something that cannot be used."""

    exit_code = 2


class InputNotFound(UserError):
    """A file, folder, id or name does not exist."""


class InputEmpty(UserError):
    """The input exists but holds nothing that can be used."""


class InputUnreadable(UserError):
    """The input exists and cannot be read."""


class InputInvalid(UserError):
    """The input was read and breaks a rule."""


class ApprovalDenied(UserError):
    """A side effect was proposed and not approved."""


class OperatorError(DomainSmithError):
    """The machine or the installation must be changed."""

    exit_code = 3


class WeightsMissing(OperatorError):
    """No model weights are found under a name."""


class DependencyMissing(OperatorError):
    """An optional library is not installed."""


class ResourceExhausted(OperatorError):
    """Disk space, memory or file handles ran out."""


class PortInUse(OperatorError):
    """Another program listens on the port."""


class WorkspaceLocked(OperatorError):
    """Another process holds the lock; the message names it."""


class WorkspaceTooNew(OperatorError):
    """The workspace was written by a newer version of this program."""


class EndpointUnavailable(OperatorError):
    """A remote model server does not answer as it should."""


class ModelError(DomainSmithError):
    """The model's output, or one of its limits, is the problem."""

    exit_code = 4


class ContextOverflow(ModelError):
    """The prompt is longer than the model's context."""


class OutputInvalid(ModelError):
    """The model's output breaks its constraint."""


class YieldTooLow(ModelError):
    """Too little usable output, below a stated floor."""


class JobFailed(DomainSmithError):
    """A background job ended without its result."""

    exit_code = 5


class InternalError(DomainSmithError):
    """A defect of this program, or damage to files that it owns."""

    exit_code = 70


class ArtifactCorrupt(InternalError):
    """A file is missing or differs from its manifest."""


_EXHAUSTED = {
    errno.ENOSPC: "The disk is full",
    errno.EDQUOT: "The disk quota is used up",
    errno.EMFILE: "Too many files are open",
    errno.ENFILE: "Too many files are open on this machine",
    errno.ENOMEM: "Memory ran out",
}


@contextmanager
def translated_os_errors(where: object) -> Iterator[None]:
    """Turn operating-system errors into this tree: the one border for them.

    Args:
        where: What was being read or written, named in the message.

    Raises:
        ResourceExhausted: Disk, quota, memory or file handles ran out.
        InputNotFound: The path does not exist.
        InputUnreadable: The path may not be accessed, or another I/O error occurred.
    """
    try:
        yield
    except OSError as error:
        place = error.filename or where
        if error.errno in _EXHAUSTED:
            raise ResourceExhausted(
                _EXHAUSTED[error.errno],
                where=place,
                fix="Free some and run the same command again; finished work is kept.",
            ) from error
        if isinstance(error, FileNotFoundError):
            raise InputNotFound(
                "No such file or folder", where=place, fix="Check the name."
            ) from error
        reason = error.strerror or type(error).__name__
        raise InputUnreadable(
            f"Cannot access the path: {reason}", where=place, fix="Check its permissions."
        ) from error

"""Why a task could not do its work."""

from typing import Any, Optional


class kind:
    """The kinds of problems that the specification names. A task may use any other URI reference for kinds of its own."""

    _base = "https://open-workflow-specification.org/spec/1.0.0/errors/"
    CONFIGURATION = _base + "configuration"
    VALIDATION = _base + "validation"
    EXPRESSION = _base + "expression"
    AUTHENTICATION = _base + "authentication"
    AUTHORIZATION = _base + "authorization"
    TIMEOUT = _base + "timeout"
    COMMUNICATION = _base + "communication"
    RUNTIME = _base + "runtime"


class Problem(Exception):
    """Problem details (RFC 9457). Raise it; the workflow can catch it by any of its members.

    `detail` says what happened this time, and what to do about it; `type` is a URI reference that identifies the kind (one of
    `kind`, or your own; without it `kind.RUNTIME`); `status` an HTTP status that describes it best (without it 500); `title` a
    summary that is the same for every problem of the kind. Any other members are yours.

        raise Problem("the customer owes more than 30 days", status=422, title="Order refused", customer="C-1001")
    """

    def __init__(
        self,
        detail: Optional[str] = None,
        *,
        type: Optional[str] = None,
        status: Optional[int] = None,
        title: Optional[str] = None,
        **extensions: Any,
    ):
        super().__init__(detail)
        self.detail = detail
        self.type = type
        self.status = status
        self.title = title
        self.extensions = extensions

    @classmethod
    def validation(cls, detail: str, **members: Any) -> "Problem":
        """The data does not fit: `kind.VALIDATION`, status 400."""
        return cls(detail, **{"type": kind.VALIDATION, "status": 400, **members})

    @classmethod
    def of(cls, error: BaseException) -> "Problem":
        """Any exception as a problem, with what caused it. A problem stays what it is."""
        if isinstance(error, Problem):
            return error
        if isinstance(error, MemoryError):
            detail = "the task needs more memory than a call may use; give it less data at once"
            return cls(detail, title="Memory limit")
        if isinstance(error, SystemExit):
            detail = f"the task ended its process with {error.code!r} instead of returning; make it return, or raise a Problem"
            return cls(detail, title="Task exited")
        return cls(_told(error))

    def __str__(self) -> str:
        title = self.title or self.type or "Problem"
        about = f"{title} ({self.status or 500})"
        return f"{about}: {self.detail}" if self.detail else about


# How many causes are told: what runs in a circle must end.
_CAUSES_TOLD = 16


def _told(error: BaseException) -> str:
    parts: list[str] = []
    cause: Optional[BaseException] = error
    while cause is not None and len(parts) < _CAUSES_TOLD:
        text = str(cause)
        # `KeyError('sku')` says no more than `'sku'`.
        parts.append(f"{type(cause).__name__}: {text}" if text else type(cause).__name__)
        cause = cause.__cause__
    return ": ".join(parts)

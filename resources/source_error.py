"""What goes wrong with an outside source, in words that may be logged: no secret is ever in them."""


class SourceError(RuntimeError):
    """An outside source gave no usable answer; the message has the URL, the status and how the body starts.

    Attributes
    ----------
    url : str
        What was asked, without secrets.
    status : int or None
        HTTP status; None when no answer came.
    """

    def __init__(self, message: str, *, url: str = "", status: int | None = None) -> None:
        super().__init__(message)
        self.url = url
        self.status = status


class SourceUnavailableError(SourceError):
    """The source did not answer in time, or asked to come back later; a later call may help.

    Attributes
    ----------
    retry_after_s : float or None
        When it asked to come back, from now.
    """

    def __init__(
        self, message: str, *, url: str = "", status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, url=url, status=status)
        self.retry_after_s = retry_after_s


class RequestRefusedError(SourceError, ValueError):
    """The source will not answer this request whenever it is asked: an unknown symbol, a missing key."""

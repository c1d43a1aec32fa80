"""The engine's one family of errors: each carries a sentence meant for a person.

`str(error)` is that sentence in English. `error.key` and `error.details` let a translator (the bot)
say the same in another language: the key names the text, the details fill its placeholders.
"""

from __future__ import annotations


class LookalikeError(Exception):
    """Something a person should be told, in words that help.

    Args:
        message: One English sentence, without a stack trace's vocabulary.
        key: Name of the same sentence among the translated texts.
        details: Values for that text's placeholders.
    """

    def __init__(self, message: str, *, key: str, **details: str | float) -> None:
        super().__init__(message)
        self.key = key
        self.details = details


class SettingsError(LookalikeError):
    """A setting has a value that cannot be used; the message names the setting."""


class ImageError(LookalikeError):
    """The bytes are no picture that can be used: wrong format, broken, or too many pixels."""


class UnknownMetricError(LookalikeError):
    """No metric has this name."""


class UnknownCategoryError(LookalikeError):
    """The library has no such category; the message names the nearest ones."""


class UnknownImageError(LookalikeError):
    """The library has no picture with this id or path."""


class EmptyLibraryError(LookalikeError):
    """There is nothing to search yet."""


class EncoderUnavailableError(LookalikeError):
    """The encoder cannot be loaded (no connection, no such model) or is switched off."""


class NoTextSideError(LookalikeError):
    """The encoder reads pictures only, not words."""


class WordsError(LookalikeError):
    """Words that cannot be asked with; the message says how to say it."""


class QuotaError(LookalikeError):
    """Somebody's own collection holds as many pictures as it may."""


class LibraryLockedError(LookalikeError):
    """Another process is writing this library; the message names it."""


class StoreError(LookalikeError):
    """A store (rows, vectors, catalogue) does not hold what it should, or cannot be reached."""

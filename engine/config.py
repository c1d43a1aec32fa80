"""Settings: all come from the environment or `.env`, are validated here and named in errors."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from engine.errors import SettingsError
from engine.metrics import metric_named

SOURCES = ("openverse", "commons", "flickr", "freeimages")


class Settings(BaseSettings):
    """What the user decides. Immutable; made once at start by `load_settings` and handed down.

    Empty values count as not set, so a commented template can be filled in line by line.
    """

    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    telegram_token: SecretStr | None = None
    telegram_api_url: str = "https://api.telegram.org"
    admin_ids: Annotated[tuple[int, ...], NoDecode] = ()
    data_dir: Path = Path("data")
    encoder: str = "clip"
    device: str = Field(default="auto", pattern=r"^(auto|cpu|mps|cuda(:\d+)?)$")
    metric: str = "clip"
    topk: int = Field(default=5, ge=1, le=10)
    collection_quota: int = Field(default=500, ge=1)
    bot_language: Literal["auto", "en", "vi"] = "auto"
    database_url: str | None = None
    chroma_url: str | None = None
    webhook_url: str | None = None
    webhook_secret: SecretStr | None = None
    webhook_port: int = Field(default=8443, ge=1, le=65535)
    crawl_sources: Annotated[tuple[str, ...], NoDecode] = ("openverse", "commons")
    openverse_url: str = "https://api.openverse.org"
    commons_url: str = "https://commons.wikimedia.org"
    flickr_url: str = "https://www.flickr.com"
    flickr_api_url: str = "https://api.flickr.com"
    freeimages_url: str = "https://www.freeimages.com"
    flickr_api_key: SecretStr | None = None
    crawl_delay: float = Field(default=1.0, ge=0, allow_inf_nan=False)
    crawl_allow: Annotated[tuple[str, ...], NoDecode] = ()
    crawl_contact: str | None = Field(default=None, pattern=r"^[ -'*-~]+$")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    log_format: Literal["text", "json"] = "text"

    @field_validator("admin_ids", "crawl_sources", "crawl_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("crawl_sources")
    @classmethod
    def _known_sources(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in SOURCES:
                raise ValueError(f"no source is called {name!r}; there are {', '.join(SOURCES)}")
        return value

    @field_validator("crawl_allow")
    @classmethod
    def _pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pair in value:
            if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^\s:/@\[\]]+):\d{1,5}", pair):
                raise ValueError(f"{pair!r} is no pair like host:8080 or [::1]:8080")
        return value

    @field_validator("metric")
    @classmethod
    def _known_metric(cls, value: str) -> str:
        return metric_named(value).name

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    @field_validator(
        "telegram_api_url",
        "chroma_url",
        "webhook_url",
        "openverse_url",
        "commons_url",
        "flickr_url",
        "flickr_api_url",
        "freeimages_url",
    )
    @classmethod
    def _web_address(cls, value: str | None) -> str | None:
        if value is None:
            return None
        parts = urlsplit(value)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("must be an address like https://host or http://host:port")
        return value.rstrip("/")

    @property
    def library_dir(self) -> Path:
        """Folder of the picture files that the library itself stores."""
        return self.data_dir / "library"

    @property
    def vectors_dir(self) -> Path:
        """Folder of embeddings: the matrices and the embedded Chroma."""
        return self.data_dir / "vectors"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the catalogue."""
        return self.database_url or f"sqlite:///{self.data_dir / 'lookalike.db'}"


def load_settings(**overrides: object) -> Settings:
    """Read the settings; `overrides` (by field name) win over the environment.

    Raises:
        SettingsError: A value cannot be used. The message names the setting, never its value.
    """
    try:
        return Settings(**overrides)  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]).upper() if first["loc"] else "settings"
        reason = first["msg"].removeprefix("Value error, ")
        raise SettingsError(f"{name}: {reason}", key="settings", name=name, reason=reason) from None

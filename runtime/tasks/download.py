"""Fetching archives: nothing is used before its checksum is right, and nothing is ever left half done."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from urllib.request import urlopen

from atnas.dsl.errors import Unable

LARGEST = 2**30
"""The most bytes that an archive may hold, unpacked."""


@dataclass(frozen=True)
class Archive:
    """A zip file on the network, its MD5, and what it unpacks to: one folder named as the file is."""

    url: str
    md5: str

    @property
    def folder(self) -> str:
        """`images_background` of `https://.../images_background.zip`."""
        return PurePosixPath(urlsplit(self.url).path).stem


def fetch(archive: Archive, target: Path) -> None:
    """Fetches and unpacks to `target / archive.folder`, where that is not there yet. Raises `Unable`."""
    if (target / archive.folder).is_dir():
        return
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target, prefix=".download-") as temporary:
            file = Path(temporary, "archive.zip")
            _download(archive, file)
            _unpack(archive, file, Path(temporary))
            _put(Path(temporary, archive.folder), target / archive.folder)
    except (OSError, HTTPException) as error:
        raise Unable(
            f"{archive.url} could not be fetched into {target} ({error}); fetch it by other means and unpack it there"
        ) from error


def _download(archive: Archive, file: Path) -> None:
    with urlopen(archive.url, timeout=60) as response, file.open("wb") as out:
        shutil.copyfileobj(response, out)
    with file.open("rb") as written:
        found = hashlib.file_digest(written, "md5").hexdigest()
    if found != archive.md5:
        raise Unable(f"{archive.url} has MD5 {found} and not {archive.md5}: it was cut short or changed; try again")


def _unpack(archive: Archive, file: Path, target: Path) -> None:
    """Members outside `archive.folder` are left; one that would lie elsewhere is an error."""
    try:
        with zipfile.ZipFile(file) as opened:
            for member in _members(archive, opened):
                opened.extract(member, target)
    except (zipfile.BadZipFile, NotImplementedError) as error:
        raise Unable(f"{archive.url} is not a sound zip file ({error})") from error
    if not (target / archive.folder).is_dir():
        raise Unable(f"{archive.url} holds no folder {archive.folder}")


def _members(archive: Archive, opened: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    members = opened.infolist()
    if sum(member.file_size for member in members) > LARGEST:
        raise Unable(f"{archive.url} would unpack to more than {LARGEST:,} bytes")
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in member.filename:
            raise Unable(f"{archive.url} holds {member.filename!r}, which would be written outside its folder")
        if path.parts and path.parts[0] == archive.folder:
            yield member


def _put(folder: Path, target: Path) -> None:
    try:
        folder.rename(target)
    except OSError:
        if not target.is_dir():  # else another process was quicker, with the same bytes
            raise

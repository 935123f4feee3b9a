"""Leases: locks in an object store, which has no locks of its own.

A lease is one small object. Who holds it puts it again every few seconds, each time on the
condition that nobody else has put it since (``If-Match``). The first put is on the condition that
there is no object (``If-None-Match``). A process that has died puts nothing, so after a while
without a put its lease is free. Who wants the lease measures that while on its own clock: the
clocks of two machines are never compared to decide who holds a lease.

Source: Gray and Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File
Cache Consistency", SOSP 1989.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any
from uuid import uuid4

from featurestore.credentials import without_credentials
from featurestore.errors import ConflictError, StorageError
from featurestore.optional import optional
from featurestore.store.failures import storage_error
from featurestore.store.paths import has_leases

RENEW_SECONDS = 10.0
LEASE_SECONDS = 60.0
_POLL_SECONDS = 1.0
# So long without a put, a holder stops writing: others take the lease after the whole of it.
_SAFE_PART = 2 / 3
_log = logging.getLogger(__name__)
# The leases that this process holds, by their addresses.
_held: dict[str, "Lease"] = {}
# The tokens of the leases that this process takes or holds.
_live: set[str] = set()


@dataclass(frozen=True)
class LeaseState:
    """What a lease's object says.

    Args:
        holder: Who holds it, or who held it last, as text fields.
        is_free: Whether it was released, or its process on this machine has ended.
        is_running: Whether its process is on this machine and runs.
        renewed_at: When it was put last, by the store's clock.
        version: What a put may be conditional on.
    """

    holder: Mapping[str, str]
    is_free: bool
    is_running: bool
    renewed_at: datetime
    version: Mapping[str, str]

    @property
    def age_seconds(self) -> float:
        """The seconds since it was put last, as far as the clocks of store and machine agree."""
        return (datetime.now(UTC) - self.renewed_at).total_seconds()


@dataclass(frozen=True)
class HeldLock:
    """A lease that a process holds, as its commits check it; plain data for other processes.

    Args:
        address: The URL of its object; ``""`` where there are no leases.
        token: What the object says while the process holds it; ``""`` if the process does not.
    """

    address: str = ""
    token: str = ""


NO_LEASE = HeldLock()
"""The lock of a root without leases: a file is locked, or nothing is."""


class HeldError(Exception):
    """Somebody else holds the lease.

    Args:
        holder: Who holds it.
    """

    def __init__(self, holder: Mapping[str, str]) -> None:
        super().__init__(dict(holder))
        self.holder = holder


class Lease:
    """A lock in an object store.

    Args:
        address: The URL of its object.
        holder: Who holds it, for others: text fields.
        renew_seconds: The seconds between two puts while it is held.
        lease_seconds: The seconds without a put after which it is free.

    Example:
        >>> first, second = (Lease("memory:///v.lock", {"run": run}) for run in ("r1", "r2"))
        >>> first.address
        'memory:///v.lock'
    """

    def __init__(
        self,
        address: str,
        holder: Mapping[str, str],
        *,
        renew_seconds: float = RENEW_SECONDS,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.address, self._holder = address, {**holder, "process": _process()}
        self._renew_seconds, self._lease_seconds = renew_seconds, lease_seconds
        self.token, self._count, self._renewed = uuid4().hex, 0, 0.0
        self._version: Mapping[str, str] | None = None
        self._putting, self._end = threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def is_held(self) -> bool:
        """Whether this process holds it, as far as this process knows."""
        return self._version is not None

    def acquire(self, on_wait: Callable[[Mapping[str, str]], None] | None = None) -> None:
        """Take the lease, and renew it in a thread from now on.

        A lease of a process on another machine is watched. If its holder renews it, it is held. If
        nobody does for `lease_seconds`, it is taken.

        Args:
            on_wait: Called once with the holder before it is waited for. None to refuse.

        Raises:
            HeldError: Somebody else holds it, and ``on_wait`` is None.
            SetupError: The package obstore is not installed.
            StorageError: The object store cannot be reached or written.
        """
        _live.add(self.token)
        try:
            self._wait(on_wait)
        except BaseException:
            _live.discard(self.token)
            raise
        _held[self.address] = self
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()

    def release(self) -> None:
        """Release the lease, unless somebody else has taken it.

        Raises:
            StorageError: The object store cannot be reached or written.
        """
        if _held.get(self.address) is self:
            del _held[self.address]
        self._end.set()
        if self._thread is not None:
            self._thread.join()
        try:
            with self._putting:
                if self._version is not None:
                    version, self._version = self._version, None
                    self._put(version, is_free=True)
        finally:
            _live.discard(self.token)

    def is_expiring(self) -> bool:
        """Return whether no put has succeeded for so long that others may soon take the lease."""
        waited = time.monotonic() - self._renewed
        return not self.is_held or waited > self._lease_seconds * _SAFE_PART

    def confirm(self) -> bool:
        """Return whether this process still holds the lease, after a look at the object.

        Raises:
            StorageError: The object store cannot be reached or read.
        """
        return self.is_held and self._own_state() is not None

    def _wait(self, on_wait: Callable[[Mapping[str, str]], None] | None) -> None:
        since: tuple[Mapping[str, str], float] | None = None  # an unchanged version, and from when
        while (state := self._take(since)) is not None:
            is_renewed = since is not None and since[0] != state.version
            if on_wait is None and (state.is_running or is_renewed):
                raise HeldError(state.holder)
            if since is None:
                self._tell(state, on_wait)
            if since is None or is_renewed:
                since = state.version, time.monotonic()
            time.sleep(min(_POLL_SECONDS, self._lease_seconds / 4))

    def _tell(
        self, state: LeaseState, on_wait: Callable[[Mapping[str, str]], None] | None
    ) -> None:
        if on_wait is not None:
            on_wait(state.holder)
            return
        name, seconds = without_credentials(self.address), self._lease_seconds
        _log.warning("watching the lock %s for up to %.0f s: does its holder live?", name, seconds)

    def _take(self, since: tuple[Mapping[str, str], float] | None) -> LeaseState | None:
        """Put the object if it is free, and return None; else what it says."""
        state = lease_state(self.address)
        if state is not None and not state.is_free:
            watched = 0.0 if since is None else time.monotonic() - since[1]
            if since is None or since[0] != state.version or watched < self._lease_seconds:
                return state
        self._version = self._put(None if state is None else state.version)
        if self._version is not None:
            return None
        return lease_state(self.address) or self._take(since)  # somebody was faster

    def _renew(self) -> None:
        while not self._end.wait(self._renew_seconds):
            with self._putting:
                if self._version is None:
                    return
                name = without_credentials(self.address)
                try:
                    self._version = self._put(self._version)
                except StorageError as error:  # the next put may succeed
                    found = without_credentials(error.found)
                    _log.warning("the lease %s was not renewed: %s", name, found)
                    continue
                if self._version is None:
                    _log.warning("the lease %s was taken by another process", name)

    def _put(
        self, version: Mapping[str, str] | None, *, is_free: bool = False
    ) -> Mapping[str, str] | None:
        """Put the object on a condition, and return its new version; None if others have it.

        A put may be stored and its answer lost. So after a failure, the object says who put it.
        """
        started, content = time.monotonic(), self._content(is_free=is_free)
        done = self._put_once(content, version)
        if done is None and (own := self._own_state()) is not None:
            # An earlier put of this process, whose answer was lost.
            done = self._put_once(content, own.version)
        if done is not None:
            self._renewed = started
        return done

    def _put_once(
        self, content: bytes, version: Mapping[str, str] | None
    ) -> Mapping[str, str] | None:
        try:
            done = _put(self.address, content, version)
        except StorageError:
            if (done := self._stored()) is None:
                raise
        return done or self._stored()

    def _stored(self) -> Mapping[str, str] | None:
        """Return the version of the object if it has the newest content that this process put."""
        own = self._own_state()
        is_newest = own is not None and own.holder.get("count") == str(self._count)
        return own.version if own is not None and is_newest else None

    def _own_state(self) -> LeaseState | None:
        """Return what the object says if this process put it last."""
        state = lease_state(self.address)
        is_own = state is not None and state.holder.get("token") == self.token
        return state if is_own else None

    def _content(self, *, is_free: bool = False) -> bytes:
        self._count += 1  # so that no put has the tag of the one before
        fields = {**self._holder, "token": self.token, "count": str(self._count)}
        return json.dumps(fields | ({"free": "yes"} if is_free else {})).encode()


def held_lock(address: str) -> HeldLock:
    """Return a lock that this process holds, as its commits check it, here or elsewhere.

    Args:
        address: The address of the lock.

    Example:
        >>> held_lock("store/locks/views/spending.lock")  # a file, which needs no check
        HeldLock(address='', token='')
    """
    if not has_leases(address):
        return NO_LEASE
    lease = _held.get(address)
    return HeldLock(address, "" if lease is None else lease.token)


def confirm_lease(lock: HeldLock, call: str) -> None:
    """Check by a look at its object that a lease is still held, before a commit.

    A process that was stopped for a minute, such as on a laptop that slept, may have lost it.

    Args:
        lock: The lease. Nothing happens where there are no leases.
        call: The operation, for the message.

    Raises:
        ConflictError: Another process has taken the lease, or it was released.
        StorageError: The object store cannot be reached or read.

    Example:
        >>> confirm_lease(HeldLock(), "commit")
    """
    if not lock.address:
        return
    state = lease_state(lock.address)
    token = None if state is None or state.is_free else state.holder.get("token")
    if not lock.token or token != lock.token:
        raise _lost(lock, call)


def is_expiring(lock: HeldLock) -> bool:
    """Return whether this process has lost a lease, or could not renew it for 40 seconds.

    Others take a lease that was not renewed for a minute. So who cannot renew it stops before.

    Args:
        lock: The lease. It never expires where there are no leases.

    Example:
        >>> is_expiring(HeldLock())
        False
    """
    lease = _held.get(lock.address)
    is_held = lease is not None and lease.token == lock.token and not lease.is_expiring()
    return bool(lock.address) and not is_held


def require_renewed(lock: HeldLock, call: str) -> None:
    """Check while this process writes that `is_expiring` is false.

    Args:
        lock: The lease.
        call: The operation, for the message.

    Raises:
        ConflictError: It is true.

    Example:
        >>> require_renewed(HeldLock(), "commit")
    """
    if is_expiring(lock):
        raise _lost(lock, call)


def _lost(lock: HeldLock, call: str) -> ConflictError:
    return ConflictError(
        call,
        f"this process has lost the lock {lock.address}, or could not renew it in time",
        "Nothing more was committed. Run the command again.",
    )


def lease_state(address: str) -> LeaseState | None:
    """Return what a lease's object says; None if there is none.

    Args:
        address: The URL of the object.

    Raises:
        SetupError: The package obstore is not installed.
        StorageError: The object store cannot be reached or read.
    """
    obstore, store, name = _store(address)
    try:
        found = obstore.get(store, name)
        content, meta = bytes(found.bytes()), found.meta
    except FileNotFoundError:
        return None
    except (OSError, obstore.exceptions.BaseError) as error:
        raise storage_error(error, f"lock {address}", address) from error
    try:
        fields = json.loads(content)
        holder = {str(key): str(value) for key, value in fields.items()}
    except (ValueError, AttributeError):  # somebody else's object: it is no lease that is held
        holder = {"free": "yes"}
    runs = _runs(holder)
    is_free = "free" in holder or runs is False
    return LeaseState(holder, is_free, runs is True, meta["last_modified"], _version(meta))


def _put(
    address: str, content: bytes, version: Mapping[str, str] | None
) -> Mapping[str, str] | None:
    """Put the object on a condition, and return its new version; None if the condition fails.

    Args:
        address: The URL of the object.
        content: Its new content.
        version: The version that it must have. None if there must be no object.
    """
    obstore, store, name = _store(address)
    mode = "create" if version is None else dict(version)
    lost = (obstore.exceptions.AlreadyExistsError, obstore.exceptions.PreconditionError)
    try:
        return _version(obstore.put(store, name, content, mode=mode, use_multipart=False))
    except lost:
        return None
    except FileNotFoundError as error:
        if version is None:  # there is no such bucket
            raise storage_error(error, f"lock {address}", address) from error
        return None  # somebody has removed the object
    except (OSError, obstore.exceptions.BaseError) as error:
        raise storage_error(error, f"lock {address}", address) from error


def _version(meta: Mapping[str, Any]) -> Mapping[str, str]:  # Any: obstore's own dictionary
    return {key: str(meta[key]) for key in ("e_tag", "version") if meta.get(key) is not None}


def _store(address: str) -> tuple[ModuleType, Any, str]:  # Any: a class of each store
    obstore = optional("obstore", "lock a view in an object store", "object-store")
    stores = optional("obstore.store", "lock a view in an object store", "object-store")
    folder, _, name = address.rpartition("/")
    return obstore, _opened(stores, folder), name


@cache
def _opened(stores: ModuleType, folder: str) -> Any:  # Any: a class of each store
    return stores.from_url(folder)


@cache
def _process_space() -> str:
    """Return what two processes share that see each other's numbers; ``""`` if that is unknown."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{boot}/{Path('/proc/self/ns/pid').stat().st_ino}"
    return ""


def _process() -> str:
    space = _process_space()
    return f"{space}/{os.getpid()}" if space else ""


def _runs(holder: Mapping[str, str]) -> bool | None:
    """Return whether the holder's process runs on this machine; None if it is of another one."""
    space, _, number = holder.get("process", "").rpartition("/")
    if not space or space != _process_space() or not number.isdigit():
        return None
    if int(number) == os.getpid():
        return holder.get("token") in _live  # else it is left over from a failure
    try:
        os.kill(int(number), 0)  # asks only; /proc may hide the processes of other users
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return None
    return True

"""Steps on times and dates: RFC 3339 in UTC comes out, whatever went in; a time without a zone is never guessed."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from hub.contract.mapping.place import Unfit
from hub.contract.mapping.steps.registry import NUMBER, TEXT, Parameter, Step, literal
from hub.contract.mapping.steps.scalars import number_of, text_of

_STAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?"
    r" ?(Z|z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?)?"
).fullmatch
_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ].{1,40})?").fullmatch
_NEVER = ("0000-00-00", "0001-01-01")
_DIRECTIVES = re.compile(r"%(.)")
_KNOWN = frozenset("YmdHMSfzbBpIjyaA%")
_MICROSECOND = timedelta(microseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def stamp(value: Any, zone: str, form: Any = None) -> str | None:
    """A time as canonical text; `zone` is the connection's, "" when it has none."""
    text = value if value.__class__ is str else text_of(value)
    if form is not None:
        return _written(text.strip(), text_of(form), zone)
    return told(text, zone)


def stamp_in(value: Any, zone: Any, form: Any = None) -> str | None:
    """A time that is local to a zone unless it says otherwise."""
    return stamp(value, _zone_name(zone), form)


def date(value: Any, form: Any = None) -> str | None:
    """The date as it is written."""
    text = text_of(value).strip()
    if not text or text.startswith(_NEVER):
        return None
    if form is not None:
        return _parsed(text, text_of(form)).strftime("%Y-%m-%d").rjust(10, "0")
    match = _DAY(text)
    if match is None:
        raise Unfit(text, "is not a date")
    try:
        datetime(int(match[1]), int(match[2]), int(match[3]), tzinfo=UTC)
    except ValueError:
        raise Unfit(text, "is not a date") from None
    return text[:10]


def date_in(value: Any, zone: Any) -> str | None:
    """The date that it is in a zone at a time; of a time without an offset, its own."""
    name = _zone_name(zone)
    moment = told(text_of(value), name)
    if moment is None:
        return None
    try:
        return datetime.fromisoformat(moment).astimezone(_zone(name)).strftime("%Y-%m-%d").rjust(10, "0")
    except OverflowError:
        raise Unfit(moment, "is out of range") from None


def epoch(value: Any) -> str | None:
    """Seconds since 1970."""
    return _since_epoch(value, 1)


def epoch_ms(value: Any) -> str | None:
    """Milliseconds since 1970."""
    return _since_epoch(value, 1000)


def micros(text: str) -> int:
    """Unix microseconds of a canonical time."""
    delta = datetime.fromisoformat(text) - _EPOCH
    return delta // _MICROSECOND


def from_micros(number: int) -> str:
    """The canonical text of unix microseconds."""
    return _canonical(_EPOCH + timedelta(microseconds=number))


def known_zone(name: str) -> bool:
    """Whether the time zone database has it."""
    try:
        _zone(name)
    except Unfit:
        return False
    return True


@lru_cache(maxsize=4096)
def told(whole: str, zone: str) -> str | None:
    """The canonical text of a time that is written in RFC 3339, or nearly so."""
    text = whole.strip()
    if not text or text.startswith(_NEVER):
        return None
    match = _STAMP(text)
    if match is None:
        raise Unfit(whole, "is not a date and time")
    moment = _moment(text, match)
    offset = match[8]
    if offset is None:
        return _canonical(moment.replace(tzinfo=_own_zone(text, zone)), text)
    return _canonical(_shifted(moment, _offset(offset, text), text), text)


def _moment(text: str, match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    fraction = int((match[7] or "0")[:6].ljust(6, "0"))
    try:
        moment = datetime(year, month, day, hour, minute, min(second, 59), fraction, tzinfo=UTC)
    except ValueError:
        raise Unfit(text, "is not a date and time") from None
    if second > 60:
        raise Unfit(text, "is not a date and time")
    return moment + timedelta(seconds=1) if second == 60 and year < 9999 else moment


def _shifted(moment: datetime, offset: timedelta, text: str) -> datetime:
    try:
        return moment - offset
    except OverflowError:
        raise Unfit(text, "is out of range") from None


def _offset(text: str, whole: str) -> timedelta:
    if text[0] not in "+-":
        return timedelta()
    hours, minutes = int(text[1:3]), int(text[-2:] if len(text) > 3 else 0)
    if hours > 23 or minutes > 59:
        raise Unfit(whole, "is not a date and time")
    size = timedelta(hours=hours, minutes=minutes)
    return -size if text[0] == "-" else size


def _own_zone(text: str, zone: str) -> ZoneInfo:
    if not zone:
        raise Unfit(text, "has no time zone; set the connection's time_zone, or the import's (--time-zone)")
    return _zone(zone)


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise Unfit(name, "is not a time zone") from None


def _zone_name(value: Any) -> str:
    name = "" if value is None else text_of(value)
    _zone(name)
    return name


def _canonical(moment: datetime, text: str = "") -> str:
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise Unfit(text, "is out of range") from None
    return f"{moment.year:04}-{moment.isoformat(timespec='milliseconds')[5:23]}Z"


def _written(text: str, form: str, zone: str) -> str | None:
    if not text or text.startswith("0000"):
        return None
    moment = _parsed(text, form)
    return _canonical(moment if moment.tzinfo else moment.replace(tzinfo=_own_zone(text, zone)), text)


def _parsed(text: str, form: str) -> datetime:
    wrong = wrong_format(form)
    if wrong:
        raise Unfit(form, wrong)
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007  a naive one gets its zone from whoever asked
    except (ValueError, OverflowError):
        raise Unfit(text, f"is not in the format {form}") from None


def wrong_format(form: str) -> str:
    """What is wrong with a format, "" when nothing is."""
    if not _DIRECTIVES.search(form) or form.replace("%%", "").endswith("%"):
        return "is not a format: it has directives such as %Y-%m-%d"
    strange = [sign for sign in _DIRECTIVES.findall(form) if sign not in _KNOWN]
    return f"has the directive %{strange[0]}, which is not known here" if strange else ""


def _since_epoch(value: Any, per_second: int) -> str | None:
    number = number_of(value)
    if not number:
        return None
    if not number.is_finite() or number.adjusted() > 15 or number.adjusted() < -20:
        raise Unfit(value, "is not a time")
    try:
        return from_micros(int(number * (1_000_000 // per_second)))
    except OverflowError:
        raise Unfit(value, "is not a time") from None


def _check_format(position: int) -> Any:
    def check(arguments: tuple[Any, ...]) -> str:
        form = arguments[position] if len(arguments) > position else None
        wrong = wrong_format(form) if isinstance(form, str) else ""
        return f"{form!r} {wrong}" if wrong else ""

    return check


def _check_zone(arguments: tuple[Any, ...]) -> str:
    zone = arguments[0]
    if isinstance(zone, str) and not known_zone(zone):
        return f"{zone!r} is not a time zone"
    return str(_check_format(1)(arguments))


_FORMAT = literal("format", required=False)
STEPS = (
    Step("datetime", "time", stamp, "a time in UTC, from RFC 3339 or by a format (`'%d.%m.%Y %H:%M'`); one without an "
         "offset is in the connection's `time_zone`, and without that a fault; `0000-00-00` is null", TEXT, "time",
         (_FORMAT,), context="zone", check=_check_format(0),
         examples=(("'2026-01-10T11:00:00-05:00' | datetime", "2026-01-10T16:00:00.000Z"),)),
    Step("datetime_in", "time", stamp_in, "a time that is local to a zone unless it says its offset", TEXT, "time",
         (Parameter("zone"), _FORMAT), check=_check_zone,
         examples=(("'2026-01-10 16:00:00' | datetime_in('Asia/Shanghai')", "2026-01-10T08:00:00.000Z"),)),
    Step("date", "time", date, "the date as written, no zone applied; of a date, a time, or by a format", TEXT, "date",
         (_FORMAT,), check=_check_format(0), examples=(("'10.01.2026' | date('%d.%m.%Y')", "2026-01-10"),)),
    Step("date_in", "time", date_in, "the date that it is in a zone at a time: forms send a day as its midnight in UTC",
         TEXT, "date", (Parameter("zone"),), check=_check_zone,
         examples=(("'2026-01-09T16:00:00.000Z' | date_in('Asia/Shanghai')", "2026-01-10"),)),
    Step("epoch", "time", epoch, "seconds since 1970 as a time; 0 is null", NUMBER, "time",
         examples=(("1768060800 | epoch", "2026-01-10T16:00:00.000Z"),)),
    Step("epoch_ms", "time", epoch_ms, "milliseconds since 1970 as a time; 0 is null", NUMBER, "time",
         examples=(("1768060800250 | epoch_ms", "2026-01-10T16:00:00.250Z"),)),
)  # fmt: skip

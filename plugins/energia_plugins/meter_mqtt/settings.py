"""`[plugins.meter-mqtt]`: the broker, and which of its messages are readings."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from importlib.resources import files
from typing import Annotated, ClassVar, Final, Literal

import attrs
from msgspec import Meta

from energia import (
    Check,
    Fault,
    Id,
    Invalid,
    Rules,
    SecretStr,
    SlotLength,
    Unfit,
    UnitName,
    ZoneOrOffset,
    enforce,
    structure,
)

Positive = Annotated[float, Meta(gt=0)]
#: A path into JSON: members and indexes, with dots between; empty is the message itself.
Path = Annotated[str, Meta(max_length=200)]
#: Text in which `{2}` is a level of the topic, counted from 1, and `{device.id}` a path.
Template = Annotated[str, Meta(min_length=1, max_length=200)]
#: How a message says its time.
Times = Literal["iso", "local", "epoch", "epoch_ms"]
#: A watt-minute, which no table of units has: devices of Shelly's first generation count them.
WATT_MINUTE: Final = "Wmin"
_PLACE: Final = re.compile(r"\{([^{}]*)\}")


def _is_filter(topic: str) -> None:
    levels = topic.split("/")
    wrong = [level for level in levels if len(level) > 1 and ("+" in level or "#" in level)]
    if wrong or "#" in levels[:-1] or "\0" in topic:
        raise Unfit("not_a_topic", "`+` is a whole level of a topic, `#` is the last one")


#: A filter of topics, with `+` for any level and `#` for all that follow.
Filter = Annotated[str, Meta(min_length=1, max_length=500), Check(_is_filter)]


def _preset_is_known(preset: str | None) -> Iterator[Fault]:
    if preset is not None and preset not in preset_texts():
        known = ", ".join(preset_texts())
        yield Fault(
            "unknown_preset", f"there is no preset {preset!r}; known are {known}", "/preset"
        )


@attrs.frozen(kw_only=True)
class Topic:
    """Which messages are readings, and what they say. What is not said is as the preset says it.

    Attributes:
        preset: The preset that says the rest.
        about: What a preset is for.
        topic: The topics: `+` stands for any level, `#` for all that follow.
        meter: The meter; `{2}` is a level of the topic, `{device.id}` is at a path.
        meters: Our ids by what `meter` comes to; others are taken as they are.
        values: The paths of the values, by the channels that they are of.
        sum: Whether several numbers at a path, such as phases, are added up.
        unit: The unit; `{unit}` is at a path; without one it is the channel's. `Wmin` is a
            watt-minute.
        counter: Whether values are counters, which only grow; else each is of a slot.
        equipment: The path to what tells that another device counts, or that one began anew.
        reads: Whether what a counter shows is stored, for channels of kind `register`; else what
            it counted in each slot is.
        interval: How long the slots of a counter are; of reads one is stored for each.
        tolerance: How long after the end of a slot a counter may be read; of several reads the
            first counts.
        time: The path to the time; without it, a counter is as of its arrival.
        times: `iso` (with an offset), `local` (without, in `timezone`), `epoch`, `epoch_ms`.
        timezone: The zone of local times.
        stamp: Whether the time of a value that is no counter is the start of its slot, or its end.
        others: What becomes of messages without any of the values.

    """

    __rules__: ClassVar[Rules] = (_preset_is_known,)

    preset: str | None = None
    about: str | None = None
    topic: Filter | None = None
    meter: Template | None = None
    meters: dict[str, Id] | None = None
    values: dict[Id, Path] | None = None
    sum: bool | None = None
    unit: Template | None = None
    counter: bool | None = None
    equipment: Path | None = None
    reads: bool | None = None
    interval: SlotLength | None = None
    tolerance: timedelta | None = None
    time: Path | None = None
    times: Times | None = None
    timezone: ZoneOrOffset | None = None
    stamp: Literal["start", "end"] | None = None
    others: Literal["refuse", "pass"] | None = None

    def __attrs_post_init__(self) -> None:
        """Refuse a preset that there is not."""
        enforce(self)

    def whole(self) -> "Topic":
        """Return it with what its preset says."""
        if self.preset is None:
            return self
        said = attrs.asdict(self, recurse=False, filter=lambda _, value: value is not None)
        return attrs.evolve(_presets()[self.preset], **said)


def _topics_are_whole(topics: dict[str, Topic]) -> Iterator[Fault]:
    for name, topic in topics.items():
        for code, message in _lacking(topic.whole()):
            yield Fault(code, message, f"/topics/{name}")


def _lacking(topic: Topic) -> Iterator[tuple[str, str]]:
    """Yield what a topic lacks, or what of it does not go together."""
    for name in ("topic", "meter", "values"):
        if not getattr(topic, name):
            yield "missing_field", f"there is no `{name}`, nor a `preset` that has one"
    if topic.counter is False and topic.time is None:
        yield "missing_field", "a value that is no counter needs a `time`"
    if topic.times == "local" and topic.timezone is None and topic.preset is None:
        yield "missing_field", "local times need a `timezone`"
    yield from _unfit_names(topic)
    if topic.tolerance and topic.tolerance >= (topic.interval or INTERVAL):
        yield "out_of_range", "the `tolerance` is not below the `interval`"


def _unfit_names(topic: Topic) -> Iterator[tuple[str, str]]:
    levels = (topic.topic or "").split("/")
    for text in (topic.meter, topic.unit):
        numbers = [int(place) for place in _PLACE.findall(text or "") if place.isdigit()]
        if any(not 1 <= number <= len(levels) for number in numbers) and levels[-1] != "#":
            yield "unknown_place", f"{text!r}: the topic has {len(levels)} levels"
    if topic.unit and "{" not in topic.unit and topic.unit != WATT_MINUTE:
        try:
            structure(topic.unit, UnitName)
        except Invalid as error:
            yield "wrong_unit", error.detail


#: The slots of a counter, where nothing is said.
INTERVAL: Final = timedelta(minutes=15)


def _broker_has_topics(broker: str | None, topics: dict[str, Topic]) -> Iterator[Fault]:
    if broker is not None and not topics:
        yield Fault("missing_field", "a broker needs topics: [plugins.meter-mqtt.topics.NAME]")


def _key_has_certificate(certificate: str | None, key: str | None) -> Iterator[Fault]:
    if key is not None and certificate is None:
        yield Fault("missing_field", "a `key` needs its `certificate`", "/certificate")


@attrs.frozen(kw_only=True)
class Settings:
    """The broker, and how messages are taken. Times are in seconds.

    Attributes:
        broker: Its host; without one, the plugin does nothing.
        port: Its port; by default 1883, and 8883 with TLS.
        tls: Whether the connection is encrypted, and the broker's certificate verified.
        ca: A file with the certificates of authorities, instead of the system's.
        certificate: A file with our certificate, for a broker that wants one.
        key: A file with its private key.
        username: How we log in.
        password: How we log in.
        client_id: Names our session at the broker: each service needs one of its own.
        protocol: The version of MQTT.
        session: For how long the broker keeps our session, and messages, while nobody is here.
        max_inflight: How many messages the broker sends before we have stored them.
        batch: How many are stored at once.
        gather: How long a message waits for others.
        keepalive: How often the connection is tried while nothing is sent.
        organization: The key of the organization that the meters are of.
        topics: Which messages are readings, by names of your own.

    """

    __rules__: ClassVar[Rules] = (_broker_has_topics, _topics_are_whole, _key_has_certificate)

    broker: Annotated[str, Meta(min_length=1, max_length=253)] | None = None
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    tls: bool = False
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    username: str | None = None
    password: SecretStr = SecretStr("")
    client_id: Annotated[str, Meta(min_length=1, max_length=100)] = "energia"
    protocol: Literal["5", "3.1.1"] = "5"
    session: Annotated[int, Meta(ge=0, le=2**32 - 2)] = 604_800
    max_inflight: Annotated[int, Meta(ge=1, le=65_535)] = 1000
    batch: Annotated[int, Meta(ge=1, le=65_535)] = 500
    gather: Annotated[float, Meta(ge=0)] = 0.1
    keepalive: Annotated[int, Meta(ge=5, le=65_535)] = 30
    organization: Annotated[int, Meta(ge=1)] = 1
    topics: dict[Id, Topic] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        """Refuse what does not go together."""
        enforce(self)


@cache
def preset_texts() -> Mapping[str, str]:
    """Return the presets, one small file of data each, by name."""
    folder = files(__package__) / "presets"
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(".toml"))
    return {
        name.removesuffix(".toml"): (folder / name).read_text(encoding="utf-8") for name in found
    }


@cache
def _presets() -> Mapping[str, Topic]:
    return {name: structure(tomllib.loads(text), Topic) for name, text in preset_texts().items()}

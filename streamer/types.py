"""The frozen values that modules hand to each other: no behaviour, and no import from the rest of the program."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum


class Role(IntEnum):
    """What someone may do; each role includes the ones below it."""

    VIEWER = 0
    FOLLOWER = 1
    SUBSCRIBER = 2
    VIP = 3
    MODERATOR = 4
    BROADCASTER = 5


class Lane(IntEnum):
    """Which queue a request waits in; the lower number is drawn first.

    What waits in the private lane is drawn for its asker alone: it has no layer, and nothing of it goes on air.
    """

    BROADCASTER = 0
    PAID = 1
    CHAT = 2
    PRIVATE = 3


class RequestState(StrEnum):
    """The state of an accepted request; all but the first three are final. Held: drawn, and a moderator decides."""

    QUEUED = "queued"
    DRAWING = "drawing"
    HELD = "held"
    SHOWN = "shown"
    SUPERSEDED = "superseded"
    REFUSED = "refused"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def final(self) -> bool:
        """Tell whether a request in this state has ended."""
        return self not in (RequestState.QUEUED, RequestState.DRAWING, RequestState.HELD)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asked. ``id`` is the platform's stable user id; names change and are reused.

    ``name`` is what people see, in any script; ``login`` stands in addresses and is empty where a platform has none.
    """

    id: str
    name: str
    role: Role
    login: str = ""


@dataclass(frozen=True, slots=True)
class Redemption:
    """Spent channel points; they are fulfilled or refunded when the request ends."""

    id: str
    reward_id: str


@dataclass(frozen=True, slots=True)
class Trigger:
    """A line to interpret. ``id`` is the platform's message id; ``at`` is time.monotonic() seconds.

    ``first_time`` says that this is the person's first message in this chat, according to the platform.
    """

    id: str
    source: str
    text: str
    actor: Actor
    at: float
    paid: bool = False
    first_time: bool = False
    redemption: Redemption | None = None


@dataclass(frozen=True, slots=True)
class KeyPress:
    """The streamer pressed a key, a pad or a button; ``name`` is a named trigger, or a line to type."""

    id: str
    source: str
    name: str
    at: float


@dataclass(frozen=True, slots=True)
class Retraction:
    """A platform took something back: one message, everything by one actor, or (both None) the whole chat."""

    source: str
    message_id: str | None
    actor_id: str | None
    at: float


class NoticeKind(StrEnum):
    """What a platform or a program can report that asks for nothing by itself."""

    RAID = "raid"
    FOLLOW = "follow"
    SUBSCRIPTION = "subscription"
    GIFT = "gift"
    CHEER = "cheer"
    ONLINE = "online"
    OFFLINE = "offline"
    SHIELD_ON = "shield_on"
    SHIELD_OFF = "shield_off"
    SHARED_CHAT_ON = "shared_chat_on"
    SHARED_CHAT_OFF = "shared_chat_off"
    SCENE = "scene"
    RAID_MODE_ON = "raid_mode_on"
    RAID_MODE_OFF = "raid_mode_off"
    RECORDING_ON = "recording_on"
    RECORDING_OFF = "recording_off"


@dataclass(frozen=True, slots=True)
class Notice:
    """A report of a source; ``count`` is viewers, bits or gifts, ``text`` is a scene or a message."""

    source: str
    kind: NoticeKind
    at: float
    actor: Actor | None = None
    count: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How to sample one picture, in diffusers' names; width and height in pixels."""

    width: int
    height: int
    num_inference_steps: int
    guidance_scale: float
    seed: int


@dataclass(frozen=True, slots=True)
class Caption:
    """Meme text; ``layout`` names a file in render/layouts."""

    top: str
    bottom: str
    layout: str


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA to draw with: a file, a folder or an id of the hub, and how strongly it changes pictures.

    ``option`` is the key of config.yaml that names it, for messages.
    """

    path: str
    weight: float = 1.0
    option: str = field(default="", compare=False)


class RequestKind(StrEnum):
    """What a picture is for; an edit starts from another picture."""

    BACKGROUND = "background"
    MEME = "meme"
    STICKER = "sticker"
    EDIT = "edit"


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """A fully resolved request for one picture; nobody has to look anything up to draw it.

    ``text`` is what the actor typed after the command word, cleaned; ``prompt`` is what the model reads.
    ``at`` and ``expires_at`` are time.monotonic() seconds. ``seconds`` is the time on air; None means until replaced.
    ``cooldown_s`` is the command's own wait per actor; None means the rule's default.
    ``reference`` is an encoded picture to edit; None means to draw from the prompt alone. ``of_program`` asks to edit
    what viewers see at the moment of drawing.
    ``preview_px`` is the longest side of its previews; generator/supervisor.py decides it.
    ``source`` and ``first_time`` are the trigger's; ``redemption`` is what it cost in channel points.
    ``hold`` is why a moderator is to look at the picture before it goes on air.
    ``words`` are what the actor wants to see, in their own words: the typed text without its caption and what was taken
    out of it; empty if nobody typed any.
    ``template`` is the prompt with {text} wherever those words stand in it; a long prompt is shortened there alone.
    ``removed`` says what was taken out of the text before it became the prompt, in words for its author.
    ``gated`` is false where nobody wants rules and judges to decide: for a program that draws by key.
    ``loras`` are those of its style, added to what the backend always draws with.
    """

    id: str
    command: str
    kind: RequestKind
    layer: str
    text: str
    prompt: str
    params: SamplingParams
    actor: Actor
    priority: Lane
    at: float
    expires_at: float
    role_needed: Role = Role.VIEWER
    seconds: float | None = None
    cooldown_s: float | None = None
    caption: Caption | None = None
    reference: bytes | None = None
    of_program: bool = False
    preview_px: int = 32
    source: str = ""
    redemption: Redemption | None = None
    first_time: bool = False
    hold: Hold | None = None
    words: str = ""
    template: str = ""
    removed: tuple[str, ...] = ()
    gated: bool = True
    loras: tuple[Lora, ...] = ()

    @property
    def own(self) -> bool:
        """Tell whether it is the broadcaster's own, who is there to look: pauses and doubts do not hold it up."""
        if self.priority is Lane.PRIVATE:
            return self.actor.role is Role.BROADCASTER
        return self.priority is Lane.BROADCASTER


class StageAction(StrEnum):
    """What can be done to the show without drawing; the values are the kinds of commands in config.yaml."""

    UNDO = "undo"
    REDO = "redo"
    CLEAR = "clear"
    PAUSE = "pause"
    RESUME = "resume"
    PANIC = "panic"
    NEXT = "next"
    FREE = "free"
    WARM = "warm"
    APPROVE = "approve"
    DENY = "deny"
    CUT = "cut"
    BAN = "ban"
    UNBAN = "unban"
    FORGETME = "forgetme"
    QUEUE = "queue"
    HELP = "help"
    STYLE = "style"


@dataclass(frozen=True, slots=True)
class StageCommand:
    """A command that draws nothing."""

    trigger_id: str
    action: StageAction
    layer: str | None
    text: str
    actor: Actor
    at: float
    source: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request will not be drawn or shown; ``reason`` is safe to show in chat.

    ``code`` names what was found in the content, in our own words; it is empty if the content is not the reason.
    """

    request_id: str
    rule: str
    reason: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Hold:
    """A moderator is to look before this goes on air; ``code`` names why, in our own words."""

    request_id: str
    rule: str
    reason: str
    code: str


class Outcome(StrEnum):
    """What a judge says; block wins over hold, hold over allow."""

    ALLOW = "allow"
    HOLD = "hold"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one judge of texts or pictures found, and how long it took; ``scores`` maps its classes to 0 ... 1."""

    outcome: Outcome
    code: str
    judge: str
    version: str
    scores: Mapping[str, float] = field(default_factory=dict)
    took_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """A stored decision; ``at`` is seconds since the epoch, ``judge`` a rule, a judge or a moderator."""

    id: str
    request_id: str
    judge: str
    outcome: Outcome
    code: str
    version: str
    at: float


@dataclass(frozen=True, slots=True)
class Frame:
    """An encoded, finished picture; width and height in pixels.

    ``judgements`` come from the judges in the generator process, none if no judge is configured.
    ``drew_s`` is how many seconds the backend itself worked on it, without caption, encoding and transport;
    ``judged_s`` is how long the finished picture waited for its judges.
    ``left_out_words`` says that the model could not read all of the author's words.
    """

    request_id: str
    layer: str
    media_type: str
    data: bytes
    width: int
    height: int
    judgements: tuple[Judgement, ...] = ()
    drew_s: float = 0.0
    judged_s: float = 0.0
    left_out_words: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """An unfinished picture, too small to recognize unless a trusted person asked; ``step`` is 1 to ``steps``.

    ``data`` is empty if a step has nothing to show. The pipeline adds ``line``, the words beside it, and ``due_s``, in
    how many seconds the picture is expected.
    """

    request_id: str
    layer: str
    step: int
    steps: int
    media_type: str
    data: bytes
    width: int
    height: int
    line: str = ""
    due_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Clear:
    """Take whatever is on this layer off the air: at once, or with a fade if its time is simply over."""

    layer: str
    fade: bool = False


@dataclass(frozen=True, slots=True)
class Toast:
    """A short line of plain text to show on the overlay for a few seconds."""

    request_id: str
    text: str
    seconds: float = 4.0


@dataclass(frozen=True, slots=True)
class NoticeCard:
    """A card of our own words over the overlay until another replaces it; an empty title removes it."""

    title: str
    line: str


@dataclass(frozen=True, slots=True)
class Refused:
    """A trigger whose request was refused."""

    trigger: Trigger
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Ended:
    """How an accepted request ended, reported once; ``rule`` and ``reason`` are empty if it was shown."""

    request: ImageRequest
    state: RequestState
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to someone who asked (``!queue``, ``!help``), for the source they asked in."""

    trigger_id: str
    source: str
    actor: Actor
    text: str


@dataclass(frozen=True, slots=True)
class Availability:
    """Whether viewers may ask now, and if not, why: paused, switched off, or no generator that can draw."""

    open: bool
    why: str = ""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """Somebody is to be forgotten: outputs delete what they keep of them or of these requests. May come twice.

    When it comes again after a restart, ``actor_id`` is the keyed hash that stands for the id.
    """

    actor_id: str
    request_ids: tuple[str, ...]


Update = Frame | Preview | Clear
Shown = Update | Refusal | Toast | NoticeCard
Event = Shown | Refused | Ended | Answer | Notice | Retraction | Availability | Forgotten

"""`Entity`: a thing that features describe, identified by its join keys."""

from dataclasses import KW_ONLY, dataclass, field

from featurestore.definitions.model.arguments import named_arguments, unify_arguments
from featurestore.definitions.model.types import Field
from featurestore.definitions.origin import Origin, origin


@named_arguments
@dataclass(frozen=True)
class Entity:
    """A thing that features describe, such as a card or a patient.

    Args:
        name: Its name.
        join_keys: The columns that identify one such thing, of type `Int32`, `Int64`, `String`,
            `Boolean` or `Date`. Several keys are compared as a tuple, never concatenated.
        description: A description, for the registry.
        owner: The person or team in charge.
        tags: Search terms.

    Example:
        >>> from featurestore.definitions.model.types import Int64
        >>> Entity("card", join_keys=(Field("card_id", Int64),)).join_keys[0].name
        'card_id'
    """

    name: str
    _: KW_ONLY
    join_keys: tuple[Field, ...]
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

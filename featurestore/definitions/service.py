"""`FeatureService`: the list of features that one model uses."""

from dataclasses import KW_ONLY, dataclass, field

from featurestore.definitions.origin import Origin, origin
from featurestore.definitions.view import FeatureReference, FeatureView


@dataclass(frozen=True)
class FeatureService:
    """The features of one model, in the order in which they come out.

    Args:
        name: Its name.
        features: Views, or uses of views: ``view[["a"]]``, ``view.with_join_keys({...})``,
            ``view.with_prefix("payer_")``, ``view.strictly_before()``, ``view.at("seen_at")``.
        description: What the model does, for the registry.
        owner: Who answers for it.
        tags: Words to find it by.

    Example:
        >>> FeatureService("fraud_v1", features=()).references
        ()
    """

    name: str
    _: KW_ONLY
    features: tuple[FeatureView | FeatureReference, ...]
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    @property
    def references(self) -> tuple[FeatureReference, ...]:
        """Its features as uses of views, in order."""
        return tuple(
            use if isinstance(use, FeatureReference) else FeatureReference(use)
            for use in self.features
        )

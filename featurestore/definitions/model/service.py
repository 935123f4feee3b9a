"""`FeatureService`: the features of one model."""

from dataclasses import KW_ONLY, dataclass, field

from featurestore.definitions.model.arguments import named_arguments, unify_arguments
from featurestore.definitions.model.on_demand import OnDemandFeatureView, OnDemandReference
from featurestore.definitions.model.summary import repr_line
from featurestore.definitions.model.view import FeatureReference, FeatureView
from featurestore.definitions.origin import Origin, origin
from featurestore.notebook import html_table

Use = FeatureReference | OnDemandReference
"""The use of a view or of an on-demand view in a service."""


@named_arguments
@dataclass(frozen=True)
class FeatureService:
    """The features of one model, in the order of the answer's columns.

    Args:
        name: Its name.
        features: Views, or uses of views: ``view[["a"]]``, ``view.with_join_keys({...})``,
            ``view.with_prefix("payer_")``, ``view.strictly_before()``, ``view.at("seen_at")``.
            On-demand views can be listed too, with chosen features and a prefix.
        description: A description, for the registry.
        owner: The person or team in charge.
        tags: Search terms.

    Example:
        >>> FeatureService("fraud_v1", features=()).references
        ()
    """

    name: str
    _: KW_ONLY
    features: tuple[FeatureView | FeatureReference | OnDemandFeatureView | OnDemandReference, ...]
    description: str = ""
    owner: str = ""
    tags: tuple[str, ...] = ()
    origin: Origin = field(default_factory=origin, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        unify_arguments(self)

    def __repr__(self) -> str:
        """Return its name and the views that it uses in one line."""

        def views() -> dict[str, None]:
            return dict.fromkeys(use.view.name for use in self.references)

        return repr_line("FeatureService", self.name, views)

    def _repr_html_(self) -> str:
        rows = [
            (use.view.name, use.prefix + n) for use in self.references for n in use.feature_names
        ]
        return html_table(f"service {self.name}", ("view", "feature"), rows, self.description)

    @property
    def references(self) -> tuple[Use, ...]:
        """Its features as uses of views, in order."""
        return tuple(_use(use) for use in self.features)

    @property
    def stored_uses(self) -> tuple[FeatureReference, ...]:
        """Its uses of stored views, including the inputs of its on-demand views."""
        return tuple(
            stored
            for use in self.references
            for stored in ((use,) if isinstance(use, FeatureReference) else use.view.uses)
        )


def _use(used: FeatureView | OnDemandFeatureView | Use) -> Use:
    if isinstance(used, FeatureView):
        return FeatureReference(used)
    return OnDemandReference(used) if isinstance(used, OnDemandFeatureView) else used

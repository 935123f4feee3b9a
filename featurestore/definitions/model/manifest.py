"""`Manifest`: all definitions of a project, as one value."""

from dataclasses import KW_ONLY, dataclass, fields

from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.on_demand import OnDemandFeatureView
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.source import Source
from featurestore.definitions.model.view import FeatureView

Definition = Entity | Source | FeatureView | OnDemandFeatureView | FeatureService


@dataclass(frozen=True)
class Manifest:
    """All definitions of a project, each kind sorted by name.

    Example:
        >>> Manifest.of([]).views
        ()
    """

    _: KW_ONLY
    entities: tuple[Entity, ...] = ()
    sources: tuple[Source, ...] = ()
    views: tuple[FeatureView, ...] = ()
    on_demand_views: tuple[OnDemandFeatureView, ...] = ()
    services: tuple[FeatureService, ...] = ()

    @classmethod
    def of(cls, definitions: "list[Definition]") -> "Manifest":
        """Return the manifest of these definitions; equal ones count once."""

        def pick(*kinds: type) -> tuple:  # type: ignore[type-arg]  # the caller's field has the type
            # Compared, not hashed: a list instead of a tuple is reported later, by the rules.
            unique: dict[str, list[Definition]] = {}
            for definition in definitions:
                if isinstance(definition, kinds):
                    same_name = unique.setdefault(str(definition.name), [])
                    if definition not in same_name:
                        same_name.append(definition)
            return tuple(each for name in sorted(unique) for each in unique[name])

        return cls(
            entities=pick(Entity),
            sources=pick(*Source.__args__),
            views=pick(FeatureView),
            on_demand_views=pick(OnDemandFeatureView),
            services=pick(FeatureService),
        )

    def view(self, name: str) -> FeatureView | None:
        """Return the view of that name, or None."""
        return next((view for view in self.views if view.name == name), None)

    def on_demand_view(self, name: str) -> OnDemandFeatureView | None:
        """Return the on-demand view of that name, or None."""
        return next((view for view in self.on_demand_views if view.name == name), None)

    def service(self, name: str) -> FeatureService | None:
        """Return the service of that name, or None."""
        return next((service for service in self.services if service.name == name), None)

    @property
    def definitions(self) -> tuple[Definition, ...]:
        """Every definition, kind by kind."""
        return tuple(each for kind in fields(self) for each in getattr(self, kind.name))

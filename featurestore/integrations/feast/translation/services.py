"""Feast's feature services as ours."""

from collections import Counter

from featurestore.integrations.feast.translation.columns import Record, about
from featurestore.integrations.feast.translation.context import Context
from featurestore.integrations.feast.translation.names import plain
from featurestore.integrations.feast.translation.python_text import Call
from featurestore.integrations.feast.translation.uses import kept, use


def write_services(context: Context) -> None:
    """Write each service with the features that are not left out."""
    for service in context.records("services"):
        subject = f"service {service['name']}"
        uses = [
            each
            for each in (*service["uses"], *_referenced(context, subject, service))
            if _is_there(context, subject, each)
        ]
        uses = _without_repeated(context, subject, uses)
        if not uses:
            context.notes.left_out(subject, "None of its features is left.")
            continue
        prefixes = _prefixes(context, subject, uses)
        features = [
            use(context, each, prefix) for each, prefix in zip(uses, prefixes, strict=True)
        ]
        if service["logging"]:
            context.notes.left_out(subject, "logging_config: answers are not logged.")
        variable = context.names.variable(service["name"], "service")
        name = context.name("service", subject, service["name"])
        arguments = {"features": features, **about(service)}
        context.write(subject, variable, Call("fs.FeatureService", (name,), arguments))


def _referenced(context: Context, subject: str, service: Record) -> list[Record]:
    """Return the uses of a service that are written as texts, such as ``"stats:trips"``."""
    found: list[Record] = []
    for reference in service["references"]:
        name, _, feature = reference.partition(":")
        if "@" in name:
            text = f"{reference!r}: services have no views of fixed versions."
            context.notes.left_out(subject, text)
            continue
        features = [feature] if feature else []
        found.append(
            {"view": name, "alias": "", "features": features, "join_keys": {}, "version": None}
        )
    return found


def _is_there(context: Context, subject: str, projection: Record) -> bool:
    """Return whether a use is written, and note what of it is not."""
    name = projection["view"]
    if name not in context.views:
        context.notes.left_out(subject, f"View {name!r}, which is left out.")
        return False
    known = context.views[name].features
    lost = [each for each in projection["features"] if each not in known]
    if lost:
        text = f"Features {', '.join(lost)} of {name!r}, which are left out there."
        context.notes.left_out(subject, text)
    if projection["version"] is not None:
        text = (
            f"The fixed version {projection['version']} of view {name!r}: it is the newest here."
        )
        context.notes.changed(subject, text)
    return bool(kept(context, projection))


def _without_repeated(context: Context, subject: str, uses: list[Record]) -> list[Record]:
    """Return each view once under one name: the second use would have the same features."""
    kept_uses: dict[tuple[str, str], Record] = {}
    for each in uses:
        called = (each["view"], each["alias"])
        if called in kept_uses:
            context.notes.left_out(subject, f"The second use of view {each['view']!r}.")
        kept_uses.setdefault(called, each)
    return list(kept_uses.values())


def _prefixes(context: Context, subject: str, uses: list[Record]) -> list[str]:
    """Return a prefix for each use that has another name, or features that others have too."""
    names = Counter(name for each in uses for name in kept(context, each))
    keys = {
        each["join_keys"].get(key, key)
        for each in uses
        for key in context.views[each["view"]].keys
    }
    prefixes = []
    for each in uses:
        clashes = any(names[name] > 1 or name in keys for name in kept(context, each))
        needed = each["alias"] or clashes
        prefixes.append(plain(each["alias"] or each["view"]) + "__" if needed else "")
    if any(prefixes):
        text = (
            f"Feature names begin with {', '.join(sorted(set(filter(None, prefixes))))}, as with"
        )
        context.notes.changed(subject, f"{text} full_feature_names=True in Feast.")
    return prefixes

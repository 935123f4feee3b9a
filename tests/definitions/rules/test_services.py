from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.manifest import Manifest
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.types import Date, Field, Float64, Int32, Int64, String
from featurestore.definitions.rules import check
from tests.definitions.rules.cases import CARD, messages, view, windows

ACTIVITY = view()


def test_a_service_needs_features() -> None:
    assert messages(FeatureService("s", features=())) == [
        "service 's' has no features: give it views, or views[[names]]"
    ]
    assert messages(FeatureService("s", features=(ACTIVITY[[]],))) == [
        "service 's' takes no feature of view 'activity': name some, or all"
    ]


def test_an_unknown_feature_is_answered_with_the_nearest_at_its_line() -> None:
    use = ACTIVITY[["amuont"]]
    service = FeatureService("s", features=(use,))

    [issue] = check(Manifest.of([service]))

    assert issue.message == (
        "service 's': view 'activity' has no feature 'amuont'. Did you mean 'amount'?"
    )
    assert issue.origin == use.origin
    assert issue.origin.file == __file__


def test_an_unknown_join_key_is_answered_with_the_nearest() -> None:
    service = FeatureService(
        "s", features=(ACTIVITY.with_join_keys({"card": "payer", "card_id": ""}),)
    )

    assert messages(service) == [
        "service 's': view 'activity' has no join key 'card'. Did you mean 'card_id'?",
        "service 's': with_join_keys gives 'card_id' an empty column",
    ]


def test_strictly_before_is_refused_where_there_are_windows_at_its_line() -> None:
    spent = Aggregation("amount", "sum", windows=("1h",))
    last = Aggregation("amount", "max", windows=("1h",), closed="right")
    use = windows(spent, last)[["amount_sum_1h"]].strictly_before()

    [issue] = check(Manifest.of([FeatureService("s", features=(use,))]))

    assert issue.message == (
        "service 's': strictly_before() does nothing for view 'activity', whose aggregations have "
        'windows: they end before t by closed="left", the default; take it away, and leave out '
        "closed=\"right\" of 'amount'"
    )
    assert issue.origin == use.origin
    assert messages(FeatureService("s", features=(windows(spent).strictly_before(),))) == [
        "service 's': strictly_before() does nothing for view 'activity', whose aggregations have "
        'windows: they end before t by closed="left", the default; take it away'
    ]


def test_a_prefix_makes_names() -> None:
    service = FeatureService("s", features=(ACTIVITY.with_prefix("payer."),))

    assert messages(service) == [
        "service 's': prefix 'payer.' is not letters, digits and underscores"
    ]


def test_features_that_come_out_alike_are_named_both() -> None:
    other = view("limits", schema=(Field("amount", Float64),))
    colliding = FeatureService("s", features=(ACTIVITY, other))
    prefixed = FeatureService("s", features=(ACTIVITY, other.with_prefix("limit_")))

    assert messages(colliding) == [
        "service 's': activity:amount and limits:amount both come out as 'amount'; "
        "give one a prefix: view.with_prefix('...')"
    ]
    assert messages(prefixed) == []


def test_one_view_used_twice_needs_a_prefix() -> None:
    payer = ACTIVITY[["amount"]].with_join_keys({"card_id": "payer_id"})
    payee = ACTIVITY[["amount"]].with_join_keys({"card_id": "payee_id"})

    assert len(messages(FeatureService("s", features=(payer, payee)))) == 1
    assert messages(FeatureService("s", features=(payer, payee.with_prefix("payee_")))) == []


def test_a_feature_chosen_twice_is_reported() -> None:
    service = FeatureService("s", features=(ACTIVITY[["amount", "amount"]],))

    assert messages(service) == [
        "service 's': activity:amount and activity:amount both come out as 'amount'; "
        "give one a prefix: view.with_prefix('...')"
    ]


def test_a_feature_may_not_hide_a_column_that_the_service_needs_in_the_spine() -> None:
    merchant = Entity("merchant", join_keys=(Field("merchant", String),))
    scores = view("scores", entities=(merchant,), schema=(Field("score", Int64),))
    seen = view("seen", schema=(Field("seen_at", Date),)).at("seen_at")

    assert messages(FeatureService("s", features=(ACTIVITY, scores, seen))) == [
        "service 's': the spine's time column 'seen_at' and seen:seen_at both come out as "
        "'seen_at'; give one a prefix: view.with_prefix('...')",
        "service 's': the spine's key column 'merchant' and activity:merchant both come out as "
        "'merchant'; give one a prefix: view.with_prefix('...')",
    ]


def test_a_spine_column_has_one_type_for_all_views() -> None:
    number = Entity("number", join_keys=(Field("number", Int64),))
    small = Entity("small", join_keys=(Field("number", Int32),))
    limits = view("limits", entities=(number,), schema=(Field("limit", Float64),))
    scores = view("scores", entities=(small,), schema=(Field("score", Float64),))

    mixed = FeatureService("s", features=(ACTIVITY, limits.with_join_keys({"number": "card_id"})))

    assert messages(mixed) == [
        "service 's': spine column 'card_id' is String for view 'activity', Int64 for "
        "view 'limits'; rename one by with_join_keys"
    ]
    assert messages(FeatureService("s", features=(limits, scores))) == []
    assert messages(FeatureService("s", features=(view(entities=(CARD,)), limits))) == []


def test_a_view_used_twice_by_mistake_is_one_problem_that_lists_its_features() -> None:
    many = view(schema=(Field("x", Float64), Field("y", Float64)))
    other = view("limits", schema=(Field("y", Float64), Field("x", Float64)))

    assert messages(FeatureService("s", features=(many, many))) == [
        "service 's': view 'activity' is used twice, and gives x, y twice; take one use away, or, "
        "for other keys, give one a prefix: view.with_prefix('...')"
    ]
    assert messages(FeatureService("s", features=(many, other))) == [
        "service 's': view 'activity' and view 'limits' both give y, x; "
        "give one a prefix: view.with_prefix('...')"
    ]


def test_a_time_column_without_a_name_is_reported() -> None:
    assert messages(FeatureService("s", features=(ACTIVITY.at(""),))) == [
        "service 's': view 'activity' is used .at(''); name a time column of the spine"
    ]

from featurestore.definitions.model.aggregation import Aggregation
from featurestore.definitions.model.entity import Entity
from featurestore.definitions.model.service import FeatureService
from featurestore.definitions.model.types import Date, Field, Float64, Int32, Int64, String
from tests.definitions.rules.cases import CARD, issues, missing, view, windows

ACTIVITY = view()


def test_a_service_needs_features() -> None:
    [empty] = issues(FeatureService("s", features=()))
    [unused] = issues(FeatureService("s", features=(ACTIVITY[[]],)))

    assert (empty.rule, unused.rule) == ("services_have_features", "services_have_features")
    assert missing(empty, "service 's'", "features=") == []
    assert missing(unused, "service 's'", "view 'activity'", "[[]]") == []


def test_for_an_unknown_feature_the_nearest_one_is_offered_at_the_line_of_its_use() -> None:
    use = ACTIVITY[["amuont"]]

    [issue] = issues(FeatureService("s", features=(use,)))

    assert (issue.rule, issue.origin) == ("features_exist", use.origin)
    assert issue.origin.file == __file__
    assert missing(issue, "service 's'", "view 'activity'", "'amuont'", "'amount'?") == []


def test_for_an_unknown_join_key_the_nearest_one_is_offered() -> None:
    use = ACTIVITY.with_join_keys({"card": "payer", "card_id": ""})

    unknown, empty = issues(FeatureService("s", features=(use,)))

    assert (unknown.rule, empty.rule) == ("renamed_keys_exist", "renamed_keys_exist")
    assert missing(unknown, "service 's'", "view 'activity'", "'card'", "'card_id'?") == []
    assert missing(empty, "service 's'", "with_join_keys", "'card_id'", "empty") == []


def test_strictly_before_is_refused_on_windows_at_the_line_of_its_use() -> None:
    spent = Aggregation("amount", "sum", windows=("1h",))
    last = Aggregation("amount", "max", windows=("1h",), closed="right")
    use = windows(spent, last)[["amount_sum_1h"]].strictly_before()

    [right] = issues(FeatureService("s", features=(use,)))
    [left] = issues(FeatureService("s", features=(windows(spent).strictly_before(),)))

    assert (right.rule, right.origin) == ("strict_uses_have_no_windows", use.origin)
    parts = ("service 's'", "view 'activity'", "Remove strictly_before()")
    assert missing(right, *parts, 'closed="right"', "'amount'") == []
    assert missing(left, *parts) == []
    assert missing(left, 'closed="right"') == ['closed="right"']


def test_a_prefix_is_an_identifier() -> None:
    [issue] = issues(FeatureService("s", features=(ACTIVITY.with_prefix("payer."),)))

    assert issue.rule == "prefixes_are_plain"
    assert missing(issue, "service 's'", "'payer.'", "letters", "digits", "underscores") == []


def test_of_features_with_one_name_both_are_named() -> None:
    other = view("limits", schema=(Field("amount", Float64),))

    [issue] = issues(FeatureService("s", features=(ACTIVITY, other)))
    prefixed = FeatureService("s", features=(ACTIVITY, other.with_prefix("limit_")))

    assert issue.rule == "outputs_do_not_collide"
    parts = ("service 's'", "activity:amount", "limits:amount", "'amount'", "with_prefix")
    assert missing(issue, *parts) == []
    assert issues(prefixed) == []


def test_one_view_used_twice_needs_a_prefix() -> None:
    payer = ACTIVITY[["amount"]].with_join_keys({"card_id": "payer_id"})
    payee = ACTIVITY[["amount"]].with_join_keys({"card_id": "payee_id"})

    [issue] = issues(FeatureService("s", features=(payer, payee)))

    assert (issue.rule, issue.origin) == ("outputs_do_not_collide", payee.origin)
    assert missing(issue, "service 's'", "view 'activity'", "amount", "with_prefix") == []
    assert issues(FeatureService("s", features=(payer, payee.with_prefix("payee_")))) == []


def test_a_feature_chosen_twice_is_reported() -> None:
    [issue] = issues(FeatureService("s", features=(ACTIVITY[["amount", "amount"]],)))

    assert issue.rule == "outputs_do_not_collide"
    assert missing(issue, "service 's'", "view 'activity'", "amount", "twice", "Remove") == []
    assert "with_prefix" not in issue.message


def test_a_feature_may_not_hide_a_column_that_the_service_needs_in_the_spine() -> None:
    merchant = Entity("merchant", join_keys=(Field("merchant", String),))
    scores = view("scores", entities=(merchant,), schema=(Field("score", Int64),))
    seen = view("seen", schema=(Field("seen_at", Date),)).at("seen_at")

    time, key = issues(FeatureService("s", features=(ACTIVITY, scores, seen)))

    assert (time.rule, key.rule) == ("outputs_do_not_collide", "outputs_do_not_collide")
    assert missing(time, "service 's'", "time column 'seen_at'", "seen:seen_at") == []
    assert missing(key, "service 's'", "key column 'merchant'", "activity:merchant") == []


def test_a_spine_column_has_one_type_for_all_views() -> None:
    number = Entity("number", join_keys=(Field("number", Int64),))
    small = Entity("small", join_keys=(Field("number", Int32),))
    limits = view("limits", entities=(number,), schema=(Field("limit", Float64),))
    scores = view("scores", entities=(small,), schema=(Field("score", Float64),))
    use = limits.with_join_keys({"number": "card_id"})

    [issue] = issues(FeatureService("s", features=(ACTIVITY, use)))

    assert (issue.rule, issue.origin) == ("key_columns_have_one_type", use.origin)
    types = ("'card_id'", "String for view 'activity'", "Int64 for view 'limits'")
    assert missing(issue, "service 's'", *types, "with_join_keys({'number': ...})") == []
    assert issues(FeatureService("s", features=(limits, scores))) == []
    assert issues(FeatureService("s", features=(view(entities=(CARD,)), limits))) == []


def test_a_view_used_twice_by_mistake_is_one_problem_that_lists_its_features() -> None:
    many = view(schema=(Field("x", Float64), Field("y", Float64)))
    other = view("limits", schema=(Field("y", Float64), Field("x", Float64)))

    [twice] = issues(FeatureService("s", features=(many, many)))
    [both] = issues(FeatureService("s", features=(many, other)))

    assert (twice.rule, both.rule) == ("outputs_do_not_collide", "outputs_do_not_collide")
    parts = ("service 's'", "view 'activity'", "x, y", "Remove", "with_prefix")
    assert missing(twice, *parts) == []
    parts = ("service 's'", "view 'activity'", "view 'limits'", "y, x", "with_prefix")
    assert missing(both, *parts) == []


def test_a_time_column_without_a_name_is_reported() -> None:
    use = ACTIVITY.at("")

    [issue] = issues(FeatureService("s", features=(use,)))

    assert (issue.rule, issue.origin) == ("renamed_keys_exist", use.origin)
    assert missing(issue, "service 's'", "view 'activity'", ".at('')", "time column") == []

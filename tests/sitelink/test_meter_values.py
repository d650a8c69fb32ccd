"""Moments are thinned: means of what flows, the last of what counts."""

from sitelink.meter_values import Grade, Moment, thinned


def test_a_step_has_the_mean_of_what_flows_and_the_last_of_what_counts() -> None:
    told = [Moment(120 + n, {"power_w.total": 100.0 * n, "energy_import_wh.total": 5000.0 + n}) for n in range(60)]
    told.append(Moment(180, {"power_w.total": 7.0}))
    assert thinned(told, 60) == [
        Moment(120, {"power_w.total": 2950.0, "energy_import_wh.total": 5059.0}), Moment(180, {"power_w.total": 7.0})
    ]  # fmt: skip


def test_a_value_that_was_told_now_and_then_is_the_mean_of_when_it_was() -> None:
    assert thinned([Moment(0, {"a": 1.0}), Moment(1, {"b": 4.0}), Moment(2, {"a": 3.0})], 60) == [
        Moment(0, {"a": 2.0, "b": 4.0})
    ]


def test_coarser_grades_are_kept_longer() -> None:
    grades = list(Grade)
    assert [each.step_s for each in grades] == [1, 60, 900]
    assert grades == sorted(grades, key=lambda each: each.kept_s)

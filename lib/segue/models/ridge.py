"""Ridge regression of listening on itself: the linear model without EASE's zero diagonal."""

from __future__ import annotations

from segue.models.closed_form import ClosedForm, ClosedFormConfig


class RidgeConfig(ClosedFormConfig):
    """Parameters of `Ridge`; see `ClosedFormConfig`."""


class Ridge(ClosedForm[RidgeConfig]):
    """Predicts every track's plays from all of a listener's, each track penalised by its listeners.

    The minimiser of |X - X B|^2 + sum_i l_i |b_i|^2 over float[n, n] B with rows b_i, where
    l_i = reg n_i^reg_power (Jeunen, Van Balen and Goethals 2020 derive this and EASE).
    """

    name = "ridge"
    config_type = RidgeConfig
    self_free = False

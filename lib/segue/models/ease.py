"""EASE: the shallow autoencoder whose diagonal is zero."""

from __future__ import annotations

from segue.models.closed_form import ClosedForm, ClosedFormConfig


class EASEConfig(ClosedFormConfig):
    """Parameters of `EASE`; see `ClosedFormConfig`."""


class EASE(ClosedForm[EASEConfig]):
    """Embarrassingly shallow autoencoder (Steck 2019): no track may predict itself.

    The minimiser of |X - X B|^2 + sum_i l_i |b_i|^2, as for ridge but with a zero diagonal of B:
    B = I - P / diag(P) with P = (X'X + L)^-1. Steck's own penalty is one number, ``reg_power`` 0.
    """

    name = "ease"
    config_type = EASEConfig
    self_free = True

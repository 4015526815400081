"""English sentence forms and the questions that they answer, orders before statements."""

from __future__ import annotations

from domainsmith.chains.parts_en import lower_first
from domainsmith.chains.patterns_orders_en import ORDER_FORMS
from domainsmith.chains.patterns_statements_en import STATEMENT_FORMS

__all__ = ["ENGLISH_FORMS", "lower_first"]

ENGLISH_FORMS = (*ORDER_FORMS, *STATEMENT_FORMS)
"""Most telling form first."""

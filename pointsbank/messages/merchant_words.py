"""The words of messages about shops: to members who order, to clerks, to who decides."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

MERCHANT_WORDS: dict[str, Words] = {
    "tool_due": Words(
        lazy_gettext("Please bring “%(tool)s” back by %(due_on)s."), "loan_pages.mine"
    ),
    "tool_overdue": Words(
        lazy_gettext(
            "“%(tool)s” was due on %(due_on)s. Please bring it back: your deposit waits for"
            " you."
        ),
        "loan_pages.mine",
    ),
    "voucher_ends": Words(
        lazy_gettext(
            "“%(reward)s” at “%(shop)s” is set aside for you until %(ends_at)s. Please fetch"
            " it, or cancel it; after that the points come back to you."
        ),
        "order_pages.show",
        ("order_id",),
    ),
    "order_stopped": Words(
        lazy_gettext(
            "“%(shop)s” hands nothing over at present. You can cancel your order of"
            " “%(reward)s” and have the points back now; else they come back on %(ends_at)s."
        ),
        "order_pages.show",
        ("order_id",),
    ),
    "order_called_off": Words(
        lazy_gettext(
            "“%(shop)s” cannot hand “%(reward)s” over and cancelled your order. The points are"
            " yours to spend again."
        ),
        "order_pages.show",
        ("order_id",),
    ),
    "merchant_application_asked": Words(
        lazy_gettext("“%(shop)s” would like to become a merchant. Please look at the papers."),
        "application_pages.show_application",
        ("application_id",),
    ),
    "merchant_application_approved": Words(
        lazy_gettext("“%(shop)s” is a merchant now. You can take points at its till."),
        "desk_pages.show_desk",
        ("merchant_id",),
    ),
    "merchant_application_refused": Words(
        lazy_gettext("The application of “%(shop)s” was refused: %(reason)s."),
        "application_pages.show_application",
        ("application_id",),
    ),
    "merchant_paper_added": Words(
        lazy_gettext("“%(shop)s” has a new paper. Please look at it."),
        "paper_pages.list_papers",
        ("merchant_id",),
    ),
    "contract_proposed": Words(
        lazy_gettext("A contract with “%(shop)s” waits for a second administrator to sign it."),
        "contract_pages.list_contracts",
        ("merchant_id",),
    ),
    "contract_signed": Words(
        lazy_gettext("A contract with your shop was signed."),
        "contract_pages.list_contracts",
        ("merchant_id",),
    ),
    "contract_ended": Words(
        lazy_gettext("The contract with your shop ends early, on %(last_on)s."),
        "contract_pages.list_contracts",
        ("merchant_id",),
    ),
    "contract_ends": Words(
        lazy_gettext(
            "The contract with “%(shop)s” ends on %(ends_on)s. After that day it takes no"
            " points until a new one is signed."
        ),
        "contract_pages.list_contracts",
        ("merchant_id",),
    ),
    "merchant_stopped": Words(
        lazy_gettext("Your shop takes no points at present: %(reason)s."),
        "desk_pages.show_desk",
        ("merchant_id",),
    ),
    "many_wrong_codes": Words(
        lazy_gettext(
            "%(failures)s wrong codes were tried at a till of “%(shop)s” within a day. Please"
            " ask the shop whether somebody guesses codes there."
        ),
        "unusual_pages.show",
    ),
    "merchant_returned": Words(
        lazy_gettext("Your shop takes points again."),
        "desk_pages.show_desk",
        ("merchant_id",),
    ),
    "statement_closed": Words(
        lazy_gettext(
            "The statement of %(month)s is ready: %(points)s points. Please confirm it through"
            " the 5th, or say which line is wrong."
        ),
        "settlement_pages.show_statement",
        ("merchant_id", "month"),
    ),
    "statement_disputed": Words(
        lazy_gettext(
            "A merchant says that line %(line)s of its statement of %(month)s is wrong."
        ),
        "settlement_pages.show_statement",
        ("merchant_id", "month"),
    ),
    "statement_answered": Words(
        lazy_gettext("Line %(line)s of your statement of %(month)s was answered."),
        "settlement_pages.show_statement",
        ("merchant_id", "month"),
    ),
    "statement_confirmed": Words(
        lazy_gettext("A merchant confirmed its statement of %(month)s. Please approve it."),
        "settlement_pages.show_statement",
        ("merchant_id", "month"),
    ),
    "statement_paid": Words(
        lazy_gettext("Your statement of %(month)s was paid."),
        "settlement_pages.show_statement",
        ("merchant_id", "month"),
    ),
    "few_rewards": Words(
        lazy_gettext(
            "In %(communities)s communities people find fewer than %(rewards_needed)s rewards"
            " for %(points)s points, five hours' work. Please bring some in."
        ),
        "shortage_pages.show",
    ),
}

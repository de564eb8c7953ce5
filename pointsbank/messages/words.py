"""The words of each kind of message, but for those about merchants."""

from flask_babel import lazy_gettext

from pointsbank.messages.wording import Words

MEMBER_WORDS: dict[str, Words] = {
    "webhook_failed": Words(
        lazy_gettext(
            "The webhook “%(system)s” failed for five days or is gone, so nothing is sent to it"
            " any more. Please ask its operator, then let it go on."
        ),
        "webhook_pages.show_webhook",
        ("webhook_id",),
    ),
    "ledger_wrong": Words(
        lazy_gettext(
            "The check of %(found_at)s found %(offenders)s places where the ledger is wrong."
            " Please tell whoever runs this service today: “pointsbank ledger verify” names"
            " them."
        )
    ),
    "rankings_wrong": Words(
        lazy_gettext(
            "The check of %(found_on)s found %(standings)s standings in the rankings that"
            " differ from their entries. They are made anew by themselves; if this comes again,"
            " please tell whoever runs this service."
        )
    ),
    "snapshots_wrong": Words(
        lazy_gettext(
            "The check of %(found_on)s found %(snapshots)s closed periods that were written"
            " past this service. Please tell whoever runs it today: the log names them."
        )
    ),
    "skill_confirmed": Words(
        lazy_gettext("Your skill “%(skill)s” was confirmed. Tasks that ask for it are open."),
        "ability_pages.show_own",
    ),
    "skill_refused": Words(
        lazy_gettext(
            "Your skill “%(skill)s” could not be confirmed and was taken off your list. Please"
            " ask your branch what is missing; you may tell it again."
        ),
        "ability_pages.show_own",
    ),
    "skill_doubted": Words(
        lazy_gettext(
            "The confirmation of your skill “%(skill)s” was taken back. It stays on your list"
            " as not confirmed; please ask your branch."
        ),
        "ability_pages.show_own",
    ),
    "reward_wish_here": Words(
        lazy_gettext("“%(title)s”, which you wished for, can be had now."),
        "reward_pages.show_reward",
        ("reward_id",),
    ),
    "reward_wish_fulfilled": Words(
        lazy_gettext("“%(title)s”, which you wished for, is coming. Please read the answer."),
        "wish_pages.list_wishes",
    ),
    "reward_wish_declined": Words(
        lazy_gettext("“%(title)s”, which you wished for, is not possible. Please read why."),
        "wish_pages.list_wishes",
    ),
    "points_expire": Words(
        lazy_gettext(
            "%(points)s of your points are good through %(expires_on)s. After that day they"
            " expire; until then you can redeem them."
        ),
        "reward_pages.catalogue",
    ),
    "gift_received": Words(
        lazy_gettext("Someone of your family gave you %(points)s points."),
        "gift_pages.show_gift",
        ("gift_id",),
    ),
    "gift_taken_back": Words(
        lazy_gettext(
            "A gift of %(points)s points within your family was taken back by an administrator."
        ),
        "gift_pages.show_gift",
        ("gift_id",),
    ),
    "fund_spending_asked": Words(
        lazy_gettext(
            "The care fund is to spend %(points)s points. It needs a second person: please"
            " decide by %(decide_by)s."
        ),
        "fund_pages.show_spending",
        ("spending_id",),
    ),
    "fund_spending_approved": Words(
        lazy_gettext("The care fund's spending of %(points)s points was approved."),
        "fund_pages.show_spending",
        ("spending_id",),
    ),
    "fund_spending_refused": Words(
        lazy_gettext("The care fund's spending of %(points)s points was refused."),
        "fund_pages.show_spending",
        ("spending_id",),
    ),
    "fund_spending_lapsed": Words(
        lazy_gettext(
            "The care fund's spending of %(points)s points lapsed: nobody decided it in time."
        ),
        "fund_pages.show_spending",
        ("spending_id",),
    ),
    "adjustment_asked": Words(
        lazy_gettext(
            "Somebody asks for a manual adjustment for a member of yours. It needs a second"
            " person: please decide by %(decide_by)s."
        ),
        "adjustment_pages.show_adjustment",
        ("adjustment_id",),
    ),
    "adjustment_lapsing": Words(
        lazy_gettext(
            "A manual adjustment still waits for a second person. Undecided, it lapses on"
            " %(decide_by)s."
        ),
        "adjustment_pages.show_adjustment",
        ("adjustment_id",),
    ),
    "adjustment_points_approved": Words(
        lazy_gettext(
            "A manual adjustment of %(points)s points was approved; it is in your passbook."
        ),
        "book_pages.book",
    ),
    "adjustment_minutes_approved": Words(
        lazy_gettext(
            "%(minutes)s of service time were entered by hand and approved. Time entered by"
            " hand earns no points."
        ),
        "book_pages.book",
    ),
    "adjustment_refused": Words(
        lazy_gettext("A manual adjustment that was asked for you was refused. Nothing changed.")
    ),
    "adjustment_request_approved": Words(
        lazy_gettext("A manual adjustment that you asked for was approved."),
        "adjustment_pages.show_adjustment",
        ("adjustment_id",),
    ),
    "adjustment_request_refused": Words(
        lazy_gettext("A manual adjustment that you asked for was refused."),
        "adjustment_pages.show_adjustment",
        ("adjustment_id",),
    ),
    "adjustment_request_lapsed": Words(
        lazy_gettext(
            "A manual adjustment that you asked for lapsed: nobody decided it in time."
        ),
        "adjustment_pages.show_adjustment",
        ("adjustment_id",),
    ),
    "place_yours": Words(
        lazy_gettext(
            "You moved up: you have a place at “%(title)s” on %(starts_at)s. If you cannot"
            " come, please say so today."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "place_offered": Words(
        lazy_gettext(
            "A place at “%(title)s” on %(starts_at)s is yours. Please say by %(accept_by)s that"
            " you come; after that the next in line gets it."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "place_lapsed": Words(
        lazy_gettext(
            "The place at “%(title)s” on %(starts_at)s went to the next in line, because we"
            " heard nothing from you. Nothing is taken off."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "shift_moved": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s meets at another place now. Please look where."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "shift_called_off": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s does not take place: %(reason)s. Nothing is taken"
            " off."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "date_changed": Words(
        lazy_gettext(
            "“%(title)s” on %(was_at)s has changed: it begins on %(starts_at)s, at"
            " %(place)s. Your place is kept; give it up if you cannot come."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_not_eligible": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s asks for something that you do not fulfil, so your"
            " standing claim could not claim it. Its page tells what is missing."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_overlaps": Words(
        lazy_gettext(
            "You have something else while “%(title)s” takes place on %(starts_at)s, so your"
            " standing claim left it out. Claim it yourself if you can come."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_not_open": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s cannot be claimed yet. Your standing claim tries"
            " again each night."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_closed": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s cannot be claimed any more, so your standing claim"
            " left it out."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_moved": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s is at another time than usual, so your standing claim"
            " left it out. Claim it yourself if you can come."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_no_role": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s has no places of the role that you wished for, so"
            " your standing claim left it out."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_waitlisted": Words(
        lazy_gettext(
            "“%(title)s” on %(starts_at)s is full. You are no. %(position)s in line and move"
            " up by yourself."
        ),
        "task_pages.show_task",
        ("task_id", "shift"),
    ),
    "standing_carried": Words(
        lazy_gettext(
            "“%(title)s” changes from %(changes_on)s on, at the same times. Your standing claim"
            " goes on; you can end it at any time."
        ),
        "task_pages.show_task",
        ("task_id",),
    ),
    "standing_ends": Words(
        lazy_gettext(
            "“%(title)s” goes on otherwise after %(last_on)s. Your standing claim ends with"
            " that day; what you have claimed stays."
        ),
        "task_pages.show_task",
        ("task_id",),
    ),
    "standing_ended": Words(
        lazy_gettext(
            "“%(title)s” does not go on as before, so your standing claim has ended. What you"
            " have claimed stays."
        ),
        "task_pages.show_task",
        ("task_id",),
    ),
    "task_submitted": Words(
        lazy_gettext(
            "“%(title)s” with %(places)s places waits for approval. Please look at it."
        ),
        "approving_pages.show_task",
        ("task_id",),
    ),
    "task_approved": Words(
        lazy_gettext("Your task “%(title)s” was approved. Members can claim places now."),
        "organizing_pages.show_plan",
        ("task_id",),
    ),
    "task_sent_back": Words(
        lazy_gettext("Your task “%(title)s” was sent back: %(reason)s."),
        "organizing_pages.show_plan",
        ("task_id",),
    ),
    "attendance_to_review": Words(
        lazy_gettext(
            "“%(title)s” of %(starts_at)s was settled, and something speaks against some of it."
            " Please look and decide."
        ),
        "review_pages.list_reviews",
    ),
    "attendance_approved": Words(
        lazy_gettext(
            "“%(title)s” of %(starts_at)s was looked at by a second person: it counts."
        ),
        "review_pages.show_own",
        ("attendance_id",),
    ),
    "attendance_refused": Words(
        lazy_gettext(
            "“%(title)s” of %(starts_at)s was looked at by a second person and is not counted."
            " Please read why."
        ),
        "review_pages.show_own",
        ("attendance_id",),
    ),
    "co_signature_asked": Words(
        lazy_gettext(
            "Many people came to “%(title)s” on %(starts_at)s. Please look at the list and sign"
            " for it."
        ),
        "watching_pages.vouch",
        ("shift_id",),
    ),
    "checked_in_by_hand": Words(
        lazy_gettext(
            "Somebody checked you in to “%(title)s” at %(checked_in_at)s. If you are not there,"
            " please say so."
        ),
        "service_pages.ask_rejection",
        ("shift_id",),
    ),
    "attendance_struck": Words(
        lazy_gettext(
            "A person says that they did not take part in “%(title)s” of %(starts_at)s. Their"
            " entry was struck out."
        ),
        "attendance_pages.sheet",
        ("shift_id",),
    ),
    "attendance_struck_below": Words(
        lazy_gettext(
            "A person says that they did not take part in “%(title)s” of %(starts_at)s. Their"
            " entry was struck out."
        )
    ),
    "attendance_struck_spent": Words(
        lazy_gettext(
            "A person says that they did not take part in “%(title)s” of %(starts_at)s, and the"
            " %(points)s points of it are spent already. Please settle it with them."
        ),
        "people_pages.show_member",
        ("member_id",),
    ),
    "overtime_asked": Words(
        lazy_gettext(
            "The organizer of “%(title)s” asks that %(minutes)s of overtime count. Please"
            " decide before the shift is settled."
        ),
        "hours_pages.list_hours",
    ),
    "overtime_approved": Words(
        lazy_gettext("The %(minutes)s of overtime of “%(title)s” were approved."),
        "attendance_pages.sheet",
        ("shift_id",),
    ),
    "overtime_refused": Words(
        lazy_gettext("The %(minutes)s of overtime of “%(title)s” were refused."),
        "attendance_pages.sheet",
        ("shift_id",),
    ),
    "no_show_recorded": Words(
        lazy_gettext(
            "You had a place on “%(title)s” of %(starts_at)s, and nobody saw you there. You can"
            " answer until %(answer_by)s. No points are taken."
        ),
        "service_pages.list_services",
    ),
    "no_show_answered": Words(
        lazy_gettext(
            "A person answered why they did not come to “%(title)s” of %(starts_at)s. Please"
            " decide."
        ),
        "hours_pages.list_hours",
    ),
    "no_show_excused": Words(
        lazy_gettext("That you did not come to “%(title)s” of %(starts_at)s is excused."),
        "service_pages.list_services",
    ),
    "no_show_upheld": Words(
        lazy_gettext(
            "It stands that you did not come to “%(title)s” of %(starts_at)s. No points are"
            " taken."
        ),
        "service_pages.list_services",
    ),
    "dispute_opened": Words(
        lazy_gettext(
            "A member says that a line of their passbook is wrong. Please answer by"
            " %(answer_on)s."
        ),
        "disputing_pages.show_dispute",
        ("dispute_id",),
    ),
    "disputes_overdue": Words(
        lazy_gettext("%(disputes)s disputes are overdue. Please answer them today."),
        "disputing_pages.list_disputes",
    ),
    "dispute_upheld": Words(
        lazy_gettext("You said that line %(line)s is wrong. It was taken back."),
        "disputing_pages.ask",
        ("line",),
    ),
    "dispute_rejected": Words(
        lazy_gettext("You said that line %(line)s is wrong. It stays; please read why."),
        "disputing_pages.ask",
        ("line",),
    ),
    "issue_budget_nearly_spent": Words(
        lazy_gettext(
            "%(organization)s has issued %(issued)s of the %(points_max)s points that may be"
            " issued in %(month)s. At the limit people wait for their points."
        ),
        "budget_pages.list_budgets",
        ("month",),
    ),
    "issue_budget_spent": Words(
        lazy_gettext(
            "%(organization)s has no room left in its issue budget of %(month)s: %(issued)s of"
            " %(points_max)s points are issued. People wait until it is raised."
        ),
        "budget_pages.list_budgets",
        ("month",),
    ),
    "invited_to_shift": Words(
        lazy_gettext(
            "You are invited to “%(task)s” on %(starts_at)s. It is your own free choice: please"
            " answer by %(answer_by)s."
        ),
        "inviting_pages.list_invitations",
    ),
    "kept_places_released": Words(
        lazy_gettext(
            "%(places)s places that you kept for your branch were not filled. They are open to"
            " everyone now."
        ),
        "group_pages.show_group",
        ("group_id",),
    ),
    "void_asked": Words(
        lazy_gettext(
            "Somebody asks to void a redemption of %(points)s points. It needs a second"
            " administrator: please agree or refuse."
        ),
        "till_pages.show_receipt",
        ("redemption_id",),
    ),
    "shift_soon": Words(
        lazy_gettext(
            "“%(task)s” begins on %(starts_at)s: %(place)s. If you cannot come, please give"
            " your place up now."
        ),
        "task_pages.list_claims",
    ),
    "shift_unclaimed": Words(
        lazy_gettext(
            "Nobody has claimed “%(task)s” of %(starts_at)s yet. Please invite people, or call"
            " it off in time."
        ),
        "organizing_pages.show_plan",
        ("task_id",),
    ),
}


# While two versions run side by side, one may read what only the other can say.
NEWS = Words(lazy_gettext("There is news for you."))

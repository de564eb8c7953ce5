"""The list of every room's doors."""

from flask import Blueprint

from pointsbank.app.jobs_page import api as jobs_api
from pointsbank.app.jobs_page import pages as job_pages
from pointsbank.app.manual_entries import api as manual_api
from pointsbank.app.manual_entries import pages as manual_pages
from pointsbank.app.me import api as me_api
from pointsbank.app.member_file_doors import api as file_api
from pointsbank.app.member_file_doors import pages as file_pages
from pointsbank.app.merchant_desk import api as desk_api
from pointsbank.app.merchant_desk import pages as desk_pages
from pointsbank.app.my_code import pages as own_code_pages
from pointsbank.app.scanned import pages as scanned_pages
from pointsbank.appraisals.api import api as evaluation_papers_api
from pointsbank.appraisals.appraisals_api import api as appraisals_api
from pointsbank.appraisals.pages.appraisals import pages as appraisal_pages
from pointsbank.appraisals.pages.entering import pages as new_paper_pages
from pointsbank.appraisals.pages.own import pages as own_paper_pages
from pointsbank.appraisals.pages.papers import pages as evaluation_paper_pages
from pointsbank.attendance.api.counting import api as counting_api
from pointsbank.attendance.api.differences import api as differences_api
from pointsbank.attendance.api.hours import api as hours_api
from pointsbank.attendance.api.life import api as life_api
from pointsbank.attendance.api.own_codes import api as own_codes_api
from pointsbank.attendance.api.posters import api as posters_api
from pointsbank.attendance.api.reviewing import api as reviewing_api
from pointsbank.attendance.api.scanning import api as attendance_api
from pointsbank.attendance.api.station import api as station_api
from pointsbank.attendance.api.walk_ins import api as walk_ins_api
from pointsbank.attendance.pages.closing import pages as closing_pages
from pointsbank.attendance.pages.differences import pages as difference_pages
from pointsbank.attendance.pages.hours import pages as hours_pages
from pointsbank.attendance.pages.life import pages as life_pages
from pointsbank.attendance.pages.looking_up import pages as looking_up_pages
from pointsbank.attendance.pages.posters import pages as poster_pages
from pointsbank.attendance.pages.reviewing import pages as review_pages
from pointsbank.attendance.pages.scanning import pages as scan_pages
from pointsbank.attendance.pages.service import pages as service_pages
from pointsbank.attendance.pages.station import pages as attendance_pages
from pointsbank.attendance.pages.walk_ins import pages as walk_in_pages
from pointsbank.attendance.pages.watching import pages as watching_pages
from pointsbank.budgets.api import api as budgets_api
from pointsbank.budgets.pages import pages as budget_pages
from pointsbank.certificates.api.plans import api as plans_api
from pointsbank.certificates.api.stars import api as stars_api
from pointsbank.certificates.pages.checking import pages as number_pages
from pointsbank.certificates.pages.keeping import pages as star_pages
from pointsbank.certificates.pages.levels import pages as level_pages
from pointsbank.certificates.pages.own import pages as own_star_pages
from pointsbank.certificates.pages.planning import pages as plan_writing_pages
from pointsbank.certificates.pages.plans import pages as plan_pages
from pointsbank.ledger.api import api as ledger_api
from pointsbank.ledger.pages import pages as block_pages
from pointsbank.members.abilities_api import api as abilities_api
from pointsbank.members.activating_api import api as activating_api
from pointsbank.members.api import api as members_api
from pointsbank.members.cards_api import api as cards_api
from pointsbank.members.consent_api import api as consent_api
from pointsbank.members.dual_api import api as dual_api
from pointsbank.members.honours_api import api as honours_api
from pointsbank.members.joining_api import api as joining_api
from pointsbank.members.moving_api import api as moving_api
from pointsbank.members.pages.abilities import pages as ability_pages
from pointsbank.members.pages.activating import pages as activation_pages
from pointsbank.members.pages.cards import pages as card_pages
from pointsbank.members.pages.consenting import pages as consent_pages
from pointsbank.members.pages.dual import pages as dual_pages
from pointsbank.members.pages.honours import pages as honour_pages
from pointsbank.members.pages.inviting import pages as invitation_pages
from pointsbank.members.pages.moving import pages as moving_pages
from pointsbank.members.pages.own import pages as member_pages
from pointsbank.members.pages.people import pages as people_pages
from pointsbank.members.pages.proposals import pages as proposal_pages
from pointsbank.members.pages.signing_in import pages as sign_in_pages
from pointsbank.members.pages.signing_in import registering as register_pages
from pointsbank.members.proposals_api import api as proposals_api
from pointsbank.merchants.api.applications import api as applications_api
from pointsbank.merchants.api.contracts import api as contracts_api
from pointsbank.merchants.api.papers import api as papers_api
from pointsbank.merchants.api.shops import api as shops_api
from pointsbank.merchants.pages.applications import pages as application_pages
from pointsbank.merchants.pages.contracts import pages as contract_pages
from pointsbank.merchants.pages.papers import pages as paper_pages
from pointsbank.merchants.pages.shops import pages as shop_pages
from pointsbank.messages.api import api as messages_api
from pointsbank.messages.pages import pages as message_pages
from pointsbank.notices.api.desk import api as notices_api
from pointsbank.notices.api.objections import api as objections_api
from pointsbank.notices.api.public import api as public_notices_api
from pointsbank.notices.pages.desk import pages as notice_desk_pages
from pointsbank.notices.pages.objections import pages as objection_pages
from pointsbank.notices.pages.own import pages as own_objection_pages
from pointsbank.notices.pages.public import pages as notice_pages
from pointsbank.organizations.api import api as organizations_api
from pointsbank.organizations.calendar_api import api as calendar_days_api
from pointsbank.organizations.pages import pages as organization_pages
from pointsbank.outbox.api import api as outbox_api
from pointsbank.outbox.pages import pages as webhook_pages
from pointsbank.passbooks.api.book import api as passbooks_api
from pointsbank.passbooks.api.disputing import api as disputing_api
from pointsbank.passbooks.api.exporting import api as exporting_api
from pointsbank.passbooks.api.funds import api as funds_api
from pointsbank.passbooks.api.giving import api as giving_api
from pointsbank.passbooks.api.looking_back import api as looking_back_api
from pointsbank.passbooks.api.reversing import api as reversing_api
from pointsbank.passbooks.api.statements import api as statements_api
from pointsbank.passbooks.pages.book import pages as book_pages
from pointsbank.passbooks.pages.disputing import pages as disputing_pages
from pointsbank.passbooks.pages.funds import pages as fund_pages
from pointsbank.passbooks.pages.giving import pages as gift_pages
from pointsbank.passbooks.pages.statements import pages as statement_pages
from pointsbank.rankings.api import api as rankings_api
from pointsbank.rankings.grades_api import api as grades_api
from pointsbank.rankings.pages.archive import pages as archive_pages
from pointsbank.rankings.pages.dashboard import pages as ranking_pages
from pointsbank.rankings.pages.grades import pages as grade_pages
from pointsbank.rankings.pages.periods import pages as period_pages
from pointsbank.rankings.pages.reports import pages as secretary_report_pages
from pointsbank.rankings.pages.spans import pages as span_pages
from pointsbank.rankings.pages.trials import pages as trial_pages
from pointsbank.rankings.pages.unit_sheets import pages as unit_sheet_pages
from pointsbank.rankings.periods_api import api as periods_api
from pointsbank.rankings.reports_api import api as secretary_reports_api
from pointsbank.rankings.trials_api import api as trials_api
from pointsbank.rewards.api import api as rewards_api
from pointsbank.rewards.counter_api import api as counter_api
from pointsbank.rewards.loans_api import api as loans_api
from pointsbank.rewards.offers_api import api as offers_api
from pointsbank.rewards.orders_api import api as orders_api
from pointsbank.rewards.pages.at_shop import pages as shop_till_pages
from pointsbank.rewards.pages.catalogue import pages as reward_pages
from pointsbank.rewards.pages.confirming import pages as confirm_pages
from pointsbank.rewards.pages.counter import pages as till_pages
from pointsbank.rewards.pages.loans import pages as loan_pages
from pointsbank.rewards.pages.offers import pages as offer_pages
from pointsbank.rewards.pages.orders import pages as order_pages
from pointsbank.rewards.pages.pictures import pages as picture_pages
from pointsbank.rewards.pages.scanned import pages as redemption_code_pages
from pointsbank.rewards.pages.shortage import pages as shortage_pages
from pointsbank.rewards.pages.voids import pages as void_pages
from pointsbank.rewards.pages.vouchers import pages as voucher_pages
from pointsbank.rewards.pages.watching import pages as unusual_pages
from pointsbank.rewards.pages.wishes import pages as wish_pages
from pointsbank.rewards.voids_api import api as voids_api
from pointsbank.rewards.watching_api import api as unusual_api
from pointsbank.rewards.wishes_api import api as wishes_api
from pointsbank.scoring.api import api as scoring_api
from pointsbank.scoring.pages.adjusting import pages as adjustment_pages
from pointsbank.scoring.pages.drafts import pages as draft_pages
from pointsbank.scoring.pages.standards import pages as standard_pages
from pointsbank.scoring.standards_api import api as standards_api
from pointsbank.settlements.api import api as settlements_api
from pointsbank.settlements.pages.reports import pages as report_pages
from pointsbank.settlements.pages.statements import pages as settlement_pages
from pointsbank.settlements.reports_api import api as reports_api
from pointsbank.tasks.api.calendars import api as calendars_api
from pointsbank.tasks.api.claims import api as claims_api
from pointsbank.tasks.api.finding import api as finding_api
from pointsbank.tasks.api.inviting import api as inviting_api
from pointsbank.tasks.api.post_notices import api as post_notices_api
from pointsbank.tasks.api.series import api as series_api
from pointsbank.tasks.api.tasks import api as tasks_api
from pointsbank.tasks.pages.approving import pages as approving_pages
from pointsbank.tasks.pages.calendars import pages as calendar_pages
from pointsbank.tasks.pages.claiming import pages as task_pages
from pointsbank.tasks.pages.dates import pages as date_pages
from pointsbank.tasks.pages.finding import pages as finding_pages
from pointsbank.tasks.pages.groups import pages as group_pages
from pointsbank.tasks.pages.inviting import pages as inviting_pages
from pointsbank.tasks.pages.organizing import pages as organizing_pages
from pointsbank.tasks.pages.planning import pages as planning_pages
from pointsbank.tasks.pages.post_notices import pages as post_notice_pages
from pointsbank.tasks.pages.series import pages as series_pages
from pointsbank.tasks.pages.standing import pages as standing_pages
from pointsbank.web.contract import Blueprint as ApiBlueprint

API_DOORS: list[ApiBlueprint] = [
    rewards_api,
    counter_api,
    offers_api,
    orders_api,
    loans_api,
    wishes_api,
    unusual_api,
    voids_api,
    settlements_api,
    reports_api,
    stars_api,
    plans_api,
    scoring_api,
    standards_api,
    trials_api,
    tasks_api,
    calendars_api,
    calendar_days_api,
    consent_api,
    notices_api,
    objections_api,
    public_notices_api,
    post_notices_api,
    inviting_api,
    claims_api,
    finding_api,
    series_api,
    attendance_api,
    posters_api,
    own_codes_api,
    walk_ins_api,
    reviewing_api,
    hours_api,
    counting_api,
    differences_api,
    station_api,
    organizations_api,
    members_api,
    moving_api,
    proposals_api,
    evaluation_papers_api,
    appraisals_api,
    life_api,
    abilities_api,
    honours_api,
    cards_api,
    dual_api,
    joining_api,
    activating_api,
    applications_api,
    contracts_api,
    papers_api,
    shops_api,
    desk_api,
    jobs_api,
    messages_api,
    me_api,
    file_api,
    manual_api,
    passbooks_api,
    giving_api,
    funds_api,
    statements_api,
    ledger_api,
    disputing_api,
    exporting_api,
    looking_back_api,
    reversing_api,
    rankings_api,
    secretary_reports_api,
    periods_api,
    grades_api,
    budgets_api,
    outbox_api,
]
PAGE_DOORS: list[Blueprint] = [
    task_pages,
    group_pages,
    calendar_pages,
    consent_pages,
    notice_pages,
    notice_desk_pages,
    objection_pages,
    own_objection_pages,
    post_notice_pages,
    inviting_pages,
    finding_pages,
    organizing_pages,
    planning_pages,
    approving_pages,
    series_pages,
    date_pages,
    standing_pages,
    attendance_pages,
    poster_pages,
    own_code_pages,
    walk_in_pages,
    review_pages,
    watching_pages,
    looking_up_pages,
    difference_pages,
    closing_pages,
    hours_pages,
    service_pages,
    scan_pages,
    sign_in_pages,
    member_pages,
    people_pages,
    moving_pages,
    proposal_pages,
    evaluation_paper_pages,
    new_paper_pages,
    own_paper_pages,
    appraisal_pages,
    life_pages,
    ability_pages,
    honour_pages,
    file_pages,
    card_pages,
    dual_pages,
    invitation_pages,
    activation_pages,
    register_pages,
    message_pages,
    own_star_pages,
    star_pages,
    level_pages,
    number_pages,
    plan_pages,
    plan_writing_pages,
    adjustment_pages,
    standard_pages,
    draft_pages,
    trial_pages,
    manual_pages,
    organization_pages,
    application_pages,
    contract_pages,
    paper_pages,
    shop_pages,
    desk_pages,
    job_pages,
    book_pages,
    gift_pages,
    fund_pages,
    statement_pages,
    block_pages,
    disputing_pages,
    ranking_pages,
    span_pages,
    unit_sheet_pages,
    secretary_report_pages,
    archive_pages,
    period_pages,
    grade_pages,
    budget_pages,
    reward_pages,
    till_pages,
    redemption_code_pages,
    confirm_pages,
    shop_till_pages,
    offer_pages,
    picture_pages,
    order_pages,
    loan_pages,
    voucher_pages,
    wish_pages,
    shortage_pages,
    unusual_pages,
    void_pages,
    settlement_pages,
    report_pages,
    scanned_pages,
    webhook_pages,
]

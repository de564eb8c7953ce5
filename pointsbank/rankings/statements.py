"""The SQL of the roll-up: one pipeline for a few members or for everybody, on both engines.

Steps work on temporary tables whose names begin with rolling_; docs/rankings.md, "The roll-up".
Only whole numbers, dates and words of ours are written into the text, never what people typed.
"""

TEMPORARY = (
    "rolling_touched",
    "rolling_share",
    "rolling_member",
    "rolling_score",
    "rolling_part",
    "rolling_row",
    "rolling_count",
    "rolling_lifted",
    "rolling_branch",
)

# What the two engines write differently.
POSTGRESQL = {
    "temp": "pg_temp",
    "lifted_key": "rolling_lifted_key",
    "analyze": "ANALYZE {table}",
    "week": "CAST(date_trunc('week', day) AS date)",
    "joined": "string_agg(body, ', ' ORDER BY place)",
    "by_member": "",
    "by_organization": "",
    "json": "CAST({} AS json)",
    # Taken apart once, not once for each of its facts.
    "parts": (
        "json_to_recordset({}.parts) AS part(category text, score bigint, earned bigint,"
        " entries bigint, points bigint, minutes bigint, members bigint, total bigint)"
    ),
    "text_of": "part.{}",
    "number_of": "part.{}",
    "steps": "unnest(string_to_array(trim(both '/' from below.path), '/')) AS step(id)",
    "step": "CAST(step.id AS bigint)",
}
SQLITE = {
    "temp": "temp",
    "lifted_key": "temp.rolling_lifted_key",
    "analyze": "SELECT 1",
    "week": "date(day, 'weekday 0', '-6 days')",
    # It joins rows as they come; they are sorted before.
    "joined": "group_concat(body, ', ')",
    "by_member": "ORDER BY member_id, place",
    "by_organization": "ORDER BY organization_id, place",
    "json": "{}",
    "parts": "json_each({}.parts) AS part",
    "text_of": "json_extract(part.value, '$.{}')",
    "number_of": "json_extract(part.value, '$.{}')",
    "steps": "json_each('[' || replace(trim(below.path, '/'), '/', ',') || ']') AS step",
    "step": "step.value",
}

# Entries of the period that the roll-up may see, and the days that a row covers.
SEEN = "earned_on >= '{first_on}' AND earned_on < '{end_on}' AND id <= {entry_id}"
COVERS = "{0}.from_on <= '{last_on}' AND ({0}.until_on IS NULL OR {0}.until_on > '{last_on}')"

# What narrows a statement to those who were touched.
NARROWED = {
    "only_touched_members": "JOIN rolling_touched ON rolling_touched.member_id = member.id",
    "only_touched_entries": (
        "JOIN rolling_touched AS touched ON touched.member_id = score_entry.member_id"
    ),
    "only_touched_standings": (
        "JOIN rolling_touched AS touched ON touched.member_id = standing.member_id"
    ),
}
AGAIN = "(SELECT organization_id FROM rolling_branch WHERE is_recounted = 1)"
RECOUNTED = {
    "only_recounted_here": f"AND here.organization_id IN {AGAIN}",
    "only_recounted_late": f"AND late.organization_id IN {AGAIN}",
    "only_recounted_member": f"AND member.organization_id IN {AGAIN}",
}

TOUCHED = """
    CREATE TEMP TABLE rolling_touched AS
    SELECT member_id FROM score_entry
    WHERE id > {after_entry} AND id <= {entry_id}
      AND earned_on >= '{first_on}' AND earned_on < '{end_on}'
    UNION
    SELECT member_id FROM member_change WHERE id > {after_change} AND id <= {change_id}
"""

# The row that covers the last day, else the first, else where the member is now.
MEMBERS = """
    CREATE TEMP TABLE rolling_member AS
    SELECT member.id AS member_id,
           COALESCE(here.organization_id,
                    (SELECT first.organization_id FROM belonging AS first
                     WHERE first.member_id = member.id ORDER BY first.from_on LIMIT 1),
                    member.organization_id) AS organization_id,
           CASE WHEN here.id IS NOT NULL THEN here.grid_id
                WHEN EXISTS (SELECT 1 FROM belonging AS any_row
                             WHERE any_row.member_id = member.id)
                THEN (SELECT first.grid_id FROM belonging AS first
                      WHERE first.member_id = member.id ORDER BY first.from_on LIMIT 1)
                ELSE member.grid_id END AS grid_id,
           CASE WHEN exempted.is_mobile = 1 THEN '{mobile_table}' ELSE '{default_table}' END
               AS table_name,
           COALESCE(exempted.is_exempt, 0) = 1 AS is_exempt,
           vetoed.member_id IS NOT NULL AS is_vetoed,
           here.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM belonging AS any_row
                                              WHERE any_row.member_id = member.id) AS belonged
    FROM member {only_touched_members}
    LEFT JOIN belonging AS here ON here.member_id = member.id AND {here_covers}
    LEFT JOIN (SELECT member_id,
                      MAX(CASE WHEN reason_code = '{mobile}' THEN 1 ELSE 0 END) AS is_mobile,
                      MAX(CASE WHEN reason_code IN ({exempting}) THEN 1 ELSE 0 END) AS is_exempt
               FROM exemption WHERE state = 'confirmed' AND {exemption_covers}
               GROUP BY member_id) AS exempted ON exempted.member_id = member.id
    LEFT JOIN (SELECT DISTINCT member_id FROM veto
               WHERE state = 'confirmed'
                 AND occurred_on >= '{first_on}' AND occurred_on < '{end_on}') AS vetoed
        ON vetoed.member_id = member.id
    WHERE member.state = 'active'
"""

# How each category of the standard's tables counts; a table, so that its size is known.
SHARES = """
    CREATE TEMP TABLE rolling_share AS
    WITH share(table_name, category, place, kind, cap, is_full) AS (VALUES {shares})
    SELECT * FROM share
"""

ITEMS = "item(item_id, code_id, has_span, day_cap, week_cap, year_cap) AS (VALUES {rows}),"
# One entry's figures fit four bytes, which are added up faster; their sum has eight.
ENTRIES = """(
        SELECT score_entry.member_id, category, earned_on AS day, 1 AS entries,
               CAST(evaluation_hundredths AS integer) AS earned,
               CAST(evaluation_hundredths AS integer) AS counted,
               CAST(points AS integer) AS points,
               CAST(service_minutes AS integer) AS minutes
        FROM score_entry {only_touched_entries} WHERE {seen}
    ) AS entry"""
ENTRIES_OF_ITEMS = """(
        SELECT score_entry.member_id, category, COALESCE(item.code_id, 0) AS code_id,
               CASE WHEN item.has_span = 1 THEN earned_on END AS day,
               day_cap, week_cap, year_cap, 1 AS entries,
               CAST(evaluation_hundredths AS integer) AS earned,
               CAST(evaluation_hundredths AS integer) AS counted,
               CAST(points AS integer) AS points,
               CAST(service_minutes AS integer) AS minutes
        FROM score_entry {only_touched_entries}
        LEFT JOIN item ON item.item_id = score_entry.item_id
        WHERE {seen}
    ) AS entry"""
# One rung of the way from entries to categories; its sums are cut before the next adds them.
RUNG = """
    {name} AS (
        SELECT {columns}, {sums}, CAST({counted} AS bigint) AS counted
        FROM {source} GROUP BY {keys}
    )"""
CUT = "CASE WHEN {counted} > {cap} THEN {cap} ELSE {counted} END"
SUMS = """CAST(SUM(earned) AS bigint) AS earned, CAST(SUM(entries) AS bigint) AS entries,
               CAST(SUM(points) AS bigint) AS points, CAST(SUM(minutes) AS bigint) AS minutes"""

# Whoever starts in full has the whole of each base category, with or without an entry.
FULL_SUMS = """
    , every AS (
        SELECT * FROM found
        UNION ALL
        SELECT rolling_member.member_id, share.category, 0, 0, 0, 0, 0
        FROM rolling_member
        JOIN rolling_share AS share ON share.table_name = rolling_member.table_name
                                   AND share.is_full = 1
        WHERE rolling_member.belonged
           OR rolling_member.member_id IN (SELECT member_id FROM found)
    ), summed_whole AS (
        SELECT member_id, category, {sums}, CAST(SUM(counted) AS bigint) AS counted
        FROM every GROUP BY member_id, category
    )
"""
SCORES = """
    CREATE TEMP TABLE rolling_score AS
    WITH {items} {rungs} {full_sums}
    SELECT rolling_member.*, share.place, share.category, share.kind, share.cap,
           whole.earned, whole.entries, whole.points, whole.minutes,
           CASE WHEN share.kind = '{deduction}'
                THEN CASE WHEN whole.earned < 0 THEN -whole.earned ELSE 0 END
                WHEN share.is_full = 1 THEN share.cap
                WHEN whole.counted < 0 THEN 0
                WHEN whole.counted > share.cap THEN share.cap
                ELSE whole.counted END AS score
    FROM {last_sums} AS whole
    JOIN rolling_member ON rolling_member.member_id = whole.member_id
    JOIN rolling_share AS share ON share.table_name = rolling_member.table_name
                               AND share.category = whole.category
"""

# A part is spelled the same for members and branches, but for what only a branch has.
BODY = """'{{"cap": ' || cap || ', "category": "' || category || '", "earned": ' || earned
               || ', "entries": ' || entries || ', "kind": "' || kind || '", {more}"minutes": '
               || minutes || ', "points": ' || points || ', "score": ' || score || '}}'"""

# What a standing has of its member; rolling_member has it first, in this order.
OF_MEMBER = "member_id, organization_id, grid_id, table_name, is_exempt, is_vetoed"
# In order of members all indexes but one grow at few places, which stay in memory.
STANDINGS = """
    INSERT INTO member_standing (period, member_id, organization_id, grid_id, table_name,
                                 is_exempt, is_vetoed, base_hundredths, bonus_hundredths,
                                 deduction_hundredths, evaluation_hundredths, points_earned,
                                 service_minutes, parts)
    SELECT CAST(:period AS varchar), {of_member}, made.base, made.bonus, made.deduction,
           CASE WHEN made.base + made.bonus - made.deduction < 0 THEN 0
                WHEN made.base + made.bonus - made.deduction > {full} THEN {full}
                ELSE made.base + made.bonus - made.deduction END,
           made.points, made.minutes, {parts_made}
    FROM (
        SELECT {of_member},
               CAST(SUM(CASE WHEN kind = 'base' THEN score ELSE 0 END) AS bigint) AS base,
               CAST(SUM(CASE WHEN kind = 'bonus' THEN score ELSE 0 END) AS bigint) AS bonus,
               CAST(SUM(CASE WHEN kind = '{deduction}' THEN score ELSE 0 END) AS bigint)
                   AS deduction,
               CAST(SUM(points) AS bigint) AS points, CAST(SUM(minutes) AS bigint) AS minutes,
               '[' || {joined} || ']' AS parts
        FROM (SELECT rolling_score.*, {body} AS body FROM rolling_score
              {by_member}) AS spelled
        GROUP BY {of_member}
    ) AS made ORDER BY member_id
"""

FORGET_TOUCHED = """
    DELETE FROM member_standing
    WHERE period = :period AND member_id IN (SELECT member_id FROM rolling_touched)
"""
FORGET_ALL = tuple(
    f"DELETE FROM {table} WHERE period = :period"
    for table in ("standing_count", "branch_standing", "member_standing")
)

# What is counted of standings: those that were there have the sign -1.
ROWS = """
    CREATE TEMP TABLE rolling_row (
        sign integer, organization_id bigint, is_exempt boolean, evaluation_hundredths bigint,
        points_earned bigint, service_minutes bigint)
"""
ROWS_NOW = """
    INSERT INTO rolling_row
    SELECT {sign}1, organization_id, is_exempt, evaluation_hundredths, points_earned,
           service_minutes
    FROM member_standing AS standing {only_touched_standings} WHERE period = :period
"""

# Sums of branches and categories; a row of no category counts who has a standing.
PARTS = """
    CREATE TEMP TABLE rolling_part (
        organization_id bigint, category varchar(24), members bigint, total bigint,
        earned bigint, entries bigint, points bigint, minutes bigint)
"""
PARTS_OLD = """
    INSERT INTO rolling_part
    SELECT standing.organization_id, {category_of}, -COUNT(*), -SUM({score_of}),
           -SUM({earned_of}), -SUM({entries_of}), -SUM({points_of}), -SUM({minutes_of})
    FROM rolling_touched
    JOIN member_standing AS standing
        ON standing.period = :period AND standing.member_id = rolling_touched.member_id,
    {standing_parts}
    GROUP BY standing.organization_id, {category_of}
"""
PARTS_NEW = """
    INSERT INTO rolling_part
    SELECT organization_id, category, COUNT(*), SUM(score), SUM(earned), SUM(entries),
           SUM(points), SUM(minutes)
    FROM rolling_score GROUP BY organization_id, category
"""
PARTS_ACTIVE = """
    INSERT INTO rolling_part
    SELECT organization_id, '', SUM(sign), 0, 0, 0, 0, 0 FROM rolling_row
    GROUP BY organization_id
"""
PARTS_KEPT_ACTIVE = """
    INSERT INTO rolling_part
    SELECT branch.organization_id, '', branch.active_count, 0, 0, 0, 0, 0
    FROM rolling_branch
    JOIN branch_standing AS branch ON branch.period = :period
        AND branch.organization_id = rolling_branch.organization_id
"""
CHANGE = """
    SELECT COALESCE(SUM(entries), 0) AS entries,
           COALESCE(SUM(CASE WHEN category = '' THEN members ELSE 0 END), 0) AS members
    FROM rolling_part
"""
PARTS_KEPT = """
    INSERT INTO rolling_part
    SELECT branch.organization_id, {category_of}, {members_of}, {total_of}, {earned_of},
           {entries_of}, {points_of}, {minutes_of}
    FROM rolling_branch
    JOIN branch_standing AS branch ON branch.period = :period
        AND branch.organization_id = rolling_branch.organization_id,
    {branch_parts}
"""

COUNTS = """
    CREATE TEMP TABLE rolling_count (
        organization_id bigint, measure varchar(12), value bigint, members bigint)
"""
COUNT_ROWS = """
    INSERT INTO rolling_count
    SELECT organization_id, '{measure}', {column}, SUM(sign) FROM rolling_row
    WHERE NOT is_exempt GROUP BY organization_id, {column} HAVING SUM(sign) <> 0
"""
# Of each place the organizations above it, and itself, that are counted.
LIFTED = """
    SELECT above.id AS organization_id, measure, value, CAST(SUM(members) AS bigint) AS members
    FROM rolling_count
    JOIN (SELECT below.id AS below_id, {step} AS above_id
          FROM organization AS below, {steps}
          WHERE below.id IN (SELECT organization_id FROM rolling_count)) AS lift
        ON lift.below_id = rolling_count.organization_id
    JOIN organization AS above ON above.id = lift.above_id AND above.kind IN ({counted_kinds})
    GROUP BY above.id, measure, value HAVING SUM(members) <> 0
"""
COUNTS_NEW = """
    INSERT INTO standing_count (period, organization_id, measure, value, members)
    SELECT CAST(:period AS varchar), organization_id, measure, value, members
    FROM ({lifted}) AS up
"""
COUNTS_LIFTED = "CREATE TEMP TABLE rolling_lifted AS {lifted}"
# Nobody can foresee how many counts come to nothing; by this they are looked up all the same.
LIFTED_KEY = "CREATE INDEX {lifted_key} ON rolling_lifted (organization_id, measure, value)"
COUNTS_CHANGED = (
    """
    UPDATE standing_count SET members = standing_count.members + up.members
    FROM rolling_lifted AS up
    WHERE standing_count.period = :period
      AND standing_count.organization_id = up.organization_id
      AND standing_count.measure = up.measure AND standing_count.value = up.value
    """,
    """
    DELETE FROM standing_count WHERE period = :period AND members = 0
      AND (organization_id, measure, value) IN (
        SELECT organization_id, measure, value FROM rolling_lifted)
    """,
    """
    INSERT INTO standing_count (period, organization_id, measure, value, members)
    SELECT CAST(:period AS varchar), up.organization_id, up.measure, up.value, up.members
    FROM rolling_lifted AS up
    WHERE up.members > 0 AND NOT EXISTS (
        SELECT 1 FROM standing_count AS kept
        WHERE kept.period = :period AND kept.organization_id = up.organization_id
          AND kept.measure = up.measure AND kept.value = up.value)
    """,
)

# Branches whose members are to be counted again: of people who came, went or were stopped, and
# of people who count there although they came after the period.
BRANCHES_TOUCHED = """
    CREATE TEMP TABLE rolling_branch AS
    SELECT organization_id, MAX(is_recounted) AS is_recounted, MAX(member_count) AS member_count
    FROM (
        SELECT organization_id, 0 AS is_recounted, 0 AS member_count FROM rolling_part
        UNION ALL
        SELECT belonging.organization_id, 1, 0 FROM member_change
        JOIN belonging ON belonging.member_id = member_change.member_id
        WHERE member_change.id > {after_change} AND member_change.id <= {change_id}
        UNION ALL
        SELECT member.organization_id, 1, 0 FROM member_change
        JOIN member ON member.id = member_change.member_id
        WHERE member_change.id > {after_change} AND member_change.id <= {change_id}
        UNION ALL
        SELECT left_id, 1, 0 FROM member_change
        WHERE id > {after_change} AND id <= {change_id} AND left_id IS NOT NULL
        UNION ALL
        SELECT organization_id, 1, 0 FROM rolling_member WHERE NOT belonged
    ) AS each_one GROUP BY organization_id
"""
BRANCHES_UNKNOWN = """
    UPDATE rolling_branch SET is_recounted = 1 WHERE NOT EXISTS (
        SELECT 1 FROM branch_standing AS branch WHERE branch.period = :period
          AND branch.organization_id = rolling_branch.organization_id)
"""
BRANCH_COUNTS = """
    SELECT organization_id, COUNT(*) AS member_count
    FROM (
        SELECT here.organization_id FROM belonging AS here
        JOIN member ON member.id = here.member_id AND member.state = 'active'
        WHERE {here_covers} {only_recounted_here}
        UNION ALL
        SELECT late.organization_id FROM member_standing AS late
        WHERE late.period = :period {only_recounted_late} AND NOT EXISTS (
            SELECT 1 FROM belonging AS here
            WHERE here.member_id = late.member_id AND {here_covers})
        UNION ALL
        SELECT member.organization_id FROM member
        WHERE member.state = 'active' {only_recounted_member}
          AND NOT EXISTS (SELECT 1 FROM belonging WHERE belonging.member_id = member.id)
          AND NOT EXISTS (SELECT 1 FROM member_standing AS has
                          WHERE has.period = :period AND has.member_id = member.id)
    ) AS each_one GROUP BY organization_id
"""
BRANCHES_EMPTY = """
    CREATE TEMP TABLE rolling_branch (
        organization_id bigint, is_recounted integer, member_count bigint)
"""
# As BRANCH_COUNTS, where rolling_member has everybody.
BRANCHES_ALL = """
    INSERT INTO rolling_branch
    SELECT organization_id, 1, COUNT(*) FROM rolling_member
    WHERE belonged OR member_id IN (SELECT member_id FROM rolling_score)
    GROUP BY organization_id
"""
BRANCHES_RECOUNTED = """
    UPDATE rolling_branch SET member_count = counted.member_count
    FROM ({counts}) AS counted WHERE counted.organization_id = rolling_branch.organization_id
"""
BRANCHES_KEPT = """
    UPDATE rolling_branch SET member_count = branch.member_count
    FROM branch_standing AS branch
    WHERE rolling_branch.is_recounted = 0 AND branch.period = :period
      AND branch.organization_id = rolling_branch.organization_id
"""
FORGET_BRANCHES = """
    DELETE FROM branch_standing WHERE period = :period
      AND organization_id IN (SELECT organization_id FROM rolling_branch)
"""
# A branch's part is its members' mean in that category, to the nearest hundredth, and its
# evaluation is made of its parts as a member's is; total and members are what the mean is of.
BRANCHES = """
    INSERT INTO branch_standing (period, organization_id, member_count, active_count,
                                 evaluation_hundredths, points_earned, service_minutes, parts)
    WITH summed AS (
        SELECT rolling_part.organization_id, rolling_part.category,
               CAST(SUM(members) AS bigint) AS members, CAST(SUM(total) AS bigint) AS total,
               CAST(SUM(earned) AS bigint) AS earned, CAST(SUM(entries) AS bigint) AS entries,
               CAST(SUM(points) AS bigint) AS points, CAST(SUM(minutes) AS bigint) AS minutes
        FROM rolling_part GROUP BY rolling_part.organization_id, rolling_part.category
        HAVING SUM(members) <> 0
    ), means AS (
        SELECT summed.*, share.place, share.kind, share.cap,
               (2 * total + member_count) / (2 * member_count) AS score
        FROM summed
        JOIN rolling_share AS share ON share.table_name = '{default_table}'
                                   AND share.category = summed.category
        JOIN rolling_branch ON rolling_branch.organization_id = summed.organization_id
        WHERE rolling_branch.member_count > 0
    ), made AS (
        SELECT organization_id,
               CAST(SUM(CASE WHEN kind = '{deduction}' THEN -score ELSE score END) AS bigint)
                   AS evaluation,
               CAST(SUM(points) AS bigint) AS points, CAST(SUM(minutes) AS bigint) AS minutes,
               '[' || {joined} || ']' AS parts
        FROM (SELECT means.*, {branch_body} AS body FROM means
              {by_organization}) AS spelled
        GROUP BY organization_id
    )
    SELECT CAST(:period AS varchar), rolling_branch.organization_id,
           rolling_branch.member_count,
           COALESCE(active.members, 0),
           CASE WHEN made.evaluation > {full} THEN {full} WHEN made.evaluation > 0
                THEN made.evaluation ELSE 0 END,
           COALESCE(made.points, 0), COALESCE(made.minutes, 0), {branch_parts_made}
    FROM rolling_branch
    LEFT JOIN made ON made.organization_id = rolling_branch.organization_id
    LEFT JOIN (SELECT organization_id, CAST(SUM(members) AS bigint) AS members
               FROM rolling_part WHERE category = '' GROUP BY organization_id) AS active
        ON active.organization_id = rolling_branch.organization_id
    WHERE rolling_branch.member_count > 0
"""
